/*
 * A command: a request of a caller to write something.
 *
 * The struct of each kind of command begins with a struct command, followed by the fields
 * of its call. It is sent from worker to writer as it is. Therefore its only pointers are
 * the spans that its kind lists (see struct command_kind in app/commit/command.h).
 */
#ifndef APP_RULES_COMMAND_H
#define APP_RULES_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/credentials.h"
#include "lib/geo.h"
#include "lib/secret.h"
#include "lib/uuid.h"

enum {
    REQUEST_ID_BYTES = 65,       /* with the closing NUL */
    IDEMPOTENCY_KEY_BYTES = 256, /* likewise */
};

/* What every command has. */
struct command {
    uint32_t kind; /* its index in the table of kinds */
    struct credentials credentials;
    bool uniform_errors;  /* records of other organizations count as not existing */
    struct uuid new_id;   /* for a record that is created */
    int64_t now_ms;       /* milliseconds since 1970, UTC */
    struct geo_tags tags; /* of credentials.address */
    char request_id[REQUEST_ID_BYTES];
    char idempotency_key[IDEMPOTENCY_KEY_BYTES]; /* empty: none was sent */
    struct secret_hash fingerprint; /* of the fields; set only with an idempotency key */
};

#endif
