/*
 * The use case of restoring a database from a copy.
 *
 * The database is locked from manage_restore_begin to manage_restore_end, so that no
 * program can begin to use it. In between, copy is the copy of the given file: verified,
 * beside the database, and open for writing. Whatever happens meanwhile, the present
 * database stays in place until manage_restore_end replaces it.
 */
#ifndef APP_MANAGE_MANAGE_RESTORE_H
#define APP_MANAGE_MANAGE_RESTORE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/db_alone.h"

struct restore {
    /* The caller fills these, which are borrowed. */
    const char *file;     /* what to restore, as `db backup` makes it */
    const char *database; /* where to */
    const char *key_file; /* NULL: it need not fit */
    bool discard;         /* the present database is not kept */

    struct db *copy;     /* NULL: it is not open */
    int version;         /* of its schema */
    char kept[PATH_MAX]; /* the new name of the former database; empty: none */
    struct problem
        still_recorded; /* why the record of the last backup could not be removed,
                                      which is one of the former database; empty: it was */

    struct db_alone *alone;
    char path[PATH_MAX]; /* of the copy; empty: there is none */
};

/*
 * STATUS_OK: copy is this program's, of its schema or an earlier one, and sound, and the
 * key file, unless there is none, is the one that its keys were made with.
 * STATUS_BUSY: the database is in use, which why says. STATUS_NOT_FOUND: there is no such
 * file. STATUS_INVALID: it is no database, damaged, or not complete. STATUS_SCHEMA,
 * STATUS_CONFIG (the key file), and failures of files. manage_restore_end in any case.
 */
enum status manage_restore_begin(struct restore *restore, struct problem *why);

/*
 * Closes the copy and, with STATUS_OK, puts it in place of the present database. Else
 * removes it. Returns status, or what went wrong. There is no record of a backup then
 * (lib/backup_record.h): the last one was made of the former database, and what it has, the
 * restored one may not have, and the other way round.
 */
enum status manage_restore_end(struct restore *restore, int64_t now_ms, enum status status,
                               struct problem *why);

#endif
