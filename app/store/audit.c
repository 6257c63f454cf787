#include "app/store/audit.h"

#include "app/store/page.h"

static const char add[] =
    "INSERT INTO audit (audit_id, at, actor, action, org_id, subject, detail)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

#define LIST                                                                               \
    "SELECT audit_id, at, actor, action, org_id, subject, detail FROM audit"               \
    " WHERE (at, audit_id) > (?1, ?2)"
#define ORDER " ORDER BY at, audit_id"
static const char list_all[] = LIST ORDER;
static const char list_of_org[] = LIST " AND org_id = ?3" ORDER;
static const char get_time[] = "SELECT at FROM audit WHERE audit_id = ?1";

static struct db_value id_or_null(const struct uuid *id)
{
    return id == NULL ? DB_NULL : DB_BLOB(id->bytes, UUID_BYTES);
}

enum status audit_add(struct db *db, const struct audit *audit)
{
    return DB_RUN(db, NULL, add, DB_BLOB(audit->id.bytes, UUID_BYTES), DB_INT(audit->at_ms),
                  DB_TEXT(audit->actor), DB_TEXT(audit->action), id_or_null(audit->org_id),
                  id_or_null(audit->subject), DB_TEXT(audit->detail));
}

/* NULL where the column holds no id. */
static const struct uuid *read_id(struct uuid *out, const struct db_rows *rows, int column)
{
    return db_blob(rows, column, out->bytes, UUID_BYTES) ? out : NULL;
}

/* The callback that gets the rows of a statement. */
struct reader {
    audit_each *each;
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct uuid org_id, subject;
    struct audit audit = {
        .at_ms = db_int(rows, 1),
        .actor = db_text(rows, 2),
        .action = db_text(rows, 3),
        .org_id = read_id(&org_id, rows, 4),
        .subject = read_id(&subject, rows, 5),
        .detail = db_text(rows, 6),
    };

    (void)db_blob(rows, 0, audit.id.bytes, UUID_BYTES);
    return reader->each(reader->arg, &audit);
}

static enum status keep_time(void *arg, const struct db_rows *rows)
{
    *(int64_t *)arg = db_int(rows, 0);
    return STATUS_OK;
}

enum status audit_list(struct db *db, const struct audit_filter *filter,
                       const struct uuid *after, audit_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};
    int64_t after_ms = filter->since_ms;
    enum status status = after == NULL ? STATUS_OK
                                       : DB_FIRST(db, keep_time, &after_ms, get_time,
                                                  DB_BLOB(after->bytes, UUID_BYTES));

    if (status != STATUS_OK)
        return status;
    if (after_ms < filter->since_ms) {
        after_ms = filter->since_ms;
        after = NULL;
    }
    if (filter->org_id == NULL)
        return DB_EACH(db, give_row, &reader, list_all, DB_INT(after_ms),
                       page_after(after));
    return DB_EACH(db, give_row, &reader, list_of_org, DB_INT(after_ms), page_after(after),
                   DB_BLOB(filter->org_id->bytes, UUID_BYTES));
}
