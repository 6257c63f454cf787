/*
 * A directory of copies of one database, with names by time: crmnotes-20260131T120000Z.db
 * for /var/lib/crmnotes/crmnotes.db, in UTC.
 *
 * One process at a time writes there: the file .crmnotes.lock is its lock. Nothing is
 * removed but files with such names, and what processes that were killed have left of them.
 * Databases of different names may share a directory, those of the same name may not.
 */
#ifndef APP_MANAGE_BACKUP_DIRECTORY_H
#define APP_MANAGE_BACKUP_DIRECTORY_H

#include <limits.h>
#include <stdint.h>

#include "lib/lock.h"
#include "lib/status.h"

enum {
    BACKUP_STAMP_BYTES = 17, /* "20260131T120000Z" with the closing NUL */
};

struct backup_directory {
    char path[PATH_MAX]; /* absolute */
    char stem[NAME_MAX + 1];
    char newest[BACKUP_STAMP_BYTES]; /* of the name that backup_directory_name chose */
    struct lock *lock;               /* owned */
    int fd;                          /* of the directory; -1: not open; owned */
};

/* What backup_directory_keep has found and done. */
struct backup_removal {
    int64_t removed;            /* copies */
    int64_t incomplete;         /* files with the name of a copy that are none */
    char example[NAME_MAX + 1]; /* one of them */
};

/*
 * Opens the directory at path for copies of the database, takes its lock, and removes
 * leftovers. STATUS_CANT_CREATE: there is no such directory, or it may not be written;
 * STATUS_BUSY: another process writes a copy there. backup_directory_close in any case.
 */
enum status backup_directory_open(struct backup_directory *out, const char *path,
                                  const char *database, struct problem *why);

/*
 * Writes the path of the next copy, whose time is *now_ms. Where a copy of the same second
 * is there already, waits for the next one, to which *now_ms is set. STATUS_CANT_CREATE:
 * the path is too long.
 */
enum status backup_directory_name(struct backup_directory *directory, char *out,
                                  size_t size, int64_t *now_ms, struct problem *why);

/*
 * Removes the oldest copies until there are `keep` with that of backup_directory_name,
 * which stays in any case. Files that are shorter or longer than the database in them says
 * are no copies: they are left alone and not counted. STATUS_IO: a copy cannot be removed.
 */
enum status backup_directory_keep(struct backup_directory *directory, int64_t keep,
                                  struct backup_removal *out, struct problem *why);

void backup_directory_close(struct backup_directory *directory);

#endif
