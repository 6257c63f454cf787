/*
 * The parts of the SQLite driver share this. Only lib/sqlite_*.c include this header, and
 * only they use sqlite3.h; callers use lib/db.h and lib/db_files.h.
 *
 *   sqlite_open.c         opening and configuring a connection
 *   sqlite_statement.c    statements, values and rows
 *   sqlite_transaction.c  transactions, and the lock between writers
 *   sqlite_wal.c          checkpoints
 *   sqlite_stamp.c        application_id and user_version
 *   sqlite_backup.c       checking and copying
 *   sqlite_files.c        names and sizes of the files
 *
 * SQLite is used in WAL mode with synchronous=FULL, so that a commit is one fdatasync of
 * the WAL. With SQLite's own locks waiting writers poll and can starve, and one connection
 * must not commit while another makes a checkpoint (the WAL-reset bug, before 3.51.3).
 * Therefore a connection takes a flock on "<database>.lock" before it writes or makes a
 * checkpoint.
 */
#ifndef LIB_SQLITE_H
#define LIB_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "lib/db.h"
#include "lib/lock.h"

enum {
    STATEMENTS_MAX = 128,   /* a power of two, over twice the number of statements */
    BUSY_TIMEOUT_MS = 2000, /* for SQLite's own locks, such as that of a recovery */
};

struct prepared {
    const char *sql; /* NULL: a free place */
    sqlite3_stmt *statement;
};

struct db {
    sqlite3 *handle;
    struct lock *lock; /* NULL when reading only */
    char *path;        /* as db_open got it */
    dev_t dev;         /* of the file that it led to then */
    ino_t ino;
    /* Why the last commit failed, as the rollback replaces SQLite's message; empty: it did
     * not. */
    char commit_failure[160];
    int wal_pages;         /* as of the last commit */
    int64_t restart_at_ms; /* monotonic clock: when the WAL may be restarted again */
    int restart_pause_ms;  /* that was added at the last restart; 0: it succeeded */
    struct prepared statements[STATEMENTS_MAX];
};

/* The status that stands for a result code, which may be an extended one. */
enum status sqlite_status(int code);

/* Runs SQL text that is used once; returns a result code. */
int sqlite_exec(struct db *db, const char *sql);

/* Runs a statement without parameters; its text is a constant. */
enum status sqlite_run(struct db *db, const char *sql);

/* Whether a pragma that answers with one text answers with this one. */
bool sqlite_answers(struct db *db, const char *sql, const char *wanted);

/* Whether the path now leads to another file than the one that is open, or to none. */
bool sqlite_has_moved(const struct db *db);

/* Counts the pages of the WAL after each commit of this connection. */
void sqlite_count_wal_pages(struct db *db);

#endif
