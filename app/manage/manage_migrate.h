/*
 * The use case of making or migrating a database and its key file.
 *
 * Where something is to be done, the database is locked from manage_migrate_begin until
 * migration.db is closed, so that it changes under no service.
 */
#ifndef APP_MANAGE_MANAGE_MIGRATE_H
#define APP_MANAGE_MANAGE_MIGRATE_H

#include <stdbool.h>

#include "app/manage/change.h"
#include "lib/db.h"

struct migration_run {
    /* The caller fills these, which are borrowed. */
    const char *database;
    const char *key_file;

    struct db *db; /* open for manage_migrate_settle; NULL: there is nothing to do */
    int applied;   /* migrations */
    bool key_created;
    bool empty_beside_key; /* there is a key file already, but no organization */
};

/*
 * Makes the database where there is none, and migrates it to this program's schema.
 * STATUS_OK also where it has that and a key file that fits; it may be in use then.
 * STATUS_BUSY: there is something to do, but the database is in use. Else as db_open,
 * migrate_apply.
 */
enum status manage_migrate_begin(struct migration_run *run, struct problem *why);

/*
 * Within a change on run->db: makes the key file where it does not exist, and gives the
 * database its mark. STATUS_CONFIG: the database holds keys, but their key file is missing
 * or another one.
 */
enum status manage_migrate_settle(struct change *change, struct migration_run *run,
                                  struct problem *why);

/* Closes run->db: the schema is in the database file itself then, and the files are there
 * that every connection needs. */
void manage_migrate_end(struct migration_run *run);

#endif
