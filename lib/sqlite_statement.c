#include "lib/sqlite.h"

#include <assert.h>
#include <stdlib.h>

enum status sqlite_status(int code)
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

/* Of a function that may have read the database. */
static enum status status_of(struct db *db, int code)
{
    return sqlite_lost_file(db) ? STATUS_IO : sqlite_status(code);
}

int sqlite_exec(struct db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}

/* The place in the hash table that has this text, or the free one where it belongs. */
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

enum status db_query(struct db *db, struct db_rows *rows, const char *sql,
                     const struct db_value *values, size_t count)
{
    sqlite3_stmt *statement = NULL;
    int code = prepare(db, &statement, sql);

    *rows = (struct db_rows){.db = db, .statement = NULL};
    if (code != SQLITE_OK)
        return status_of(db, code);
    rows->statement = statement;
    code = bind(statement, values, count);
    if (code != SQLITE_OK) {
        db_done(rows);
        return sqlite_status(code);
    }
    return db_next(rows);
}

enum status db_next(struct db_rows *rows)
{
    enum status status = status_of(rows->db, sqlite3_step(rows->statement));

    if (status != STATUS_OK)
        db_done(rows);
    return status;
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

enum status db_insert(struct db *db, int64_t *number, const char *sql,
                      const struct db_value *values, size_t count)
{
    enum status status = db_run(db, NULL, sql, values, count);

    *number = sqlite3_last_insert_rowid(db->handle);
    return status;
}

enum status db_script(struct db *db, const char *sql)
{
    return sqlite_status(sqlite_exec(db, sql));
}

enum status sqlite_run(struct db *db, const char *sql)
{
    return db_run(db, NULL, sql, NULL, 0);
}
