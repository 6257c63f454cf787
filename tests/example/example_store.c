#include "tests/example/example_store.h"

static const char find_contact[] =
    "SELECT 1 FROM contacts WHERE contact_id = ?1 AND org_id = ?2";
static const char count_notes[] = "SELECT count(*) FROM notes WHERE contact_id = ?1";
static const char list_newest[] =
    "SELECT note_id FROM notes WHERE contact_id = ?1 ORDER BY note_id DESC LIMIT ?2";
static const char set_phone[] =
    "UPDATE contacts SET primary_phone = ?2 WHERE contact_id = ?1";

enum status example_has_contact(bool *found, struct db *db, const struct uuid *contact_id,
                                const struct uuid *org_id)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find_contact, DB_BLOB(contact_id, UUID_BYTES),
                                  DB_BLOB(org_id, UUID_BYTES));

    *found = status == STATUS_OK;
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status example_count_notes(int64_t *count, struct uuid *newest, size_t max,
                                size_t *found, struct db *db, const struct uuid *contact_id,
                                const struct uuid *org_id)
{
    const struct db_value contact = DB_BLOB(contact_id, UUID_BYTES);
    struct db_rows rows;
    bool known = false;
    enum status status = example_has_contact(&known, db, contact_id, org_id);

    if (status != STATUS_OK || !known)
        return status == STATUS_OK ? STATUS_NOT_FOUND : status;
    status = DB_QUERY(db, &rows, count_notes, contact);
    if (status == STATUS_OK)
        *count = db_int(&rows, 0);
    db_done(&rows);
    if (status == STATUS_OK)
        status = DB_QUERY(db, &rows, list_newest, contact, DB_INT((int64_t)max));
    for (; status == STATUS_OK; status = db_next(&rows))
        (void)db_blob(&rows, 0, &newest[(*found)++], UUID_BYTES);
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status example_set_phone(struct db *db, const struct uuid *contact_id,
                              struct span phone)
{
    return DB_RUN(db, NULL, set_phone, DB_BLOB(contact_id, UUID_BYTES), DB_TEXT(phone));
}
