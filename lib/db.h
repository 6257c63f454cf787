/*
 * One SQLite database in WAL mode: connections, statements, transactions.
 *
 * The only file of the project that knows SQLite. Its rules:
 * - Open after fork, never before; a connection is of one process and one thread.
 * - Everybody who writes does so between db_write_begin and db_write_commit or
 *   db_write_rollback. These hold the write lock, a flock on "<database>.lock", so that
 *   writers queue in the kernel, and every checkpoint happens inside it as well.
 * - A commit that returned STATUS_OK is on the disk (synchronous=FULL).
 * - SQL text is a string constant: the statement prepared for it is found again by the
 *   text's address and lives as long as the connection.
 */
#ifndef LIB_DB_H
#define LIB_DB_H

#include "lib/span.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum db_mode {
    DB_READ,   /* cannot change anything */
    DB_WRITE,  /* the file must exist */
    DB_CREATE, /* make the file (mode 0660 less umask) when there is none; sets WAL mode */
};

/* Once per program, before the first db_open: report (NULL for none) gets what SQLite has
 * to say about trouble inside. */
enum status db_init(void (*report)(int code, const char *message));

/* Opens path. STATUS_NOT_FOUND: no such file; STATUS_UNAVAILABLE: no database, no WAL
 * mode possible, no permission; why says which. */
enum status db_open(struct db **out, const char *path, enum db_mode mode,
                    struct problem *why);

/* NULL is allowed. Rolls back what is not committed. Never makes a checkpoint. */
void db_close(struct db *db);

/* A sentence on the last error of this connection, for logs and operators; it never holds
 * values of parameters. */
const char *db_message(const struct db *db);

/* A parameter. Memory is only borrowed until the statement is done. */
struct db_value {
    enum { DB_VALUE_NULL, DB_VALUE_INT, DB_VALUE_TEXT, DB_VALUE_BLOB } type;
    int64_t number;
    const void *data;
    size_t len;
};

#define DB_NULL   ((struct db_value){.type = DB_VALUE_NULL})
#define DB_INT(n) ((struct db_value){.type = DB_VALUE_INT, .number = (n)})
#define DB_BLOB(ptr, size)                                                                 \
    ((struct db_value){.type = DB_VALUE_BLOB, .data = (ptr), .len = (size)})
#define DB_TEXT(span)                                                                      \
    ((struct db_value){.type = DB_VALUE_TEXT, .data = (span).data, .len = (span).len})

/* Text, or NULL for the empty text. */
struct db_value db_text_or_null(struct span text);

/* A blob, or NULL for one of no bytes. */
struct db_value db_blob_or_null(const void *data, size_t size);

/* A statement that is giving rows. */
struct db_rows {
    struct db *db;
    void *statement; /* NULL when done */
};

/*
 * Begins a statement with parameters ?1, ?2, … and goes to the first row. STATUS_OK: there
 * is one; STATUS_NOT_FOUND: none (then the statement is done already), or what went wrong.
 * Rows are read in order by db_next; call db_done as soon as no more are wanted.
 */
enum status db_query(struct db *db, struct db_rows *rows, const char *sql,
                     const struct db_value *values, size_t count);
#define DB_QUERY(db, rows, sql, ...)                                                       \
    db_query((db), (rows), (sql), (const struct db_value[]){__VA_ARGS__},                  \
             sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))

/* The next row: STATUS_OK, STATUS_NOT_FOUND at the end. */
enum status db_next(struct db_rows *rows);

/* Ends the statement; any number of times. */
void db_done(struct db_rows *rows);

/* Columns of the current row, from 0. Spans and blobs are valid until db_next or db_done. */
bool db_is_null(const struct db_rows *rows, int column);
int64_t db_int(const struct db_rows *rows, int column); /* 0 for NULL */
struct span db_text(const struct db_rows *rows, int column);
/* Copies a blob of exactly size bytes; false (and out zeroed) for anything else. */
bool db_blob(const struct db_rows *rows, int column, void *out, size_t size);
struct span db_bytes(const struct db_rows *rows, int column);

/* Reads one row of a statement; arg is the caller's. */
typedef enum status db_row_function(void *arg, const struct db_rows *row);

/*
 * Calls row_function for each row of a statement, in order, and ends the statement.
 * STATUS_OK after the last row, also when there was none; what row_function returns instead
 * of STATUS_OK ends the rows and is returned, except STATUS_NOT_FOUND, which ends them with
 * STATUS_OK; or what went wrong.
 */
enum status db_each(struct db *db, const char *sql, const struct db_value *values,
                    size_t count, db_row_function *row_function, void *arg);
#define DB_EACH(db, row_function, arg, sql, ...)                                           \
    db_each((db), (sql), (const struct db_value[]){__VA_ARGS__},                           \
            sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value),      \
            (row_function), (arg))

/*
 * Calls row_function for the first row only, and ends the statement. Returns what
 * row_function returned; STATUS_NOT_FOUND: there is no row; or what went wrong.
 */
enum status db_first(struct db *db, const char *sql, const struct db_value *values,
                     size_t count, db_row_function *row_function, void *arg);
#define DB_FIRST(db, row_function, arg, sql, ...)                                          \
    db_first((db), (sql), (const struct db_value[]){__VA_ARGS__},                          \
             sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value),     \
             (row_function), (arg))

/* Runs a statement that gives no rows. STATUS_EXISTS when a uniqueness rule was broken,
 * STATUS_INVALID for any other constraint. changed (NULL allowed) gets the rows changed. */
enum status db_run(struct db *db, int *changed, const char *sql,
                   const struct db_value *values, size_t count);
#define DB_RUN(db, changed, sql, ...)                                                      \
    db_run((db), (changed), (sql), (const struct db_value[]){__VA_ARGS__},                 \
           sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))

/* Runs several statements of SQL text that need no parameters and are used once. */
enum status db_script(struct db *db, const char *sql);

/* One consistent view for all statements until db_read_end. Keep it short.
 * STATUS_UNAVAILABLE: the file was removed or replaced since db_open. */
enum status db_read_begin(struct db *db);
void db_read_end(struct db *db);

/*
 * Takes the write lock (waiting at most timeout_ms) and begins a transaction. On failure
 * nothing is held: STATUS_BUSY (try again), STATUS_UNAVAILABLE (also when the file was
 * removed or replaced since db_open), STATUS_IO.
 */
enum status db_write_begin(struct db *db, int timeout_ms);

/*
 * Commits and releases the lock.
 * STATUS_OK: on the disk. STATUS_UNKNOWN: it failed in a way that leaves open whether a
 * later start will find the change; close this connection and tell the caller so. Any
 * other status: certainly not stored.
 */
enum status db_write_commit(struct db *db);

/* Undoes everything since db_write_begin and releases the lock. */
void db_write_rollback(struct db *db);

/* False once an error made SQLite roll back the whole writing transaction. */
bool db_in_transaction(const struct db *db);

/* To be called after commits, once those who wait for them have been answered: copies the WAL
 * back into the database file when it has grown enough, unless somebody else has the lock. */
void db_checkpoint(struct db *db);

/* Copies all of the WAL back into the database file, when nobody else is using it; otherwise
 * it does nothing. For a program that ends, so that the file is whole by itself. */
void db_settle(struct db *db);

/* Verifies the whole file; STATUS_INVALID with the first complaint in why. Long. */
enum status db_check(struct db *db, struct problem *why);

/*
 * Writes a consistent copy to path, which must not exist: to a temporary name beside it,
 * verified, written through, then renamed. Writers are not held up. Mode 0600.
 */
enum status db_backup(struct db *db, const char *path, struct problem *why);

#endif
