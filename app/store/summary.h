/*
 * Numbers of rows, for `db status` and for deciding whether a key file is needed.
 */
#ifndef APP_STORE_SUMMARY_H
#define APP_STORE_SUMMARY_H

#include "lib/db.h"

/* Numbers of rows. */
struct summary {
    int64_t orgs;
    int64_t members;
    int64_t api_keys;
    int64_t developer_keys;
    int64_t contacts;
    int64_t notes;
};

/* Counts all rows. Takes long for a large database, because an index of each table is
 * read. */
enum status summary_get(struct db *db, struct summary *out);

/* Counts the developer keys that are live and expire after the one time and until the
 * other (milliseconds since 1970, UTC). */
enum status summary_expiring(struct db *db, int64_t after_ms, int64_t until_ms,
                             int64_t *count);

/* Whether there is any organization. */
enum status summary_has_orgs(struct db *db, bool *has_orgs);

/* Whether there is any API or developer key that is not revoked. These need the key
 * file. */
enum status summary_has_keys(struct db *db, bool *has_keys);

#endif
