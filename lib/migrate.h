/*
 * Numbered migrations, forward only.
 *
 * A migration is SQL text that is embedded in the program. Each runs in a transaction of
 * its own, together with its row in schema_migrations. The stamp identifies the program
 * that the database belongs to, and how many migrations it has. Once released, a
 * migration's text must not change, not even its comments: its row keeps the checksum of
 * the text that ran, and a program with another text refuses the database.
 */
#ifndef LIB_MIGRATE_H
#define LIB_MIGRATE_H

#include "lib/db.h"

struct migration {
    int number;       /* 1, 2, … without gaps */
    const char *name; /* of its file, without number and ending */
    const char *sql;
};

/* The migrations of a program. */
struct migrations {
    const struct migration *list;
    size_t count;
    int application_id;          /* the stamp of this program's databases */
    const char *program_version; /* kept beside each migration */
    /* Does what the SQL of a migration cannot, after it and in its transaction; NULL:
     * nothing. */
    enum status (*after)(struct db *db, int number);
};

/* How many migrations the database has. STATUS_SCHEMA: it belongs to another program. */
enum status migrate_version(struct db *db, const struct migrations *ours, int *version,
                            struct problem *why);

/* STATUS_OK when the database has exactly our schema; STATUS_SCHEMA otherwise, and why says
 * whether it is older, newer, foreign, or made by another text of one of our migrations. */
enum status migrate_check(struct db *db, const struct migrations *ours,
                          struct problem *why);

/* STATUS_OK when the database has our schema or an earlier version of it, so that
 * migrate_apply can bring it to ours; *version as migrate_version. STATUS_SCHEMA: it is
 * newer, foreign, empty, or made by another text of one of our migrations. */
enum status migrate_known(struct db *db, const struct migrations *ours, int *version,
                          struct problem *why);

/* Brings the database to our schema; *applied (NULL allowed) gets the number of migrations
 * that were run. STATUS_SCHEMA: the database is newer, foreign, or made by another text of
 * one of our migrations; it is left alone. */
enum status migrate_apply(struct db *db, const struct migrations *ours, int *applied,
                          struct problem *why);

#endif
