#include "app/store/member.h"

#include "app/store/page.h"

#define COLUMNS "member_id, org_id, name, email, active, created_at, erased_at"

static const char add[] =
    "INSERT INTO members (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL)";
static const char find[] = "SELECT " COLUMNS " FROM members WHERE member_id = ?1";
static const char list[] =
    "SELECT " COLUMNS " FROM members WHERE org_id = ?1 AND member_id > ?2"
    " ORDER BY member_id";
static const char set_active[] =
    "UPDATE members SET active = ?2 WHERE member_id = ?1 AND active <> ?2";

static const char update[] =
    "UPDATE members SET name = coalesce(?2, name), email = iif(?3, ?4, email)"
    " WHERE member_id = ?1 AND (name <> ?2 OR (?3 AND email IS NOT ?4))";

/* The callback that gets the rows of a statement. */
struct reader {
    member_each *each; /* NULL: only look */
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct member member = {
        .name = db_text(rows, 2),
        .email = db_text(rows, 3),
        .active = db_int(rows, 4) != 0,
        .created_at_ms = db_int(rows, 5),
        .erased_at_ms = db_int(rows, 6),
    };

    (void)db_blob(rows, 0, member.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, member.org_id.bytes, UUID_BYTES);
    return reader->each != NULL ? reader->each(reader->arg, &member) : STATUS_OK;
}

enum status member_add(struct db *db, const struct member *member)
{
    return DB_RUN(db, NULL, add, DB_BLOB(member->id.bytes, UUID_BYTES),
                  DB_BLOB(member->org_id.bytes, UUID_BYTES), DB_TEXT(member->name),
                  db_text_or_null(member->email), DB_INT(member->active),
                  DB_INT(member->created_at_ms));
}

enum status member_find(struct db *db, const struct uuid *id, member_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, find, DB_BLOB(id->bytes, UUID_BYTES));
}

enum status member_list(struct db *db, const struct uuid *org_id, const struct uuid *after,
                        member_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_row, &reader, list, DB_BLOB(org_id->bytes, UUID_BYTES),
                   page_after(after));
}

enum status member_set_active(struct db *db, bool *changed, const struct uuid *id,
                              bool active)
{
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, set_active, DB_BLOB(id->bytes, UUID_BYTES), DB_INT(active));

    *changed = rows > 0;
    return status;
}

enum status member_update(struct db *db, bool *changed, const struct uuid *id,
                          const struct member_edit *edit)
{
    const struct span none = {NULL, 0};
    int rows = 0;
    enum status status = DB_RUN(db, &rows, update, DB_BLOB(id->bytes, UUID_BYTES),
                                db_text_or_null(edit->name != NULL ? *edit->name : none),
                                DB_INT(edit->email != NULL),
                                db_text_or_null(edit->email != NULL ? *edit->email : none));

    *changed = rows > 0;
    return status;
}
