/*
 * Who may ask: rows 1 to 6 of the order in which a request is checked.
 *
 * A worker asks this before anything else, and the transaction that writes asks it again,
 * because a key can be revoked in between.
 */
#ifndef APP_STORE_ACCESS_H
#define APP_STORE_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/api/error.h"
#include "lib/address.h"
#include "lib/db.h"
#include "lib/secret.h"
#include "lib/uuid.h"

/* What a request presents. */
struct credentials {
    bool has_api_key, has_secret; /* false: absent, null or empty */
    struct secret_hash api_key, secret;
    struct address address; /* of the client; family ADDRESS_NONE: unknown */
};

/* Which of the credentials are former ones, and until when they work: milliseconds, 0: it is
 * the present one. */
struct former {
    int64_t api_key_until_ms;
    int64_t secret_until_ms;
};

/* Whom the credentials stand for. */
struct caller {
    struct uuid org_id;
    struct uuid api_key_id;
    struct uuid developer_key_id;
    int64_t api_key_used_at; /* milliseconds, 0: never */
    int64_t developer_key_used_at;
    struct former former;
};

/*
 * Live keys only: not revoked, not expired at now_ms, of an active member; by their present
 * secret, or by a former one whose time is not over at now_ms. STATUS_OK and *out; STATUS_REFUSED and *refusal; or what the database said. After a refusal *out holds
 * what was found until then, the rest is zero.
 */
enum status access_check(struct caller *out, enum error *refusal, struct db *db,
                         const struct credentials *credentials, int64_t now_ms);

/* Keeps the time at which both keys were used, to the minute, and from where. Inside a
 * transaction. */
enum status access_touch(struct db *db, const struct caller *caller,
                         const struct address *from, int64_t now_ms);

#endif
