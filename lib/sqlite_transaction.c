#include "lib/sqlite.h"

#include <assert.h>
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
    enum status status = lock_take(db->lock, timeout_ms);
    if (status != STATUS_OK)
        return status;
    status = sqlite_has_moved(db) ? STATUS_UNAVAILABLE : sqlite_run(db, "BEGIN IMMEDIATE");
    if (status != STATUS_OK)
        lock_release(db->lock);
    return status;
}

/* When the disk is full, the commit frame was not written. After an I/O error it may have
 * been, and a later recovery of the WAL may find it. */
static enum status status_of_failed_commit(int code)
{
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

enum status db_write_commit(struct db *db)
{
    enum status status = sqlite_run(db, "COMMIT");

    if (status != STATUS_OK)
        status = status_of_failed_commit(sqlite3_extended_errcode(db->handle));
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
