#include "app/manage/manage_erase.h"

#include "app/manage/manage.h"
#include "app/store/contact_index.h"
#include "app/store/member.h"
#include "app/store/note.h"

enum {
    WRITE_TIMEOUT_MS = 30000,
    SCRUB_TIMEOUT_MS = 60000, /* for readers that are in the way */
};

/* Ends a transaction that was begun with WRITE_TIMEOUT_MS. */
static enum status end(struct db *db, enum status status)
{
    if (status == STATUS_OK) {
        status = db_write_commit(db);
        db_tidy(db);
    } else {
        db_write_rollback(db);
    }
    return status;
}

static bool has_erased(const struct erased *out)
{
    return out->people + out->notes + out->versions + out->origins + out->answers > 0;
}

static enum status keep_contact_id(void *arg, const struct note *note)
{
    *(struct uuid *)arg = note->contact_id;
    return STATUS_OK;
}

enum status manage_erase_note(struct change *change, struct erased *out,
                              const struct uuid *id, struct problem *why)
{
    struct uuid contact_id;
    struct contact_copy contact;
    enum status status =
        note_find(change->db, id, &note_operator, keep_contact_id, &contact_id);

    if (status == STATUS_OK)
        status = contact_find(change->db, &contact_id, contact_keep, &contact);
    if (status == STATUS_OK)
        status = erase_note(change->db, out, id, change->now_ms);
    if (status == STATUS_OK && has_erased(out))
        change_made(change, "note erase", &contact.contact.org_id, id);
    return manage_missing(status, "note", id, why);
}

static enum status erase_some_notes(struct db *db, struct erased *out, int64_t contact,
                                    int64_t *number, int64_t now_ms)
{
    enum status status = db_write_begin(db, WRITE_TIMEOUT_MS);

    return status == STATUS_OK ? end(db, erase_notes(db, out, contact, number, now_ms))
                               : status;
}

enum status manage_erase_notes(struct db *db, struct erased *out, const struct uuid *id,
                               int64_t now_ms, struct problem *why)
{
    struct contact_copy contact;
    int64_t number = 0;
    enum status status = contact_find(db, id, contact_keep, &contact);

    while (status == STATUS_OK && number >= 0)
        status = erase_some_notes(db, out, contact.contact.number, &number, now_ms);
    return manage_missing(status, "contact", id, why);
}

/* Those that were added since manage_erase_notes are the last ones. */
static enum status erase_new_notes(struct change *change, struct erased *out,
                                   int64_t contact)
{
    const int64_t before = out->notes;
    int64_t number = 0;
    enum status status = erase_notes(change->db, out, contact, &number, change->now_ms);
    int64_t found = out->notes - before;

    while (status == STATUS_OK && number > 0 && found > 0) {
        found = out->notes;
        status = erase_notes(change->db, out, contact, &number, change->now_ms);
        found = out->notes - found;
    }
    return status;
}

enum status manage_erase_contact(struct change *change, struct erased *out,
                                 const struct uuid *id, struct problem *why)
{
    struct contact_copy copy;
    const struct contact *contact = &copy.contact;
    enum status status = contact_find(change->db, id, contact_keep, &copy);

    if (status == STATUS_OK)
        status = erase_new_notes(change, out, contact->number);
    if (status == STATUS_OK)
        status = erase_contact(change->db, out, contact, change->now_ms);
    if (status == STATUS_OK && has_erased(out))
        change_made(change, "contact erase", &contact->org_id, id);
    return manage_missing(status, "contact", id, why);
}

static enum status erase_some_origins(struct db *db, struct erased *out,
                                      const struct uuid *id, struct erase_place *place)
{
    enum status status = db_write_begin(db, WRITE_TIMEOUT_MS);

    return status == STATUS_OK ? end(db, erase_origins(db, out, id, place)) : status;
}

enum status manage_erase_origins(struct db *db, struct erased *out, const struct uuid *id,
                                 struct problem *why)
{
    struct erase_place place = {.done = false};
    enum status status = member_find(db, id, NULL, NULL);

    while (status == STATUS_OK && !place.done)
        status = erase_some_origins(db, out, id, &place);
    return manage_missing(status, "member", id, why);
}

static enum status keep_org(void *arg, const struct member *member)
{
    *(struct uuid *)arg = member->org_id;
    return STATUS_OK;
}

enum status manage_erase_member(struct change *change, struct erased *out,
                                const struct uuid *id, struct problem *why)
{
    struct uuid org_id;
    enum status status = member_find(change->db, id, keep_org, &org_id);

    if (status == STATUS_OK)
        status = erase_member(change->db, out, id, change->now_ms);
    if (status == STATUS_OK && has_erased(out))
        change_made(change, "member erase", &org_id, id);
    return manage_missing(status, "member", id, why);
}

static enum status merge_some(struct db *db, bool first, bool *done)
{
    enum status status = db_write_begin(db, WRITE_TIMEOUT_MS);

    return status == STATUS_OK ? end(db, contact_index_merge(db, first, done)) : status;
}

enum status manage_erase_from_index(struct db *db)
{
    bool done = false;
    enum status status = merge_some(db, true, &done);

    done = false; /* the first one may only have rearranged the parts */
    while (status == STATUS_OK && !done)
        status = merge_some(db, false, &done);
    return status;
}

enum status manage_erase_from_files(struct db *db, struct problem *why)
{
    return db_scrub(db, SCRUB_TIMEOUT_MS, why);
}
