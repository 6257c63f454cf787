#include "lib/db.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/lock.h"

enum {
    STATEMENTS_MAX = 128, /* a power of two, over twice the number of statements */
    BUSY_TIMEOUT_MS = 2000,
    MODE_TIMEOUT_MS = 30000,
    CHECKPOINT_PAGES = 1000, /* of 4 KiB; more at once makes those who wait wait longer */
    WAL_MAX_PAGES = 8000, /* beyond it, wait for readers so that the WAL can start anew */
    RESTART_WAIT_MS = 200,
    RESTART_PAUSE_MIN_MS = 100,   /* after one that a reader did not let through; */
    RESTART_PAUSE_MAX_MS = 10000, /* twice as long each time, for he may be one who stays */
    WAL_KEEP_BYTES = 32 * 1024 * 1024, /* what a WAL shrinks to after growing */
    VALUE_MAX_BYTES = 64 * 1024 * 1024,
    CACHE_KIB = 8192,
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

static void (*report_trouble)(int code, const char *message);

static void on_sqlite_log(void *unused, int code, const char *message)
{
    (void)unused;
    /* notices tell of normal events, such as a WAL that was found */
    if (report_trouble != NULL && code != SQLITE_SCHEMA && (code & 0xff) != SQLITE_NOTICE)
        report_trouble(code, message);
}

enum status db_init(void (*report)(int code, const char *message))
{
    report_trouble = report;
    if (sqlite3_config(SQLITE_CONFIG_LOG, on_sqlite_log, NULL) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_URI, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK)
        return STATUS_INTERNAL;
    return STATUS_OK;
}

static enum status status_of(int code)
{
    static const struct {
        int code;
        enum status status;
    } table[] = {
        {SQLITE_OK, STATUS_OK},
        {SQLITE_DONE, STATUS_NOT_FOUND},
        {SQLITE_ROW, STATUS_OK},
        {SQLITE_BUSY, STATUS_BUSY},
        {SQLITE_LOCKED, STATUS_BUSY},
        {SQLITE_PROTOCOL, STATUS_BUSY},
        {SQLITE_CONSTRAINT, STATUS_INVALID},
        {SQLITE_MISMATCH, STATUS_INVALID},
        {SQLITE_TOOBIG, STATUS_TOO_LARGE},
        {SQLITE_NOMEM, STATUS_NO_MEMORY},
        {SQLITE_IOERR, STATUS_IO},
        {SQLITE_FULL, STATUS_UNAVAILABLE},
        {SQLITE_CANTOPEN, STATUS_UNAVAILABLE},
        {SQLITE_PERM, STATUS_UNAVAILABLE},
        {SQLITE_AUTH, STATUS_UNAVAILABLE},
        {SQLITE_READONLY, STATUS_UNAVAILABLE},
        {SQLITE_CORRUPT, STATUS_UNAVAILABLE},
        {SQLITE_NOTADB, STATUS_UNAVAILABLE},
    };

    if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY ||
        code == SQLITE_CONSTRAINT_ROWID)
        return STATUS_EXISTS;
    if (code == SQLITE_READONLY_RECOVERY || code == SQLITE_READONLY_CANTINIT)
        return STATUS_BUSY;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].code == (code & 0xff))
            return table[i].status;
    return STATUS_INTERNAL;
}

static int count_wal_pages(void *arg, sqlite3 *handle, const char *name, int pages)
{
    struct db *db = arg;

    (void)handle;
    (void)name;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static int exec(struct db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* The answer of a pragma that gives one text, compared with what is wanted. */
static bool pragma_answers(struct db *db, const char *sql, const char *wanted)
{
    sqlite3_stmt *statement = NULL;
    bool same = false;

    if (sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        const unsigned char *text = sqlite3_column_text(statement, 0);
        same = text != NULL && strcmp((const char *)text, wanted) == 0;
    }
    sqlite3_finalize(statement);
    return same;
}

static void make_defensive(struct db *db)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    sqlite3_limit(db->handle, SQLITE_LIMIT_LENGTH, VALUE_MAX_BYTES);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

/* Readers of other processes need -wal and -shm to stay when the last writer leaves. */
static void keep_wal_file(struct db *db)
{
    int on = 1;

    (void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

static int configure(struct db *db, enum db_mode mode)
{
    char sql[256];
    int code;

    (void)snprintf(sql, sizeof sql,
                   "PRAGMA cache_size=-%d; PRAGMA mmap_size=0;"
                   "PRAGMA temp_store=MEMORY;",
                   CACHE_KIB);
    code = exec(db, sql);
    if (code != SQLITE_OK)
        return code;
    if (mode == DB_READ)
        return exec(db, "PRAGMA query_only=ON");
    keep_wal_file(db);
    (void)snprintf(sql, sizeof sql,
                   "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
                   "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%d;",
                   WAL_KEEP_BYTES);
    code = exec(db, sql);
    sqlite3_wal_hook(db->handle, count_wal_pages, db);
    return code;
}

static enum status require_wal(struct db *db, const char *path, enum db_mode mode,
                               struct problem *why)
{
    const char *ask = mode == DB_CREATE ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode";

    if (!pragma_answers(db, ask, "wal")) {
        int code = sqlite3_errcode(db->handle);
        if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
            return problem_set(why, STATUS_UNAVAILABLE, "%s is not an SQLite database",
                               path);
        if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
            return problem_set(why, status_of(sqlite3_extended_errcode(db->handle)),
                               "cannot read the database %s: %s", path, db_message(db));
        return problem_set(why, STATUS_UNAVAILABLE,
                           "%s is not in WAL mode; its file system must be a local one",
                           path);
    }
    if (mode != DB_READ && !pragma_answers(db, "PRAGMA synchronous", "2"))
        return problem_set(why, STATUS_INTERNAL, "synchronous=FULL was not accepted");
    return STATUS_OK;
}

static enum status open_lock(struct db *db, const char *path, struct problem *why)
{
    size_t size = strlen(path) + sizeof ".lock";
    char *lock_path = malloc(size);

    if (lock_path == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    (void)snprintf(lock_path, size, "%s.lock", path);
    enum status status = lock_open(&db->lock, lock_path, path, why);
    free(lock_path);
    return status;
}

/* SQLite does not wait when several programs want to change the mode at once. */
static enum status set_wal_mode(struct db *db, const char *path, struct problem *why)
{
    enum status status = open_lock(db, path, why);

    if (status != STATUS_OK)
        return status;
    status = lock_take(db->lock, MODE_TIMEOUT_MS);
    if (status != STATUS_OK)
        return problem_set(why, status, "somebody else is writing to %s: try again", path);
    status = require_wal(db, path, DB_CREATE, why);
    lock_release(db->lock);
    return status;
}

/* SQLite would leave out the group. A file that is there is not opened: closing it would
 * drop what locks of SQLite this process holds. */
static enum status make_file(const char *path, struct problem *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);

    if (fd < 0 && errno == EEXIST)
        return STATUS_OK;
    if (fd < 0 || close(fd) != 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot make the database %s: %s", path,
                           strerror(errno));
    return STATUS_OK;
}

static enum status open_and_configure(struct db *db, const char *path, enum db_mode mode,
                                      struct problem *why)
{
    static const int flags[] = {
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_WRITE] = SQLITE_OPEN_READWRITE,
        [DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    int code = sqlite3_open_v2(path, &db->handle, flags[mode] | SQLITE_OPEN_NOMUTEX, NULL);

    if (code == SQLITE_OK) {
        make_defensive(db);
        code = configure(db, mode);
    }
    if (code == SQLITE_NOTADB)
        return problem_set(why, STATUS_UNAVAILABLE, "%s is not an SQLite database", path);
    if (code != SQLITE_OK)
        return problem_set(why, status_of(code), "cannot open the database %s: %s", path,
                           db->handle != NULL ? db_message(db) : sqlite3_errstr(code));
    if (mode == DB_CREATE)
        return set_wal_mode(db, path, why);
    enum status status = require_wal(db, path, mode, why);
    if (status == STATUS_OK && mode == DB_WRITE)
        status = open_lock(db, path, why);
    return status;
}

static enum status remember_file(struct db *db, const char *path, struct problem *why)
{
    struct stat info;

    db->path = strdup(path);
    if (db->path == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    if (stat(path, &info) != 0)
        return problem_set(why, STATUS_UNAVAILABLE, "cannot find the database %s: %s", path,
                           strerror(errno));
    db->dev = info.st_dev;
    db->ino = info.st_ino;
    return STATUS_OK;
}

enum status db_open(struct db **out, const char *path, enum db_mode mode,
                    struct problem *why)
{
    *out = NULL;
    if (mode != DB_CREATE && access(path, F_OK) != 0)
        return problem_set(why, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE,
                           "cannot find the database %s: %s", path, strerror(errno));
    /* SQLite would only say that it is unable to open the file */
    if (access(path, mode == DB_READ ? R_OK : R_OK | W_OK) != 0 && errno == EACCES)
        return problem_set(why, STATUS_UNAVAILABLE,
                           "cannot open the database %s: permission denied: run this as "
                           "root or as the file's owner",
                           path);
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    enum status status = mode == DB_CREATE ? make_file(path, why) : STATUS_OK;
    if (status == STATUS_OK)
        status = remember_file(db, path, why);
    if (status == STATUS_OK)
        status = open_and_configure(db, path, mode, why);
    if (status != STATUS_OK) {
        db_close(db);
        return status;
    }
    *out = db;
    return STATUS_OK;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(db->statements[i].statement);
    sqlite3_close(db->handle);
    lock_close(db->lock);
    free(db->path);
    free(db);
}

const char *db_message(const struct db *db)
{
    return sqlite3_errmsg(db->handle);
}

/* The place of this text, or the free place where it belongs. */
static struct prepared *find_place(struct db *db, const char *sql)
{
    size_t start = (size_t)((uintptr_t)sql * UINT64_C(0x9E3779B97F4A7C15) >> 57);

    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct prepared *place = &db->statements[(start + i) % STATEMENTS_MAX];
        if (place->sql == sql || place->sql == NULL)
            return place;
    }
    assert(!"more statements than places: raise STATEMENTS_MAX");
    abort();
}

static int prepare(struct db *db, sqlite3_stmt **out, const char *sql)
{
    struct prepared *place = find_place(db, sql);

    if (place->sql == NULL) {
        int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &place->statement, NULL);
        if (code != SQLITE_OK)
            return code;
        place->sql = sql;
    }
    assert(!sqlite3_stmt_busy(place->statement));
    *out = place->statement;
    return SQLITE_OK;
}

static int bind(sqlite3_stmt *statement, const struct db_value *values, size_t count)
{
    int code = SQLITE_OK;

    assert((size_t)sqlite3_bind_parameter_count(statement) == count);
    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        const struct db_value *v = &values[i];
        const void *data = v->data != NULL ? v->data : "";
        int at = (int)i + 1;

        switch (v->type) {
        case DB_VALUE_NULL:
            code = sqlite3_bind_null(statement, at);
            break;
        case DB_VALUE_INT:
            code = sqlite3_bind_int64(statement, at, v->number);
            break;
        case DB_VALUE_TEXT:
            code = sqlite3_bind_text64(statement, at, data, v->len, SQLITE_STATIC,
                                       SQLITE_UTF8);
            break;
        case DB_VALUE_BLOB:
            code = sqlite3_bind_blob64(statement, at, data, v->len, SQLITE_STATIC);
            break;
        }
    }
    return code;
}

struct db_value db_text_or_null(struct span text)
{
    return text.len == 0 ? DB_NULL : DB_TEXT(text);
}

struct db_value db_blob_or_null(const void *data, size_t size)
{
    return size == 0 ? DB_NULL : DB_BLOB(data, size);
}

enum status db_query(struct db *db, struct db_rows *rows, const char *sql,
                     const struct db_value *values, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int code = prepare(db, &statement, sql);

    *rows = (struct db_rows){.db = db, .statement = NULL};
    if (code != SQLITE_OK)
        return status_of(code);
    rows->statement = statement;
    code = bind(statement, values, count);
    if (code != SQLITE_OK) {
        db_done(rows);
        return status_of(code);
    }
    return db_next(rows);
}

enum status db_next(struct db_rows *rows)
{
    int code = sqlite3_step(rows->statement);

    if (code != SQLITE_ROW)
        db_done(rows);
    return status_of(code);
}

void db_done(struct db_rows *rows)
{
    if (rows->statement == NULL)
        return;
    (void)sqlite3_reset(rows->statement);
    (void)sqlite3_clear_bindings(rows->statement);
    rows->statement = NULL;
}

bool db_is_null(const struct db_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t db_int(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(rows->statement, column);
}

struct span db_text(const struct db_rows *rows, int column)
{
    const unsigned char *text = sqlite3_column_text(rows->statement, column);

    return (struct span){(const char *)text,
                         (size_t)sqlite3_column_bytes(rows->statement, column)};
}

struct span db_bytes(const struct db_rows *rows, int column)
{
    const void *data = sqlite3_column_blob(rows->statement, column);

    return (struct span){data, (size_t)sqlite3_column_bytes(rows->statement, column)};
}

bool db_blob(const struct db_rows *rows, int column, void *out, size_t size)
{
    struct span bytes = db_bytes(rows, column);

    if (bytes.len != size) {
        memset(out, 0, size);
        return false;
    }
    memcpy(out, bytes.data, size);
    return true;
}

enum status db_each(struct db *db, const char *sql, const struct db_value *values,
                    size_t count, db_row_function *row_function, void *arg)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, sql, values, count);

    while (status == STATUS_OK) {
        status = row_function(arg, &rows);
        if (status == STATUS_OK)
            status = db_next(&rows);
    }
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status db_first(struct db *db, const char *sql, const struct db_value *values,
                     size_t count, db_row_function *row_function, void *arg)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, sql, values, count);

    if (status == STATUS_OK)
        status = row_function(arg, &rows);
    db_done(&rows);
    return status;
}

enum status db_run(struct db *db, int *changed, const char *sql,
                   const struct db_value *values, size_t count)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, sql, values, count);

    assert(status != STATUS_OK); /* it gave a row */
    db_done(&rows);
    if (status != STATUS_NOT_FOUND)
        return status;
    if (changed != NULL)
        *changed = sqlite3_changes(db->handle);
    return STATUS_OK;
}

enum status db_script(struct db *db, const char *sql)
{
    return status_of(exec(db, sql));
}

static enum status run_plain(struct db *db, const char *sql)
{
    return db_run(db, NULL, sql, NULL, 0);
}

/* True when the path names another file by now, or none: a backup was put in its place, or
 * it was removed. In WAL mode SQLite does not look, and what is written would be lost. When
 * asked it looks at the file to which a symbolic link led at first, and not at the link. */
static bool has_moved(const struct db *db)
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
    return has_moved(db) ? STATUS_UNAVAILABLE : run_plain(db, "BEGIN");
}

void db_read_end(struct db *db)
{
    if (db_in_transaction(db))
        (void)run_plain(db, "ROLLBACK");
}

enum status db_write_begin(struct db *db, int timeout_ms)
{
    assert(db->lock != NULL && !db_in_transaction(db));
    enum status status = lock_take(db->lock, timeout_ms);
    if (status != STATUS_OK)
        return status;
    status = has_moved(db) ? STATUS_UNAVAILABLE : run_plain(db, "BEGIN IMMEDIATE");
    if (status != STATUS_OK)
        lock_release(db->lock);
    return status;
}

static int longer_pause_ms(int pause_ms)
{
    pause_ms = pause_ms == 0 ? RESTART_PAUSE_MIN_MS : 2 * pause_ms;
    return pause_ms < RESTART_PAUSE_MAX_MS ? pause_ms : RESTART_PAUSE_MAX_MS;
}

/* Readers come and go all the time, so that there may always be one: this waits for those
 * who are there, while those who come read the database. One who stays, as a backup does,
 * must not make every commit wait. */
static void restart_wal(struct db *db)
{
    (void)sqlite3_busy_timeout(db->handle, RESTART_WAIT_MS);
    int code =
        sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    db->restart_pause_ms = code == SQLITE_OK ? 0 : longer_pause_ms(db->restart_pause_ms);
    db->restart_at_ms = clock_monotonic_ms() + db->restart_pause_ms;
}

/* After a full disk the commit frame was not written; after an I/O error it may have been. */
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
    enum status status = run_plain(db, "COMMIT");

    if (status != STATUS_OK)
        status = status_of_failed_commit(sqlite3_extended_errcode(db->handle));
    if (db_in_transaction(db))
        (void)run_plain(db, "ROLLBACK");
    lock_release(db->lock);
    return status;
}

void db_write_rollback(struct db *db)
{
    if (db_in_transaction(db))
        (void)run_plain(db, "ROLLBACK");
    lock_release(db->lock);
}

bool db_in_transaction(const struct db *db)
{
    return sqlite3_get_autocommit(db->handle) == 0;
}

enum status db_check(struct db *db, struct problem *why)
{
    static const char integrity[] = "PRAGMA integrity_check(1)";
    static const char references[] = "PRAGMA foreign_key_check";
    struct db_rows rows;
    enum status status = db_query(db, &rows, integrity, NULL, 0);

    if (status != STATUS_OK)
        return problem_set(why, status, "cannot check the database: %s", db_message(db));
    struct span answer = db_text(&rows, 0);
    bool sound = span_equals(answer, span_of("ok"));
    if (!sound)
        (void)problem_set(why, STATUS_INVALID, "the database is damaged: %.*s",
                          (int)answer.len, answer.data);
    db_done(&rows);
    if (!sound)
        return STATUS_INVALID;
    status = db_query(db, &rows, references, NULL, 0);
    if (status == STATUS_OK) {
        struct span table = db_text(&rows, 0);
        (void)problem_set(why, STATUS_INVALID,
                          "a row of table %.*s refers to a row that does not exist",
                          (int)table.len, table.data);
        db_done(&rows);
        return STATUS_INVALID;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK
                                      : problem_set(why, status, "%s", db_message(db));
}

/* What is copied back is gone from the WAL's front: the next commit starts it anew, unless a
 * reader still needs it. */
void db_checkpoint(struct db *db)
{
    if (db->wal_pages < CHECKPOINT_PAGES || lock_take(db->lock, 0) != STATUS_OK)
        return;
    if (db->wal_pages >= WAL_MAX_PAGES && clock_monotonic_ms() >= db->restart_at_ms)
        restart_wal(db);
    else
        (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
                                        NULL);
    lock_release(db->lock);
}

void db_settle(struct db *db)
{
    if (lock_take(db->lock, 0) != STATUS_OK)
        return;
    (void)sqlite3_busy_timeout(db->handle, 0);
    (void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                    NULL);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    lock_release(db->lock);
}

/* VACUUM INTO forgets WAL mode, without which db_open would refuse the copy. */
static enum status finish_copy(const char *path, struct problem *why)
{
    struct db copy = {.handle = NULL};
    enum status status = STATUS_IO;

    if (sqlite3_open_v2(path, &copy.handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        pragma_answers(&copy, "PRAGMA journal_mode=WAL", "wal"))
        status = db_check(&copy, why);
    else
        (void)problem_set(why, status, "cannot open the copy: %s", db_message(&copy));
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(copy.statements[i].statement);
    sqlite3_close(copy.handle);
    return status;
}

static enum status write_copy(struct db *db, const char *temporary, const char *path,
                              struct problem *why)
{
    static const char vacuum_into[] = "VACUUM INTO ?1";

    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || close(fd) != 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot make %s: %s", path,
                           strerror(errno));
    enum status status = DB_RUN(db, NULL, vacuum_into, DB_TEXT(span_of(temporary)));
    if (status != STATUS_OK)
        return problem_set(why, status, "cannot write the copy %s: %s", path,
                           db_message(db));
    status = finish_copy(temporary, why);
    if (status != STATUS_OK)
        return status;
    if (file_sync(temporary) != STATUS_OK)
        return problem_set(why, STATUS_IO, "cannot sync %s: %s", path, strerror(errno));
    /* link, unlike rename, never replaces a file that appeared meanwhile */
    if (link(temporary, path) != 0)
        return problem_set(why, STATUS_CANT_CREATE, "cannot make %s: %s", path,
                           strerror(errno));
    return file_sync_directory_of(path);
}

enum status db_backup(struct db *db, const char *path, struct problem *why)
{
    if (access(path, F_OK) == 0)
        return problem_set(why, STATUS_CANT_CREATE,
                           "%s exists already: choose another name", path);
    size_t size = strlen(path) + sizeof ".2147483647.tmp";
    char *temporary = malloc(size);
    if (temporary == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    (void)snprintf(temporary, size, "%s.%d.tmp", path, (int)getpid());
    enum status status = write_copy(db, temporary, path, why);
    (void)unlink(temporary);
    free(temporary);
    return status;
}
