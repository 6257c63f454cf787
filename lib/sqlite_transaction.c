#include "lib/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* True when another file, such as a backup, is at the database's path, or the file was
 * removed. In WAL mode SQLite does not check that by itself, and commits would go to the
 * removed file. SQLITE_FCNTL_HAS_MOVED looks at the path that a symbolic link led to when
 * it was opened; stat also notices that the link leads elsewhere. */
bool sqlite_has_moved(const struct db *db)
{
    struct stat info;
    int moved = 0;

    if (stat(db->path, &info) != 0 || info.st_ino != db->ino || info.st_dev != db->dev)
        return true;
    return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
               SQLITE_OK &&
           moved != 0;
}

enum status db_read_begin(struct db *db)
{
    return sqlite_has_moved(db) ? STATUS_UNAVAILABLE : sqlite_run(db, "BEGIN");
}

void db_read_end(struct db *db)
{
    if (db_in_transaction(db))
        (void)sqlite_run(db, "ROLLBACK");
}

enum status db_write_begin(struct db *db, int timeout_ms)
{
    assert(db->lock != NULL && !db_in_transaction(db));
    db->commit_failure[0] = '\0';
    enum status status = lock_take(db->lock, timeout_ms);
    if (status != STATUS_OK)
        return status;
    status = sqlite_has_moved(db) ? STATUS_UNAVAILABLE : sqlite_run(db, "BEGIN IMMEDIATE");
    if (status != STATUS_OK)
        lock_release(db->lock);
    return status;
}

/* Why the last access to the WAL failed. sqlite3_system_errno() does not tell: the rollback
 * has called the system since. */
static int errno_of_wal(struct db *db)
{
    sqlite3_file *wal = NULL;
    int error = 0;

    if (sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) ==
            SQLITE_OK &&
        wal != NULL && wal->pMethods != NULL)
        (void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &error);
    return error;
}

/* When the disk is full, or the file has its greatest size (RLIMIT_FSIZE), the commit frame
 * was not written. After another I/O error it may have been, and a later recovery of the
 * WAL may find it. */
static enum status status_of_failed_commit(struct db *db)
{
    int code = sqlite3_extended_errcode(db->handle);

    if (code == SQLITE_IOERR_WRITE && errno_of_wal(db) == EFBIG)
        return STATUS_UNAVAILABLE;
    switch (code & 0xff) {
    case SQLITE_BUSY:
        return STATUS_BUSY;
    case SQLITE_FULL:
        return STATUS_UNAVAILABLE;
    case SQLITE_CONSTRAINT:
        return STATUS_INVALID;
    default:
        return STATUS_UNKNOWN;
    }
}

static void keep_message(struct db *db)
{
    int error = errno_of_wal(db);

    (void)snprintf(db->commit_failure, sizeof db->commit_failure, "%s%s%s",
                   sqlite3_errmsg(db->handle), error != 0 ? ": " : "",
                   error != 0 ? strerror(error) : "");
}

enum status db_write_commit(struct db *db)
{
    enum status status = sqlite_run(db, "COMMIT");

    if (status != STATUS_OK) {
        status = status_of_failed_commit(db);
        keep_message(db);
    }
    if (db_in_transaction(db))
        (void)sqlite_run(db, "ROLLBACK");
    lock_release(db->lock);
    return status;
}

void db_write_rollback(struct db *db)
{
    if (db_in_transaction(db))
        (void)sqlite_run(db, "ROLLBACK");
    lock_release(db->lock);
}

bool db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}
