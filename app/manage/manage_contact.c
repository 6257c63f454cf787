#include "app/manage/manage_contact.h"

#include "app/manage/manage.h"
#include "app/rules/text_rules.h"

static enum status check(const struct new_contact *input, struct problem *why)
{
    enum status status = manage_check_text(text_rules_name, input->name, "name", why);

    if (status == STATUS_OK)
        status = manage_check_optional(text_rules_email, input->email, "e-mail", why);
    if (status == STATUS_OK)
        status = manage_check_optional(text_rules_phone, input->phone, "telephone", why);
    return status;
}

/* Turns the store's STATUS_REFUSED into a sentence; returns status. */
static enum status explain_owner(enum status status, const struct uuid *owner_id,
                                 struct problem *why)
{
    char owner[UUID_TEXT_BYTES];

    if (status != STATUS_REFUSED)
        return status;
    uuid_format(owner_id, owner);
    return problem_set(why, status, "%s is no active member of the contact's organization",
                       owner);
}

enum status manage_contact_add(struct contact *out, struct change *change,
                               const struct new_contact *input, struct problem *why)
{
    enum status status = check(input, why);

    if (status == STATUS_OK)
        status = manage_require_org(change->db, &input->org_id, why);
    if (status != STATUS_OK)
        return status;
    *out = (struct contact){
        .id = manage_new_id(input->id, change->now_ms),
        .org_id = input->org_id,
        .owner_id = input->owner_id,
        .name = input->name,
        .email = input->email,
        .phone = input->phone,
        .created_at_ms = change->now_ms,
        .updated_at_ms = change->now_ms,
    };
    status = contact_add(change->db, out);
    if (status == STATUS_EXISTS)
        return problem_set(why, status, "there is a contact with this id already");
    if (status == STATUS_OK)
        change_made(change, "contact add", &out->org_id, &out->id);
    return explain_owner(status, &input->owner_id, why);
}

/* The contact before it is assigned. */
struct before {
    struct uuid org_id;
    struct uuid owner_id;
};

static enum status keep_before(void *arg, const struct contact *contact)
{
    *(struct before *)arg = (struct before){contact->org_id, contact->owner_id};
    return STATUS_OK;
}

enum status manage_contact_assign(struct change *change, const struct uuid *id,
                                  const struct uuid *owner_id, struct problem *why)
{
    struct before before;
    enum status status = contact_find(change->db, id, keep_before, &before);

    if (status != STATUS_OK)
        return manage_missing(status, "contact", id, why);
    if (uuid_equals(&before.owner_id, owner_id))
        return STATUS_OK;
    status = contact_assign(change->db, id, owner_id, change->now_ms);
    if (status == STATUS_OK)
        change_made(change, "contact assign", &before.org_id, id);
    return explain_owner(status, owner_id, why);
}
