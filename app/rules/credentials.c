#include "app/rules/credentials.h"

#include <string.h>

static const struct {
    char prefix[5];
    const char *domain;
} kinds[] = {
    [CREDENTIAL_API_KEY] = {"zak_", "api key"},
    [CREDENTIAL_DEVELOPER_SECRET] = {"zdk_", "developer secret"},
};

void credential_make(char out[CREDENTIAL_TEXT_BYTES], enum credential_kind kind)
{
    size_t prefix_len = sizeof kinds[kind].prefix - 1;

    memcpy(out, kinds[kind].prefix, prefix_len);
    secret_random_base62(out + prefix_len, CREDENTIAL_TEXT_BYTES - 1 - prefix_len);
}

bool credential_begins(const char *text)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strncmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return true;
    return false;
}

bool credential_is_in(const char *text)
{
    static const char base62[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    for (; *text != '\0'; text++)
        if (credential_begins(text) &&
            strspn(text + sizeof kinds[0].prefix - 1, base62) >= CREDENTIAL_MIN_BYTES)
            return true;
    return false;
}

enum status credential_check(struct span text, struct problem *why)
{
    if (text.len < CREDENTIAL_MIN_BYTES || text.len > CREDENTIAL_MAX_BYTES)
        return problem_set(why, STATUS_INVALID,
                           "a key must have %d to %d characters, not %zu",
                           CREDENTIAL_MIN_BYTES, CREDENTIAL_MAX_BYTES, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return problem_set(why, STATUS_INVALID,
                               "a key must consist of printable ASCII characters; "
                               "character %zu is none",
                               i + 1);
    return STATUS_OK;
}

void credential_hash(struct secret_hash *out, const struct secret_key *key,
                     enum credential_kind kind, struct span text)
{
    secret_hash(out, key, kinds[kind].domain, text);
}

static const char sealing[] = "API key that is handed out";

void credential_seal(struct sealed *out, const struct secret_key *key, struct span text)
{
    secret_seal(out, key, sealing, text);
}

enum status credential_open(char *out, size_t *len, const struct secret_key *key,
                            const struct sealed *sealed)
{
    return secret_open(out, len, key, sealing, sealed);
}
