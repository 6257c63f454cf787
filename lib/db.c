#include "lib/db.h"

#include <string.h>

struct db_value db_text_or_null(struct span text)
{
    return text.len == 0 ? DB_NULL : DB_TEXT(text);
}

struct db_value db_blob_or_null(const void *data, size_t size)
{
    return size == 0 ? DB_NULL : DB_BLOB(data, size);
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

enum status db_keep_int(void *arg, const struct db_rows *row)
{
    *(int64_t *)arg = db_int(row, 0);
    return STATUS_OK;
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
