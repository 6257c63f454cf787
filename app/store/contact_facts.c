#include "app/store/contact_facts.h"

#include <string.h>

#include "app/store/contact_index.h"

static const char find_member[] =
    "SELECT 1 FROM members WHERE member_id = ?1 AND org_id = ?2 AND active = 1";

static const char find_existence[] =
    "SELECT EXISTS (SELECT 1 FROM contacts WHERE contact_id = ?1)";

static enum status look(void *arg, const struct db_rows *rows)
{
    (void)arg;
    (void)rows;
    return STATUS_OK;
}

enum status contact_member_read(bool *found, struct db *db,
                                const struct given_id *member_id, const struct uuid *org_id)
{
    *found = false;
    if (!member_id->is_uuid)
        return STATUS_OK;
    enum status status =
        DB_FIRST(db, look, NULL, find_member, DB_BLOB(member_id->uuid.bytes, UUID_BYTES),
                 DB_BLOB(org_id->bytes, UUID_BYTES));
    *found = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_contact(struct contact_facts *out, struct contact_copy *contact,
                                struct db *db, const struct caller *caller,
                                const struct given_id *contact_id, bool only_own)
{
    if (!contact_id->is_uuid)
        return STATUS_OK;
    enum status status = contact_find(db, &contact_id->uuid, contact_keep, contact);
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    out->contact_org_id = contact->contact.org_id;
    out->contact_found =
        contact->contact.erased_at_ms == 0 &&
        (!only_own || uuid_equals(&contact->contact.org_id, &caller->org_id));
    return STATUS_OK;
}

enum status contact_facts_read(struct contact_facts *out, struct contact_copy *contact,
                               struct db *db, const struct caller *caller,
                               const struct given_id *member_id,
                               const struct given_id *contact_id, bool only_own)
{
    *out = (struct contact_facts){.contact_found = false};
    enum status status =
        contact_member_read(&out->member_found, db, member_id, &caller->org_id);

    if (status == STATUS_OK)
        status = read_contact(out, contact, db, caller, contact_id, only_own);
    return status;
}

/* Contacts as they are found. */
struct found {
    int count;
    struct contact_copy *first;
};

/* Two are as good as many. */
static enum status count_contact(void *arg, const struct contact *contact)
{
    struct found *found = arg;

    if (++found->count > 1)
        return STATUS_NOT_FOUND;
    return contact_keep(found->first, contact);
}

static enum status look_up(struct found *found, struct db *db, const struct caller *caller,
                           const struct contact_command *command)
{
    const struct span text = contact_looked_up(command);

    if (contact_looks_up_id(command)) {
        enum status status =
            contact_find(db, &command->contact_id.uuid, count_contact, found);
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    if (text.len == 0)
        return STATUS_OK;
    return contact_index_whole(
        db, &caller->org_id, command->lookup_by == LOOKUP_PHONE ? MATCH_PHONE : MATCH_EMAIL,
        text, count_contact, found);
}

static enum status read_members(struct contact_write_facts *out, struct db *db,
                                const struct caller *caller,
                                const struct contact_command *command)
{
    enum status status =
        contact_member_read(&out->member_found, db, &command->member_id, &caller->org_id);

    if (status == STATUS_OK && command->owner.given)
        status =
            contact_member_read(&out->owner_found, db, &command->owner, &caller->org_id);
    return status;
}

enum status contact_write_facts_read(struct contact_write_facts *out,
                                     struct contact_copy *before, struct db *db,
                                     const struct caller *caller,
                                     const struct contact_command *command)
{
    struct found found = {.count = 0, .first = before};
    struct span after[CONTACT_TEXTS];
    char joined[CONTACT_JOINED_BYTES];

    *out = (struct contact_write_facts){.count = 0};
    before->contact = (struct contact){.number = 0};
    enum status status = read_members(out, db, caller, command);
    if (status == STATUS_OK)
        status = look_up(&found, db, caller, command);
    if (found.count > 1)
        before->contact = (struct contact){.number = 0};
    out->count = found.count;
    out->contact_id = before->contact.id;
    out->org_id = before->contact.org_id;
    out->entity_id = before->contact.entity_id;
    out->erased = before->contact.erased_at_ms != 0;
    contact_texts_after(after, joined, before->contact.texts, command->texts);
    out->has_name =
        contact_texts_suffice(after, before->contact.number == 0, command->texts);
    return status;
}

static enum status keep_existence(void *arg, const struct db_rows *rows)
{
    *(bool *)arg = db_int(rows, 0) != 0;
    return STATUS_OK;
}

enum status contact_reason_read(enum reason *reason, enum error refusal, struct db *db,
                                const struct caller *caller, const struct given_id *org_id,
                                const struct given_id *contact_id)
{
    bool exists = false;
    enum status status = DB_FIRST(db, keep_existence, &exists, find_existence,
                                  DB_BLOB(contact_id->uuid.bytes, UUID_BYTES));

    if (status == STATUS_OK)
        *reason = contact_reason(refusal, exists, caller, org_id, contact_id);
    return status;
}
