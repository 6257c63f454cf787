/*
 * What the parts of the SQLite driver share: only lib/sqlite_*.c include this, and nothing
 * else of the project knows sqlite3.h. What callers may use is in lib/db.h.
 */
#ifndef LIB_SQLITE_H
#define LIB_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "lib/db.h"
#include "lib/lock.h"

enum {
    STATEMENTS_MAX = 128, /* a power of two, over twice the number of statements */
    BUSY_TIMEOUT_MS = 2000,
};

struct prepared {
    const char *sql; /* NULL: a free place */
    sqlite3_stmt *statement;
};

struct db {
    sqlite3 *handle;
    struct lock *lock; /* NULL when reading only */
    char *path;        /* as it was given */
    dev_t dev;         /* of the file to which it led */
    ino_t ino;
    int wal_pages;         /* as of the last commit */
    int64_t restart_at_ms; /* monotonic; not before */
    int restart_pause_ms;  /* the last one; 0: the last restart went well */
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

/* Whether the path names another file by now, or none. */
bool sqlite_has_moved(const struct db *db);

/* Counts the pages of the WAL after each commit of this connection. */
void sqlite_count_wal_pages(struct db *db);

#endif
