/*
 * The mark by which a database recognizes its key file: the hash of a fixed text under the
 * key.
 *
 * With another key file no credential would be found, and every caller would be told that
 * its key is invalid. Processes that hash credentials compare the mark first.
 */
#ifndef APP_STORE_KEY_MARK_H
#define APP_STORE_KEY_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/secret.h"

enum {
    KEY_MARK_SINCE = 3, /* the version of the schema that brought it */
};

/* The mark of a key file, and both names for messages. */
struct key_mark {
    struct secret_hash mark;
    const char *key_file;
    const char *database;
};

/* Makes the mark of a key. The names are borrowed. */
struct key_mark key_mark_of(const struct secret_key *key, const char *key_file,
                            const char *database);

/* STATUS_CONFIG: this is not the key file that the database's keys were made with, or the
 * database has no mark of it; why names both files and says what to do. Any other failure
 * is one of the database. */
enum status key_mark_check(struct db *db, const struct key_mark *ours, struct problem *why);

/* As key_mark_check, but STATUS_OK also where the database has no mark, or where no live
 * key depends on it. The schema must have version KEY_MARK_SINCE at least. */
enum status key_mark_fits(struct db *db, const struct key_mark *ours, struct problem *why);

/* As key_mark_check, within a writing transaction: where the database has no mark, or has
 * another one but no live key, it gets ours, and *changed (NULL allowed) becomes true. */
enum status key_mark_settle(struct db *db, bool *changed, const struct key_mark *ours,
                            int64_t now_ms, struct problem *why);

#endif
