/*
 * One database: connections, statements, transactions, and its upkeep.
 *
 * This header is neutral about the engine. Remarks on SQLite, whose driver is
 * lib/sqlite_*.c, say so. What holds for every engine:
 * - Open after fork, never before. A connection belongs to one process and one thread.
 * - One connection at a time writes, between db_write_begin and db_write_commit or
 *   db_write_rollback. The others wait in db_write_begin, or read.
 * - A change is durable when db_write_commit has returned STATUS_OK.
 * - SQL text is a string constant with parameters ?1, ?2, … The statement that is prepared
 *   for it is found again by the address of the text, and kept as long as the connection.
 *
 * lib/db_files.h names the files of a database before it is opened.
 */
#ifndef LIB_DB_H
#define LIB_DB_H

#include "lib/fact_cache.h"
#include "lib/span.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum {
    FACT_KINDS_MAX = 4, /* see db_recall */
};

enum db_mode {
    DB_READ,   /* cannot change anything */
    DB_WRITE,  /* the database must exist */
    DB_CREATE, /* as DB_WRITE, but makes an empty database where there is none */
    DB_ALONE,  /* as DB_CREATE, while no other connection is open, nor a service running */
};

/* Once per program, before the first db_open. report (NULL: none) is called with the
 * engine's code and message when the engine logs a fault of its own. */
enum status db_init(void (*report)(int code, const char *message));

/* From now on, connections of this process that only read see the database as memory, where
 * the engine can do that: for a process that reads all the time. SQLite: pages of the file
 * count as the process's memory then, though they are the kernel's cache of it. */
void db_read_as_memory(void);

/*
 * Opens the database at location: for SQLite the path of its file, which DB_CREATE and
 * DB_ALONE make with mode 0660 less umask, and set to WAL mode. STATUS_NOT_FOUND: there is
 * none; STATUS_UNAVAILABLE: it is no database, or cannot be used as this process's user;
 * STATUS_SCHEMA: it is in another mode, and DB_CREATE would set the right one;
 * STATUS_CANT_CREATE; STATUS_BUSY: it is in use (DB_ALONE). why says which. *out is NULL
 * then.
 */
enum status db_open(struct db **out, const char *location, enum db_mode mode,
                    struct problem *why);

/* NULL is allowed. Rolls back what is not committed. */
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

/* A statement that has more rows to give, and the row it is at. */
struct db_rows {
    struct db *db;
    void *statement; /* the driver's; NULL when done */
};

/*
 * Begins a statement and goes to its first row. STATUS_OK: there is one;
 * STATUS_NOT_FOUND: there is none, and the statement is done already; or what went wrong.
 * Read rows in order by db_next, and call db_done as soon as no more are wanted.
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

/* Columns of the current row, from 0. Spans and blobs are valid until db_next or
 * db_done. */
bool db_is_null(const struct db_rows *rows, int column);
int64_t db_int(const struct db_rows *rows, int column); /* 0 for NULL */
struct span db_text(const struct db_rows *rows, int column);
/* Copies a blob of exactly size bytes; false (and out zeroed) for anything else. */
bool db_blob(const struct db_rows *rows, int column, void *out, size_t size);
struct span db_bytes(const struct db_rows *rows, int column);

/* Reads one row of a statement; arg is passed through. */
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

/* A db_row_function that copies the first column to the int64_t that arg points to. */
enum status db_keep_int(void *arg, const struct db_rows *row);

/* Runs a statement that gives no rows. STATUS_EXISTS when a uniqueness rule was broken,
 * STATUS_INVALID for any other constraint. changed (NULL allowed) gets the rows changed. */
enum status db_run(struct db *db, int *changed, const char *sql,
                   const struct db_value *values, size_t count);
#define DB_RUN(db, changed, sql, ...)                                                      \
    db_run((db), (changed), (sql), (const struct db_value[]){__VA_ARGS__},                 \
           sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))

/* The same for a statement that inserts one row, into a table whose key is a number which
 * the engine chooses; *number gets it. */
enum status db_insert(struct db *db, int64_t *number, const char *sql,
                      const struct db_value *values, size_t count);
#define DB_INSERT(db, number, sql, ...)                                                    \
    db_insert((db), (number), (sql), (const struct db_value[]){__VA_ARGS__},               \
              sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value))

/* Runs SQL text of one or more statements without parameters, which is used once. */
enum status db_script(struct db *db, const char *sql);

/* Lets all statements until db_read_end see one state of the database. Keep it short.
 * STATUS_UNAVAILABLE: the database, or a file that belongs to it, was removed or replaced
 * since db_open; close this connection and open it again. */
enum status db_read_begin(struct db *db);
void db_read_end(struct db *db);

/*
 * For a connection whose user reads, in the same transaction, every row that it refers to:
 * switches off the engine's own check of references, which would read them again, and lets
 * the connection remember facts. Call it after db_open, outside of a transaction.
 */
void db_trust_references(struct db *db);

/*
 * For a connection that is going to write much: uses more memory, 128 MiB for pages and
 * what a transaction changes. alone: no service uses the database, so that upkeep may be
 * rare and take its time. Any number of times.
 */
void db_write_much(struct db *db, bool alone);

/*
 * Facts that this connection has read or written, so that it need not read them again. They
 * are known until another connection commits, a transaction of this one is rolled back, or
 * db_forget is called. To be used inside a writing transaction only; whoever changes what a
 * fact says remembers the new one, or calls db_forget. Only a connection after
 * db_trust_references remembers, as far as it has memory. kind identifies the facts; there
 * are at most FACT_KINDS_MAX.
 */
bool db_recall(struct db *db, const struct fact_kind *kind, const void *key, void *value);
void db_remember(struct db *db, const struct fact_kind *kind, const void *key,
                 const void *value);
void db_forget(struct db *db);

/*
 * Waits at most timeout_ms until no other connection writes, and begins a transaction.
 * On failure nothing has begun: STATUS_BUSY (try again), STATUS_UNAVAILABLE (as for
 * db_read_begin, or the database cannot be written), STATUS_IO.
 */
enum status db_write_begin(struct db *db, int timeout_ms);

/*
 * Commits, and lets others write.
 * STATUS_OK: the change is durable, in files that the next start finds. STATUS_UNKNOWN: it
 * is open whether the change will be found later; close this connection and report that.
 * Any other status: the change is certainly not stored.
 */
enum status db_write_commit(struct db *db);

/* Undoes everything since db_write_begin, and lets others write. */
void db_write_rollback(struct db *db);

/* Inside a writing transaction: whether another connection has committed since the last
 * commit of this one. True where that is not known. */
bool db_others_wrote(const struct db *db);

/* False once an error made the engine roll back the whole writing transaction. */
bool db_in_transaction(const struct db *db);

/* The schema's identification in a database. SQLite has it in the header of the file. */
struct db_stamp {
    int application; /* the number of the program that the database belongs to; 0: none */
    int version;     /* of the schema; 0: none */
    bool has_tables; /* or other parts of a schema, also of other programs */
};

/* Reads the stamp; in a transaction, as that sees it. On failure *stamp is all zero. */
enum status db_stamp_read(struct db *db, struct db_stamp *stamp);

/* Stamps the database, within a writing transaction. */
enum status db_stamp_write(struct db *db, int application, int version);

/*
 * Checks, for a connection that writes, that the next start will find what was stored; call
 * it about once a second, also while nothing is written. STATUS_UNAVAILABLE: as for
 * db_read_begin, and db_message says which file it was. STATUS_BUSY: the same, but another
 * connection writes; ask again. SQLite: the changes in a WAL that was removed are saved in
 * the database file first.
 */
enum status db_guard(struct db *db);

/* What db_tidy has done. */
enum db_upkeep {
    DB_UPKEEP_NONE,    /* nothing was to be done, or another connection writes */
    DB_UPKEEP_PARTIAL, /* some is left, because readers were in the way or it failed */
    DB_UPKEEP_COMPLETE,
};

/*
 * Does upkeep that commits have left behind and that can wait until their callers have been
 * answered. Takes little time, and does nothing while another connection writes.
 * SQLite: a checkpoint, when the WAL has grown enough.
 */
enum db_upkeep db_tidy(struct db *db);

/* The version of the engine, a constant such as "3.40.1". */
const char *db_engine_version(void);

/*
 * Finishes all upkeep where no other connection is in the way; otherwise does nothing.
 * For a program that ends. SQLite: empties the WAL into the database file, which is then
 * complete by itself.
 */
void db_finish(struct db *db);

/*
 * Removes what was deleted from the files of the database, where it may stand on in unused
 * places. Others go on to read and write meanwhile. Outside of a transaction. Takes as long
 * as reading the file, and again as long for what is removed. STATUS_BUSY with why: others
 * have been in the way for timeout_ms. STATUS_INVALID: the database is damaged.
 */
enum status db_scrub(struct db *db, int timeout_ms, struct problem *why);

/* The size of the database. */
struct db_sizes {
    int64_t data_bytes;
    int64_t log_bytes; /* of committed changes that are not in the data yet: the WAL */
};

enum status db_sizes(struct db *db, struct db_sizes *out);

/* Verifies the whole database; STATUS_INVALID with the first complaint in why. Takes long
 * for a large one. */
enum status db_check(struct db *db, struct problem *why);

/* Judges a copy that no other program uses; a failure comes with a sentence in why. */
typedef enum status db_copy_check(struct db *copy, struct problem *why);

/*
 * Writes a consistent copy to the file destination; STATUS_CANT_CREATE where a file of that
 * name exists. The copy gets its name when it is complete, verified by db_check and check
 * (NULL: by db_check only), and durable, has mode 0600, and can take the database's place.
 * Writers are not held up. Until then the file is called destination.PID.partial; a process
 * that is killed leaves it, and perhaps what the engine has made beside it.
 */
enum status db_backup(struct db *db, const char *destination, db_copy_check *check,
                      struct problem *why);

/* How the names of unfinished copies end. */
#define DB_UNFINISHED ".partial"

/* Whether the regular file fd is as long as the database in it says. False for a file that
 * was copied in part, and for what is no database. */
bool db_copy_is_whole(int fd);

#endif
