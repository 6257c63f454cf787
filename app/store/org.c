#include "app/store/org.h"

#define COLUMNS "org_id, name, created_at"

static const char add[] = "INSERT INTO orgs (" COLUMNS ") VALUES (?1, ?2, ?3)";
static const char find[] = "SELECT " COLUMNS " FROM orgs WHERE org_id = ?1";
static const char list[] = "SELECT " COLUMNS " FROM orgs ORDER BY org_id";

static struct org read_row(const struct db_rows *rows)
{
    struct org org = {.name = db_text(rows, 1), .created_at_ms = db_int(rows, 2)};

    (void)db_blob(rows, 0, org.id.bytes, UUID_BYTES);
    return org;
}

enum status org_add(struct db *db, const struct org *org)
{
    return DB_RUN(db, NULL, add, DB_BLOB(org->id.bytes, UUID_BYTES), DB_TEXT(org->name),
                  DB_INT(org->created_at_ms));
}

enum status org_find(struct db *db, const struct uuid *id, org_each *each, void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find, DB_BLOB(id->bytes, UUID_BYTES));

    if (status == STATUS_OK && each != NULL) {
        struct org org = read_row(&rows);
        status = each(arg, &org);
    }
    db_done(&rows);
    return status;
}

enum status org_list(struct db *db, org_each *each, void *arg)
{
    struct db_rows rows;
    enum status status = db_query(db, &rows, list, NULL, 0);

    while (status == STATUS_OK) {
        struct org org = read_row(&rows);
        status = each(arg, &org);
        if (status == STATUS_OK)
            status = db_next(&rows);
    }
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
