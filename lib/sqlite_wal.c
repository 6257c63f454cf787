#include "lib/sqlite.h"

#include "lib/clock.h"

enum {
    CHECKPOINT_PAGES = 1000, /* of 4 KiB; with more of them the next commit waits longer */
    WAL_MAX_PAGES = 8000, /* above it, wait for readers so that the WAL can be restarted */
    RESTART_WAIT_MS = 200,
    RESTART_PAUSE_MIN_MS = 100, /* after a restart that failed; doubled each time */
    RESTART_PAUSE_MAX_MS = 10000,
};

static int count_wal_pages(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = arg;

    (void)handle;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

void sqlite_count_wal_pages(struct db *db)
{
    sqlite3_wal_hook(db->handle, count_wal_pages, db);
}

static int longer_pause_ms(int pause_ms)
{
    pause_ms = pause_ms == 0 ? RESTART_PAUSE_MIN_MS : 2 * pause_ms;
    return pause_ms < RESTART_PAUSE_MAX_MS ? pause_ms : RESTART_PAUSE_MAX_MS;
}

/* A passive checkpoint cannot restart the WAL while any reader uses it, and under load some
 * reader always does. This one waits for the present readers; new ones read the database
 * file meanwhile. It fails because of a reader that takes long, such as a backup. Then it
 * is not tried again for a while, so that not every commit has to wait. */
static void restart_wal(struct db *db)
{
    (void)sqlite3_busy_timeout(db->handle, RESTART_WAIT_MS);
    int code =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    db->restart_pause_ms = code == SQLITE_OK ? 0 : longer_pause_ms(db->restart_pause_ms);
    db->restart_at_ms = clock_monotonic_ms() + db->restart_pause_ms;
}

/* When the passive checkpoint has copied all of the WAL and no reader uses it, the next
 * commit writes at its beginning again. */
void db_tidy(struct db *db)
{
    if (db->wal_pages < CHECKPOINT_PAGES || lock_take(db->lock, 0) != STATUS_OK)
        return;
    if (sqlite_has_moved(db))
        (void)sqlite_leave_files(db);
    else if (db->wal_pages >= WAL_MAX_PAGES && clock_monotonic_ms() >= db->restart_at_ms)
        restart_wal(db);
    else
        (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                        NULL);
    lock_release(db->lock);
}

void db_finish(struct db *db)
{
    if (lock_take(db->lock, 0) != STATUS_OK)
        return;
    (void)sqlite3_busy_timeout(db->handle, 0);
    if (sqlite_has_moved(db)) /* the WAL may be that of another database by now */
        (void)sqlite_leave_files(db);
    else
        (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                        NULL);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    lock_release(db->lock);
}
