/*
 * How a database knows its key file: by a mark, the hash of a fixed text under the key.
 *
 * With another key file no hash of a credential is found, and every caller would be told
 * that the key in the request is wrong. Whoever hashes compares the mark first.
 */
#ifndef APP_STORE_KEY_MARK_H
#define APP_STORE_KEY_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/secret.h"

/* A key file as a database may know it, and the names of both for sentences. */
struct key_mark {
    struct secret_hash mark;
    const char *key_file;
    const char *database;
};

/* Makes the mark of a key. The names are borrowed. */
struct key_mark key_mark_of(const struct secret_key *key, const char *key_file,
                            const char *database);

/* STATUS_OK; STATUS_CONFIG when this is not the key file that the database's keys were made
 * with, or the database has no mark of it; or what the database said. why names both files
 * and what to do. */
enum status key_mark_check(struct db *db, const struct key_mark *ours, struct problem *why);

/* The same for somebody who writes: where no mark stands, or another one but no key depends
 * on it, it becomes ours and *changed (NULL allowed) true. Inside a transaction. */
enum status key_mark_settle(struct db *db, bool *changed, const struct key_mark *ours,
                            int64_t now_ms, struct problem *why);

#endif
