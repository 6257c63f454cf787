/*
 * API keys and developer secrets: their form, and the hash that is stored.
 *
 * Only a keyed hash is ever stored. The text is in the request of a caller and, once, on
 * the standard output of the command that issued it.
 */
#ifndef APP_RULES_CREDENTIALS_H
#define APP_RULES_CREDENTIALS_H

#include <stdbool.h>

#include "lib/address.h"
#include "lib/secret.h"
#include "lib/span.h"
#include "lib/status.h"

enum credential_kind {
    CREDENTIAL_API_KEY,          /* zak_ and 43 characters of 0-9A-Za-z */
    CREDENTIAL_DEVELOPER_SECRET, /* zdk_ and 43 characters of 0-9A-Za-z */
};

enum {
    CREDENTIAL_TEXT_BYTES =
        48,                    /* of one that credential_make makes, with the closing NUL */
    CREDENTIAL_MIN_BYTES = 16, /* of one that was made elsewhere */
    CREDENTIAL_MAX_BYTES = 255,
};

/* The credentials and the address of a request. */
struct credentials {
    bool has_api_key, has_secret; /* false: absent, null or empty */
    struct secret_hash api_key, secret;
    struct address address; /* of the client; family ADDRESS_NONE: unknown */
};

/* Which credentials a call needs. */
enum credentials_needed {
    CREDENTIALS_NONE,
    CREDENTIALS_SECRET, /* the organization is that of the developer key */
    CREDENTIALS_BOTH,
};

/* Makes a new one from the kernel's random source. Wipe it after use. */
void credential_make(char out[CREDENTIAL_TEXT_BYTES], enum credential_kind kind);

/* Whether the text begins like one that credential_make makes. */
bool credential_begins(const char *text);

/* Whether the text contains one that credential_make makes, or so much of one that it
 * should be hidden. */
bool credential_is_in(const char *text);

/* Judges one that was made elsewhere: 16–255 printable ASCII characters without blanks. */
enum status credential_check(struct span text, struct problem *why);

/* The hash that is stored and looked up. Equal texts of different kinds differ. */
void credential_hash(struct secret_hash *out, const struct secret_key *key,
                     enum credential_kind kind, struct span text);

/* Seals an API key that is handed out (app/store/handed_out.h). */
void credential_seal(struct sealed *out, const struct secret_key *key, struct span text);

/* Opens it, as secret_open. */
enum status credential_open(char *out, size_t *len, const struct secret_key *key,
                            const struct sealed *sealed);

#endif
