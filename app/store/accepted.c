#include "app/store/accepted.h"

#include <string.h>

/* Everything that decides whether a caller is accepted, besides the database and time. */
struct key {
    struct secret_hash api_key, secret;
    uint8_t address[16];
    uint64_t family;
};

static const struct fact_kind accepted = {
    .key_bytes = sizeof(struct key),
    .value_bytes = sizeof(struct key_facts),
    .count = 4096,
};

static struct key key_of(const struct credentials *credentials)
{
    struct key key = {
        .api_key = credentials->api_key,
        .secret = credentials->secret,
        .family = credentials->address.family,
    };

    _Static_assert(sizeof key.address == sizeof credentials->address.bytes, "all of it");
    memcpy(key.address, credentials->address.bytes, sizeof key.address);
    return key;
}

bool accepted_recall(struct key_facts *facts, struct db *db,
                     const struct credentials *credentials, int64_t now_ms)
{
    const struct key key = key_of(credentials);

    return credentials->has_api_key && credentials->has_secret &&
           db_recall(db, &accepted, &key, facts) && now_ms < facts->until_ms;
}

void accepted_remember(struct db *db, const struct credentials *credentials,
                       const struct key_facts *facts)
{
    const struct key key = key_of(credentials);

    db_remember(db, &accepted, &key, facts);
}
