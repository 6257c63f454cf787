#include "app/store/org.h"

#include "app/store/page.h"

#define COLUMNS "org_id, name, created_at"

static const char add[] = "INSERT INTO orgs (" COLUMNS ") VALUES (?1, ?2, ?3)";
static const char find[] = "SELECT " COLUMNS " FROM orgs WHERE org_id = ?1";
static const char rename_org[] =
    "UPDATE orgs SET name = ?2 WHERE org_id = ?1 AND name <> ?2";
static const char list[] = "SELECT " COLUMNS " FROM orgs WHERE org_id > ?1 ORDER BY org_id";

/* The callback that gets the rows of a statement. */
struct reader {
    org_each *each; /* NULL: only look */
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct org org = {.name = db_text(rows, 1), .created_at_ms = db_int(rows, 2)};

    (void)db_blob(rows, 0, org.id.bytes, UUID_BYTES);
    return reader->each != NULL ? reader->each(reader->arg, &org) : STATUS_OK;
}

enum status org_add(struct db *db, const struct org *org)
{
    return DB_RUN(db, NULL, add, DB_BLOB(org->id.bytes, UUID_BYTES), DB_TEXT(org->name),
                  DB_INT(org->created_at_ms));
}

enum status org_find(struct db *db, const struct uuid *id, org_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, find, DB_BLOB(id->bytes, UUID_BYTES));
}

enum status org_list(struct db *db, const struct uuid *after, org_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_row, &reader, list, page_after(after));
}

enum status org_rename(struct db *db, bool *changed, const struct uuid *id,
                       struct span name)
{
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, rename_org, DB_BLOB(id->bytes, UUID_BYTES), DB_TEXT(name));

    *changed = rows > 0;
    return status;
}
