#include "lib/sqlite.h"

#include <stdio.h>

#include "lib/clock.h"

enum {
    CHECKPOINT_BYTES = 4 << 20,         /* with more of them the next commit waits longer */
    CHECKPOINT_ALONE_BYTES = 256 << 20, /* a page that changes often is copied once */
    MUCH_CACHE_KIB = 128 * 1024,
    WAL_MAX_BYTES = 32 << 20, /* above it, wait for readers so that the WAL can restart */
    RESTART_WAIT_MS = 200,
    RESTART_PAUSE_MIN_MS = 100, /* after a restart that failed; doubled each time */
    RESTART_PAUSE_MAX_MS = 10000,
};

static int count_wal_pages(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = arg;

    (void)handle;
    (void)name;
    db->wal_bytes = (int64_t)pages * db->page_bytes;
    return SQLITE_OK;
}

static int read_page_bytes(struct db *db)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, "PRAGMA page_size", NULL, 0);
    int bytes = status == STATUS_OK ? (int)db_int(&rows, 0) : 0;

    db_done(&rows);
    return bytes;
}

void sqlite_count_wal_bytes(struct db *db)
{
    db->page_bytes = read_page_bytes(db);
    db->checkpoint_bytes = CHECKPOINT_BYTES;
    sqlite3_wal_hook(db->handle, count_wal_pages, db);
}

void db_write_much(struct db *db, bool alone)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "PRAGMA cache_size=-%d", MUCH_CACHE_KIB);
    (void)sqlite_exec(db, sql); /* if it fails, it is only slower */
    db->checkpoint_bytes = alone ? CHECKPOINT_ALONE_BYTES : CHECKPOINT_BYTES;
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
static enum db_upkeep restart_wal(struct db *db)
{
    (void)sqlite3_busy_timeout(db->handle, RESTART_WAIT_MS);
    int code =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    db->restart_pause_ms = code == SQLITE_OK ? 0 : longer_pause_ms(db->restart_pause_ms);
    db->restart_at_ms = clock_monotonic_ms() + db->restart_pause_ms;
    return code == SQLITE_OK ? DB_UPKEEP_COMPLETE : DB_UPKEEP_PARTIAL;
}

/* Copies what no reader needs to stay in the WAL, and waits for none. */
static enum db_upkeep copy_wal(struct db *db)
{
    int pages = 0, copied = 0;
    int code = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                         &pages, &copied);

    return code == SQLITE_OK && copied == pages ? DB_UPKEEP_COMPLETE : DB_UPKEEP_PARTIAL;
}

/* When the passive checkpoint has copied all of the WAL and no reader uses it, the next
 * commit writes at its beginning again. */
enum db_upkeep db_tidy(struct db *db)
{
    enum db_upkeep done = DB_UPKEEP_NONE;

    if (db->wal_bytes < db->checkpoint_bytes || lock_take(db->lock, 0) != STATUS_OK)
        return done;
    if (sqlite_has_moved(db))
        (void)sqlite_leave_files(db);
    else if (db->wal_bytes >= WAL_MAX_BYTES && clock_monotonic_ms() >= db->restart_at_ms)
        done = restart_wal(db);
    else
        done = copy_wal(db);
    lock_release(db->lock);
    return done;
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
