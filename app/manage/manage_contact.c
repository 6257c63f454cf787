#include "app/manage/manage_contact.h"

#include "app/manage/manage.h"
#include "app/rules/text_rules.h"
#include "app/store/contact_facts.h"

static enum status check(const struct new_contact *input, struct problem *why)
{
    enum status status = manage_check_text(text_rules_name, input->name, "name", why);

    if (status == STATUS_OK)
        status = manage_check_optional(text_rules_email, input->email, "e-mail", why);
    if (status == STATUS_OK)
        status = manage_check_optional(text_rules_phone, input->phone, "telephone", why);
    return status;
}

/* STATUS_REFUSED with a sentence unless the owner is an active member. */
static enum status require_owner(struct db *db, const struct uuid *owner_id,
                                 const struct uuid *org_id, struct problem *why)
{
    const struct given_id owner = {.given = true, .is_uuid = true, .uuid = *owner_id};
    char text[UUID_TEXT_BYTES];
    bool found;
    enum status status = contact_member_read(&found, db, &owner, org_id);

    if (status != STATUS_OK || found)
        return status;
    uuid_format(owner_id, text);
    return problem_set(why, STATUS_REFUSED,
                       "%s is no active member of the contact's organization", text);
}

enum status manage_contact_add(struct contact *out, struct change *change,
                               const struct new_contact *input, struct problem *why)
{
    enum status status = check(input, why);

    if (status == STATUS_OK)
        status = manage_require_org(change->db, &input->org_id, why);
    if (status == STATUS_OK)
        status = require_owner(change->db, &input->owner_id, &input->org_id, why);
    if (status != STATUS_OK)
        return status;
    *out = (struct contact){
        .id = manage_new_id(input->id, change->now_ms),
        .org_id = input->org_id,
        .owner_id = input->owner_id,
        .texts[CONTACT_NAME] = input->name,
        .texts[CONTACT_PRIMARY_EMAIL] = input->email,
        .texts[CONTACT_PRIMARY_PHONE] = input->phone,
        .created_at_ms = change->now_ms,
        .updated_at_ms = change->now_ms,
    };
    status = contact_add(change->db, out);
    if (status == STATUS_EXISTS)
        return problem_set(why, status, "there is a contact with this id already");
    if (status == STATUS_OK)
        change_made(change, "contact add", &out->org_id, &out->id);
    return status;
}

enum status manage_contact_assign(struct change *change, const struct uuid *id,
                                  const struct uuid *owner_id, struct problem *why)
{
    struct contact_copy before;
    enum status status = contact_find(change->db, id, contact_keep, &before);

    if (status != STATUS_OK)
        return manage_missing(status, "contact", id, why);
    if (uuid_equals(&before.contact.owner_id, owner_id))
        return STATUS_OK;
    status = require_owner(change->db, owner_id, &before.contact.org_id, why);
    if (status != STATUS_OK)
        return status;
    struct contact after = before.contact;
    after.owner_id = *owner_id;
    after.updated_at_ms = change->now_ms;
    status = contact_update(change->db, &after, &before.contact);
    if (status == STATUS_OK)
        change_made(change, "contact assign", &after.org_id, id);
    return status;
}
