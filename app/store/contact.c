#include "app/store/contact.h"

#define COLUMNS "contact_id, org_id, owner_id, name, email, phone, created_at, updated_at"

static const char add[] = "INSERT INTO contacts (" COLUMNS ")"
                          " SELECT ?1, org_id, member_id, ?4, ?5, ?6, ?7, ?8 FROM members"
                          " WHERE member_id = ?3 AND org_id = ?2 AND active = 1";
static const char find[] = "SELECT " COLUMNS " FROM contacts WHERE contact_id = ?1";
static const char list[] =
    "SELECT " COLUMNS " FROM contacts WHERE org_id = ?1 ORDER BY contact_id";
static const char assign[] =
    "UPDATE contacts SET owner_id = ?2, updated_at = ?3 WHERE contact_id = ?1"
    " AND org_id = (SELECT org_id FROM members WHERE member_id = ?2 AND active = 1)";

/* The callback that gets the rows of a statement. */
struct reader {
    contact_each *each; /* NULL: only look */
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct contact contact = {
        .name = db_text(rows, 3),
        .email = db_text(rows, 4),
        .phone = db_text(rows, 5),
        .created_at_ms = db_int(rows, 6),
        .updated_at_ms = db_int(rows, 7),
    };

    (void)db_blob(rows, 0, contact.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, contact.org_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 2, contact.owner_id.bytes, UUID_BYTES);
    return reader->each != NULL ? reader->each(reader->arg, &contact) : STATUS_OK;
}

enum status contact_add(struct db *db, const struct contact *contact)
{
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, add, DB_BLOB(contact->id.bytes, UUID_BYTES),
               DB_BLOB(contact->org_id.bytes, UUID_BYTES),
               DB_BLOB(contact->owner_id.bytes, UUID_BYTES), DB_TEXT(contact->name),
               db_text_or_null(contact->email), db_text_or_null(contact->phone),
               DB_INT(contact->created_at_ms), DB_INT(contact->updated_at_ms));

    return status == STATUS_OK && rows == 0 ? STATUS_REFUSED : status;
}

enum status contact_find(struct db *db, const struct uuid *id, contact_each *each,
                         void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, find, DB_BLOB(id->bytes, UUID_BYTES));
}

enum status contact_list(struct db *db, const struct uuid *org_id, contact_each *each,
                         void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_row, &reader, list, DB_BLOB(org_id->bytes, UUID_BYTES));
}

enum status contact_assign(struct db *db, const struct uuid *id,
                           const struct uuid *owner_id, int64_t now_ms)
{
    int rows = 0;
    enum status status = DB_RUN(db, &rows, assign, DB_BLOB(id->bytes, UUID_BYTES),
                                DB_BLOB(owner_id->bytes, UUID_BYTES), DB_INT(now_ms));

    return status == STATUS_OK && rows == 0 ? STATUS_REFUSED : status;
}
