#include "lib/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

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
    assert((db->lock != NULL || db->alone != NULL) && !db_in_transaction(db));
    db->failure[0] = '\0';
    enum status status = lock_take(db->lock, timeout_ms);
    if (status != STATUS_OK)
        return status;
    if (sqlite_has_moved(db))
        status = sqlite_leave_files(db);
    else
        status = sqlite_run(db, "BEGIN IMMEDIATE");
    if (status == STATUS_OK)
        sqlite_begin_facts(db);
    else
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

    (void)snprintf(db->failure, sizeof db->failure, "%s%s%s", sqlite3_errmsg(db->handle),
                   error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
}

enum status db_write_commit(struct db *db)
{
    enum status status = sqlite_run(db, "COMMIT");

    if (status == STATUS_OK) {
        sqlite_keep_facts(db);
        status = sqlite_keep_commit(db);
        if (status != STATUS_OK)
            (void)snprintf(db->failure, sizeof db->failure,
                           "files of the database were removed or replaced meanwhile");
    } else {
        db_forget(db);
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
    db_forget(db);
    if (db_in_transaction(db))
        (void)sqlite_run(db, "ROLLBACK");
    lock_release(db->lock);
}

bool db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}
