#include "lib/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MODE_TIMEOUT_MS = 30000, /* for the lock under which the journal mode is set */
    WAL_KEEP_BYTES = 32 * 1024 * 1024, /* what a WAL shrinks to after growing */
    VALUE_MAX_BYTES = 64 * 1024 * 1024,
    CACHE_KIB = 8192,
    PAGE_BYTES = 2048, /* of a new database; most pages of a commit change a little */
};

static void (*report_trouble)(int code, const char *message);
static struct db *open_here; /* the connections of this process */
static bool reads_as_memory;

static void on_sqlite_log(void *unused, int code, const char *message)
{
    (void)unused;
    /* notices report normal events, such as the recovery of a WAL */
    if (report_trouble != NULL && code != SQLITE_SCHEMA && (code & 0xff) != SQLITE_NOTICE)
        report_trouble(code, message);
}

enum status db_init(void (*report)(int code, const char *message))
{
    report_trouble = report;
    if (sqlite3_config(SQLITE_CONFIG_LOG, on_sqlite_log, NULL) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_URI, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) != SQLITE_OK ||
        sqlite3_config(SQLITE_CONFIG_SINGLETHREAD) != SQLITE_OK ||
        sqlite_add_vfs() != SQLITE_OK || sqlite_add_mapping_vfs() != SQLITE_OK)
        return STATUS_INTERNAL;
    return STATUS_OK;
}

void db_read_as_memory(void)
{
    reads_as_memory = true;
}

/* The answer of a pragma that gives one text, compared with what is wanted. */
bool sqlite_answers(struct db *db, const char *sql, const char *wanted)
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

/* Keeps -wal and -shm when the last writer closes: a reader that may not write in the
 * directory could not make them. */
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
    code = sqlite_exec(db, sql);
    if (code != SQLITE_OK)
        return code;
    if (mode == DB_READ) {
        code = sqlite_exec(db, "PRAGMA query_only=ON");
        return code == SQLITE_OK ? sqlite_use_map(db) : code;
    }
    keep_wal_file(db);
    /* the WAL is written by commits alone: see sqlite_vfs.c, which DB_ALONE does not use */
    (void)snprintf(sql, sizeof sql,
                   "PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON;"
                   "PRAGMA secure_delete=ON;"
                   "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%d;"
                   "PRAGMA cache_spill=%s",
                   WAL_KEEP_BYTES, mode == DB_ALONE ? "ON" : "OFF");
    code = sqlite_exec(db, sql);
    if (code == SQLITE_OK && mode != DB_WRITE) {
        (void)snprintf(sql, sizeof sql, "PRAGMA page_size=%d", PAGE_BYTES);
        code = sqlite_exec(db, sql);
    }
    sqlite_count_wal_bytes(db);
    return code;
}

static enum status require_wal(struct db *db, const char *path, enum db_mode mode,
                               struct problem *why)
{
    bool may_set = mode == DB_CREATE || mode == DB_ALONE;
    const char *ask = may_set ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode";

    if (!sqlite_answers(db, ask, "wal")) {
        int code = sqlite3_errcode(db->handle);
        if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
            return problem_set(why, STATUS_UNAVAILABLE, "%s is not an SQLite database",
                               path);
        if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE)
            return problem_set(why, sqlite_status(sqlite3_extended_errcode(db->handle)),
                               "cannot read the database %s: %s", path, db_message(db));
        if (may_set)
            return problem_set(why, STATUS_UNAVAILABLE,
                               "%s cannot be set to WAL mode: its file system must be a "
                               "local one",
                               path);
        return problem_set(why, STATUS_SCHEMA, "%s is not in WAL mode", path);
    }
    if (mode != DB_READ && !sqlite_answers(db, "PRAGMA synchronous", "2"))
        return problem_set(why, STATUS_INTERNAL, "synchronous=FULL was not accepted");
    return STATUS_OK;
}

enum status sqlite_open_lock(struct lock **out, const char *path, struct problem *why)
{
    size_t size = strlen(path) + sizeof ".lock";
    char *lock_path = malloc(size);

    if (lock_path == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    (void)snprintf(lock_path, size, "%s.lock", path);
    enum status status = lock_open(out, lock_path, path, why);
    free(lock_path);
    return status;
}

/* A read makes -wal and, where it is used, -shm. */
static enum status make_wal(struct db *db)
{
    return sqlite_status(sqlite_exec(db, "PRAGMA schema_version"));
}

/* Under the lock, because SQLite fails at once, whatever the timeout, when two connections
 * change the journal mode at the same time. */
static enum status set_wal_mode(struct db *db, const char *path, struct problem *why)
{
    enum status status = sqlite_open_lock(&db->lock, path, why);

    if (status != STATUS_OK)
        return status;
    status = lock_take(db->lock, MODE_TIMEOUT_MS);
    if (status != STATUS_OK)
        return problem_set(why, status, "another program is writing to %s: try again",
                           path);
    status = require_wal(db, path, DB_CREATE, why);
    if (status == STATUS_OK)
        status = make_wal(db);
    lock_release(db->lock);
    return status;
}

/* SQLite would make a new file without permissions for the group. An existing file is not
 * opened, because closing it would drop the locks that SQLite holds on it in this
 * process. */
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

static enum status become_alone(struct db *db, const char *path, struct problem *why)
{
    enum status status = sqlite_require_unused(path, why);

    if (status == STATUS_OK)
        status = make_file(path, why);
    return status == STATUS_OK ? db_alone_begin(&db->alone, path, why) : status;
}

static int open_handle(struct db *db, const char *path, enum db_mode mode)
{
    static const int flags[] = {
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_WRITE] = SQLITE_OPEN_READWRITE,
        [DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };

    return mode == DB_ALONE
               ? sqlite_open_alone(&db->handle, path)
               : sqlite3_open_v2(path, &db->handle, flags[mode] | SQLITE_OPEN_NOMUTEX,
                                 mode == DB_READ ? SQLITE_MAPPING_VFS
                                                 : SQLITE_GATHERING_VFS);
}

/* The only user finds out by itself whether others use the database. */
static enum status wait_for_wal(const struct db *db, struct problem *why)
{
    return db->alone == NULL ? sqlite_await_files(db, open_here, why) : STATUS_OK;
}

static enum status open_and_configure(struct db *db, const char *path, enum db_mode mode,
                                      struct problem *why)
{
    enum status status = wait_for_wal(db, why);

    if (status != STATUS_OK)
        return status;
    if (reads_as_memory && mode == DB_READ && open_here == NULL)
        db->map = sqlite_map_file(path);
    int code = open_handle(db, path, mode);
    if (db->handle != NULL) {
        db->next = open_here;
        open_here = db;
    }
    if (code == SQLITE_OK) {
        make_defensive(db);
        code = configure(db, mode);
    }
    if (code == SQLITE_NOTADB)
        return problem_set(why, STATUS_UNAVAILABLE, "%s is not an SQLite database", path);
    if (code == SQLITE_IOERR_SHORT_READ)
        return problem_set(why, STATUS_IO,
                           "cannot read the database %s: its -wal is incomplete: was it "
                           "removed or replaced?",
                           path);
    if (code != SQLITE_OK)
        return problem_set(why, sqlite_status(code), "cannot open the database %s: %s",
                           path,
                           db->handle != NULL ? db_message(db) : sqlite3_errstr(code));
    if (mode == DB_CREATE)
        return set_wal_mode(db, path, why);
    status = require_wal(db, path, mode, why);
    if (status == STATUS_OK && mode == DB_WRITE)
        status = sqlite_open_lock(&db->lock, path, why);
    if (status == STATUS_OK && mode == DB_ALONE)
        status = make_wal(db);
    return status;
}

enum status db_open(struct db **out, const char *path, enum db_mode mode,
                    struct problem *why)
{
    bool may_make = mode == DB_CREATE || mode == DB_ALONE;

    *out = NULL;
    if (!may_make && access(path, F_OK) != 0)
        return problem_set(why, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE,
                           "cannot find the database %s: %s", path, strerror(errno));
    /* SQLite's own message would only be "unable to open database file" */
    if (access(path, mode == DB_READ ? R_OK : R_OK | W_OK) != 0 && errno == EACCES)
        return problem_set(why, STATUS_UNAVAILABLE,
                           "cannot open the database %s: permission denied: it must belong "
                           "to the owner of its directory; run this as that user or as "
                           "root",
                           path);
    struct db *db = calloc(1, sizeof *db);
    if (db == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    enum status status = mode == DB_ALONE    ? become_alone(db, path, why)
                         : mode == DB_CREATE ? make_file(path, why)
                                             : STATUS_OK;
    if (status == STATUS_OK && sqlite_name_files(db, path, mode) != STATUS_OK)
        status = problem_set(why, STATUS_NO_MEMORY, "out of memory");
    if (status == STATUS_OK)
        status = open_and_configure(db, path, mode, why);
    if (status == STATUS_OK && !sqlite_adopt_files(db))
        status =
            problem_set(why, STATUS_UNAVAILABLE, "%s was just replaced: try again", path);
    if (status != STATUS_OK) {
        db_close(db);
        return status;
    }
    *out = db;
    return STATUS_OK;
}

static void forget(const struct db *db)
{
    struct db **link = &open_here;

    while (*link != NULL && *link != db)
        link = &(*link)->next;
    if (*link != NULL)
        *link = db->next;
}

void db_close(struct db *db)
{
    if (db == NULL)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(db->statements[i].statement);
    forget(db);
    sqlite_drop_facts(db);
    sqlite3_close(db->handle);
    sqlite_unmap_file(db->map);
    lock_close(db->lock);
    db_alone_end(db->alone);
    sqlite_forget_files(db);
    free(db);
}

const char *db_message(const struct db *db)
{
    return db->failure[0] != '\0' ? db->failure : sqlite3_errmsg(db->handle);
}
