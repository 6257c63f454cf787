#include "app/store/note_place.h"

#include <string.h>

#include "app/store/note_write.h"

static const char find_contact[] =
    "SELECT number, org_id FROM contacts WHERE contact_id = ?1";
static const char find_note[] = "SELECT number FROM notes WHERE note_id = ?1";
static const char find_last[] = "SELECT number, previous, created_at, note_id FROM "
                                "last_notes JOIN notes ON number = note"
                                " WHERE contact = ?1";
static const char find_number[] =
    "SELECT number, previous, created_at, note_id FROM notes WHERE number = ?1";
static const char list[] =
    "SELECT number, note_id, org_id FROM notes WHERE number > ?1 ORDER BY number LIMIT ?2";
static const char chain[] =
    "WITH RECURSIVE chain (number) AS ("
    " SELECT note FROM contacts AS c JOIN last_notes ON contact = c.number"
    " WHERE contact_id = ?1"
    " UNION SELECT previous FROM chain JOIN notes USING (number) WHERE previous > 0)"
    " SELECT number, note_id FROM chain JOIN notes USING (number)"
    " ORDER BY created_at DESC, note_id DESC";

static enum status keep_link(void *arg, const struct db_rows *rows)
{
    struct note_link *link = arg;

    link->number = db_int(rows, 0);
    link->previous = db_int(rows, 1);
    link->created_at_ms = db_int(rows, 2);
    (void)db_blob(rows, 3, link->id.bytes, UUID_BYTES);
    return STATUS_OK;
}

static bool is_before(const struct note_link *link, const struct note *note)
{
    if (link->created_at_ms != note->created_at_ms)
        return link->created_at_ms < note->created_at_ms;
    return memcmp(link->id.bytes, note->id.bytes, UUID_BYTES) < 0;
}

/* Whether it belongs between the last note that was put into the chain and the one behind
 * that, if these still follow each other. */
static enum status fits_again(bool *out, struct db *db, const struct note_place *last,
                              int64_t contact, const struct note *note)
{
    struct note_link behind = {.number = 0};

    *out = last->contact == contact && last->behind.number != 0 &&
           is_before(&last->before, note) && !is_before(&last->behind, note);
    if (!*out)
        return STATUS_OK;
    enum status status =
        DB_FIRST(db, keep_link, &behind, find_number, DB_INT(last->behind.number));
    *out =
        behind.previous == last->before.number && uuid_equals(&behind.id, &last->behind.id);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Finds the note behind which it belongs, and the one that follows there. */
static enum status find_place(struct note_place *out, struct db *db, int64_t contact,
                              const struct note *note)
{
    enum status status;

    *out = (struct note_place){.contact = contact};
    status = DB_FIRST(db, keep_link, &out->before, find_last, DB_INT(contact));
    while (status == STATUS_OK && !is_before(&out->before, note)) {
        out->behind = out->before;
        out->before = (struct note_link){.number = 0};
        if (out->behind.previous == 0)
            return STATUS_OK;
        status = DB_FIRST(db, keep_link, &out->before, find_number,
                          DB_INT(out->behind.previous));
    }
    /* a contact without notes; or a chain that leads nowhere, which db check finds */
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status note_place_add(struct note_place *last, struct db *db, int64_t contact,
                           const struct uuid *org_id, const struct note *note)
{
    int64_t number = 0;
    bool fits;
    enum status status = fits_again(&fits, db, last, contact, note);

    if (status == STATUS_OK && !fits)
        status = find_place(last, db, contact, note);
    if (status == STATUS_OK)
        status = note_insert(db, &number, org_id, last->before.number, note);
    if (status == STATUS_OK)
        status = last->behind.number != 0
                     ? note_set_previous(db, last->behind.number, number)
                     : note_set_last(db, contact, number, last->before.number == 0);
    last->before =
        (struct note_link){number, last->before.number, note->created_at_ms, note->id};
    return status;
}

/* The number and organization of a contact. */
struct found_contact {
    int64_t *number;
    struct uuid *org_id;
};

static enum status keep_contact(void *arg, const struct db_rows *rows)
{
    const struct found_contact *found = arg;

    *found->number = db_int(rows, 0);
    (void)db_blob(rows, 1, found->org_id->bytes, UUID_BYTES);
    return STATUS_OK;
}

enum status note_place_find_contact(int64_t *contact, struct uuid *org_id, struct db *db,
                                    const struct uuid *id)
{
    struct found_contact found = {contact, org_id};

    *contact = 0;
    return DB_FIRST(db, keep_contact, &found, find_contact, DB_BLOB(id->bytes, UUID_BYTES));
}

enum status note_place_find(int64_t *number, struct db *db, const struct uuid *id)
{
    return DB_FIRST(db, db_keep_int, number, find_note, DB_BLOB(id->bytes, UUID_BYTES));
}

/* The callback that gets ids. */
struct reader {
    const struct uuid *org_id; /* NULL: of any */
    int64_t last, count;
    note_place_each *each;
    void *arg;
};

static enum status give_listed(void *arg, const struct db_rows *rows)
{
    struct reader *reader = arg;
    struct uuid id, org_id;

    reader->last = db_int(rows, 0);
    reader->count++;
    (void)db_blob(rows, 1, id.bytes, UUID_BYTES);
    (void)db_blob(rows, 2, org_id.bytes, UUID_BYTES);
    return reader->org_id == NULL || uuid_equals(&org_id, reader->org_id)
               ? reader->each(reader->arg, &id)
               : STATUS_OK;
}

enum status note_place_list(int64_t *after, int64_t *count, struct db *db,
                            const struct uuid *org_id, int64_t limit, note_place_each *each,
                            void *arg)
{
    struct reader reader = {.org_id = org_id, .last = *after, .each = each, .arg = arg};
    enum status status =
        DB_EACH(db, give_listed, &reader, list, DB_INT(*after), DB_INT(limit));

    *after = reader.last;
    *count = reader.count;
    return status;
}

static enum status give_linked(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
    struct uuid id;

    (void)db_blob(rows, 1, id.bytes, UUID_BYTES);
    return reader->each(reader->arg, &id);
}

enum status note_place_chain(struct db *db, const struct uuid *contact_id,
                             note_place_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_EACH(db, give_linked, &reader, chain, DB_BLOB(contact_id->bytes, UUID_BYTES));
}
