/*
 * The use case of writing a copy of a database, to a file or into a directory of copies.
 */
#ifndef APP_MANAGE_MANAGE_BACKUP_H
#define APP_MANAGE_MANAGE_BACKUP_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/manage/backup_directory.h"
#include "lib/db.h"

struct backup {
    /* The caller fills these, which are borrowed. */
    struct db *db;         /* open */
    const char *database;  /* its path */
    const char *file;      /* the copy; NULL: a new file in directory */
    const char *directory; /* NULL: a file is given */
    int64_t keep;          /* copies in directory; 0: all */
    int64_t now_ms;        /* since 1970 */
    bool earlier;          /* its schema is an earlier one: notes cannot be checked */

    char path[PATH_MAX]; /* of the copy; empty: none was made */
    int64_t size_bytes;  /* of the copy */
    struct backup_removal removal;
    struct problem unrecorded; /* why the backup could not be recorded; empty: it was */
};

/*
 * Writes a copy and verifies it as `db check` does (one of an earlier schema by db_check
 * only), then records it (lib/backup_record.h),
 * and then removes the oldest ones where keep says so. Nothing is removed or recorded
 * unless the copy is complete. Root writes it with the rights of the user who could change
 * its directory. Failures as db_backup, backup_directory_open and backup_directory_keep;
 * path says whether there is a copy nevertheless.
 */
enum status manage_backup(struct backup *backup, struct problem *why);

#endif
