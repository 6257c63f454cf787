#include "app/store/contact.h"

#include <string.h>

#include "app/store/contact_index.h"
#include "app/store/page.h"

#define TEXTS                                                                              \
    "name, first_name, last_name, role_label, primary_email, secondary_email,"             \
    " primary_phone, secondary_phone"
#define CONTACT_COLUMNS                                                                    \
    "number, place, contact_id, c.org_id, owner_id, c.created_at, c.updated_at,"           \
    " c.name, first_name, last_name, role_label, primary_email, secondary_email,"          \
    " primary_phone, secondary_phone, c.entity_id, e.name, website"
#define FROM   " FROM contacts AS c LEFT JOIN entities AS e USING (entity_id)"
#define SELECT "SELECT " CONTACT_COLUMNS ", c.erased_at" FROM

enum {
    FIRST_TEXT = 7, /* the column of the first text */
    ENTITY = FIRST_TEXT + CONTACT_TEXTS,
};

static const char add[] =
    "INSERT INTO contacts (contact_id, org_id, owner_id, created_at, updated_at, "
    "entity_id, place," TEXTS
    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
static const char set_place[] = "UPDATE contacts SET place = ?2 WHERE number = ?1";
static const char update[] =
    "UPDATE contacts SET place = ?2, owner_id = ?3, updated_at = ?4, entity_id = ?5,"
    " (" TEXTS ") = (?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) WHERE number = ?1";
static const char find[] = SELECT " WHERE contact_id = ?1";
static const char find_at[] =
    SELECT " WHERE c.number ="
           " (SELECT contact FROM contact_words WHERE place = ?1)";
static const char list_places[] =
    "SELECT " CONTACT_COLUMNS ", erased_at"
    " FROM (SELECT contact FROM contact_words WHERE place BETWEEN ?1 AND ?2"
    "  ORDER BY place LIMIT ?3) CROSS JOIN contacts AS c ON c.number = contact"
    " LEFT JOIN entities AS e USING (entity_id) ORDER BY place";
static const char set_created[] = "UPDATE contacts SET created_at = ?2 WHERE number = ?1";
static const char list[] =
    SELECT " WHERE c.org_id = ?1 AND contact_id > ?2 ORDER BY contact_id";
/* By the migration that made the index, when contacts could not be erased yet. */
static const char find_number[] =
    "SELECT " CONTACT_COLUMNS ", NULL" FROM " WHERE c.number = ?1";
static const char list_without_place[] =
    "SELECT number FROM contacts WHERE place IS NULL ORDER BY updated_at, number";

/* The callback that gets the rows of a statement. */
struct reader {
    contact_each *each; /* NULL: only look */
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct contact contact = {
        .number = db_int(rows, 0),
        .place = db_int(rows, 1),
        .created_at_ms = db_int(rows, 5),
        .updated_at_ms = db_int(rows, 6),
        .entity_name = db_text(rows, ENTITY + 1),
        .entity_website = db_text(rows, ENTITY + 2),
        .erased_at_ms = db_int(rows, ENTITY + 3),
    };

    (void)db_blob(rows, 2, contact.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 3, contact.org_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 4, contact.owner_id.bytes, UUID_BYTES);
    (void)db_blob(rows, ENTITY, contact.entity_id.bytes, UUID_BYTES);
    for (int i = 0; i < CONTACT_TEXTS; i++)
        contact.texts[i] = db_text(rows, FIRST_TEXT + i);
    return reader->each != NULL ? reader->each(reader->arg, &contact) : STATUS_OK;
}

static struct span copy_text(struct contact_copy *copy, size_t *used, struct span text)
{
    char *to = copy->bytes + *used;

    if (text.len > 0)
        memcpy(to, text.data, text.len);
    *used += text.len;
    return (struct span){to, text.len};
}

enum status contact_keep(void *arg, const struct contact *contact)
{
    struct contact_copy *copy = arg;
    size_t used = 0;
    size_t needed = contact->entity_name.len + contact->entity_website.len;

    for (int i = 0; i < CONTACT_TEXTS; i++)
        needed += contact->texts[i].len;
    if (needed > sizeof copy->bytes)
        return STATUS_INTERNAL;
    copy->contact = *contact;
    for (int i = 0; i < CONTACT_TEXTS; i++)
        copy->contact.texts[i] = copy_text(copy, &used, contact->texts[i]);
    copy->contact.entity_name = copy_text(copy, &used, contact->entity_name);
    copy->contact.entity_website = copy_text(copy, &used, contact->entity_website);
    return STATUS_OK;
}

#define UUID(id)            DB_BLOB((id).bytes, UUID_BYTES)
#define TEXT(contact, text) db_text_or_null((contact)->texts[CONTACT_##text])
#define ALL_TEXTS(contact)                                                                 \
    TEXT(contact, NAME), TEXT(contact, FIRST_NAME), TEXT(contact, LAST_NAME),              \
        TEXT(contact, ROLE_LABEL), TEXT(contact, PRIMARY_EMAIL),                           \
        TEXT(contact, SECONDARY_EMAIL), TEXT(contact, PRIMARY_PHONE),                      \
        TEXT(contact, SECONDARY_PHONE)

static struct db_value id_or_null(const struct uuid *id)
{
    static const struct uuid none;

    return uuid_equals(id, &none) ? DB_NULL : UUID(*id);
}

static enum status insert(struct db *db, struct contact *contact)
{
    return DB_INSERT(db, &contact->number, add, UUID(contact->id), UUID(contact->org_id),
                     UUID(contact->owner_id), DB_INT(contact->created_at_ms),
                     DB_INT(contact->updated_at_ms), id_or_null(&contact->entity_id),
                     DB_INT(contact->place), ALL_TEXTS(contact));
}

enum status contact_add(struct db *db, struct contact *contact)
{
    enum status status = contact_index_place(db, contact);

    if (status == STATUS_OK)
        status = insert(db, contact);
    return status == STATUS_OK ? contact_index_add(db, contact) : status;
}

enum status contact_update(struct db *db, struct contact *contact,
                           const struct contact *before)
{
    enum status status = contact_index_remove(db, before);

    if (status == STATUS_OK)
        status = contact_index_place(db, contact);
    if (status == STATUS_OK)
        status = contact_index_add(db, contact);
    if (status == STATUS_OK)
        status = DB_RUN(db, NULL, update, DB_INT(contact->number), DB_INT(contact->place),
                        UUID(contact->owner_id), DB_INT(contact->updated_at_ms),
                        id_or_null(&contact->entity_id), ALL_TEXTS(contact));
    if (!uuid_equals(&contact->owner_id, &before->owner_id))
        db_forget(db); /* the owner is one of the facts that are remembered */
    return status;
}

enum status contact_find(struct db *db, const struct uuid *id, contact_each *each,
                         void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, find, UUID(*id));
}

enum status contact_at(struct db *db, int64_t at, contact_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, find_at, DB_INT(at));
}

enum status contact_list(struct db *db, const struct uuid *org_id, const struct uuid *after,
                         contact_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_row, &reader, list, UUID(*org_id), page_after(after));
}

enum status contact_list_places(struct db *db, int64_t first, int64_t last, int64_t limit,
                                contact_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_row, &reader, list_places, DB_INT(first), DB_INT(last),
                   DB_INT(limit));
}

enum status contact_set_created(struct db *db, int64_t number, int64_t created_at_ms)
{
    return DB_RUN(db, NULL, set_created, DB_INT(number), DB_INT(created_at_ms));
}

static enum status place_one(void *arg, const struct db_rows *rows)
{
    struct db *db = arg;
    struct contact_copy copy;
    struct reader reader = {.each = contact_keep, .arg = &copy};
    enum status status =
        DB_FIRST(db, give_row, &reader, find_number, DB_INT(db_int(rows, 0)));

    if (status == STATUS_OK)
        status = contact_index_place(db, &copy.contact);
    if (status == STATUS_OK)
        status = contact_index_add(db, &copy.contact);
    return status == STATUS_OK ? DB_RUN(db, NULL, set_place, DB_INT(copy.contact.number),
                                        DB_INT(copy.contact.place))
                               : status;
}

enum status contact_place_all(struct db *db)
{
    return db_each(db, list_without_place, NULL, 0, place_one, db);
}
