/*
 * What is known of the last copy of a database: the file `<database>.backup`, one JSON
 * object, as in
 *
 *     {"backup_at":"2026-01-31T12:00:00.000Z","backup":"/var/backups/…","size_bytes":4096}
 *
 * It stands beside the database so that programs which only watch see the age of the last
 * copy without a look into the directory of copies, which may be on another machine.
 */
#ifndef LIB_BACKUP_RECORD_H
#define LIB_BACKUP_RECORD_H

#include <limits.h>
#include <stdint.h>

#include "lib/status.h"

struct backup_record {
    int64_t at_ms;       /* since 1970, when the copy was begun: it has all from before */
    int64_t size_bytes;  /* of the copy */
    char path[PATH_MAX]; /* of the copy; where that is no UTF-8: empty */
};

/*
 * Replaces the record of the database by a rename, durably. The file has mode 0640 and
 * belongs to this process's user. STATUS_CANT_CREATE or STATUS_IO: it failed, and the
 * former record is in place or this one; why names the file.
 */
enum status backup_record_write(const char *database, const struct backup_record *record,
                                struct problem *why);

/*
 * Reads the record. STATUS_NOT_FOUND: there is none. STATUS_INVALID: the file is no record.
 * STATUS_IO: it cannot be read; why (NULL allowed) says which. *out is all zeros then.
 * Opens that one file only, so that a process in a sandbox can call it.
 */
enum status backup_record_read(struct backup_record *out, const char *database,
                               struct problem *why);

/* Removes the record: nothing is known of a copy any more. STATUS_OK also where there is
 * none. STATUS_IO: it failed. */
enum status backup_record_remove(const char *database, struct problem *why);

#endif
