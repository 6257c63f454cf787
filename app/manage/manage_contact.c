#include "app/manage/manage_contact.h"

#include "app/manage/manage.h"
#include "app/store/contact_facts.h"
#include "app/store/contact_write.h"

/* What the texts are called in a sentence. */
static const char *const text_names[CONTACT_TEXTS] = {
    [CONTACT_NAME] = "name",
    [CONTACT_FIRST_NAME] = "first name",
    [CONTACT_LAST_NAME] = "last name",
    [CONTACT_ROLE_LABEL] = "role",
    [CONTACT_PRIMARY_EMAIL] = "e-mail",
    [CONTACT_SECONDARY_EMAIL] = "second e-mail",
    [CONTACT_PRIMARY_PHONE] = "telephone",
    [CONTACT_SECONDARY_PHONE] = "second telephone",
};

static enum status check_texts(const struct contact_edit *edit, struct problem *why)
{
    enum status status = STATUS_OK;

    for (int i = 0; i < CONTACT_TEXTS && status == STATUS_OK; i++)
        status = manage_check_optional(contact_text_rules[i], edit->texts[i].text,
                                       text_names[i], why);
    if (status == STATUS_OK)
        status =
            manage_check_optional(text_rules_name, edit->entity_name.text, "company", why);
    if (status == STATUS_OK)
        status = manage_check_optional(text_rules_website, edit->entity_website.text,
                                       "website", why);
    return status;
}

/* A name to call it by, and a company for its website. */
static enum status check_whole(const struct contact *before,
                               const struct contact_edit *edit, struct problem *why)
{
    static const struct uuid none;
    struct span after[CONTACT_TEXTS];
    char joined[CONTACT_JOINED_BYTES];
    bool has_entity = edit->entity_name.given ? edit->entity_name.text.len > 0
                                              : !uuid_equals(&before->entity_id, &none);

    contact_texts_after(after, joined, before->texts, edit->texts);
    if (!contact_texts_suffice(after, before->number == 0, edit->texts))
        return problem_set(why, STATUS_INVALID,
                           "a contact needs a name, a first name or an e-mail address");
    if (edit->entity_website.text.len > 0 && !has_entity)
        return problem_set(why, STATUS_INVALID,
                           "the website is that of a company, which the contact lacks");
    return STATUS_OK;
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

/* The command that says the same as edit, in the name of the organization. */
static struct contact_command command_of(const struct change *change,
                                         const struct contact_edit *edit)
{
    struct contact_command command = {
        .common.now_ms = change->now_ms,
        .mode = -1,
        .lookup_by = -1,
        .owner = edit->owner,
        .entity_name = edit->entity_name,
        .entity_website = edit->entity_website,
    };

    for (int i = 0; i < CONTACT_TEXTS; i++)
        command.texts[i] = edit->texts[i];
    return command;
}

static enum status check_new(const struct new_contact *input, struct db *db,
                             struct problem *why)
{
    static const struct contact nothing;
    enum status status = check_texts(&input->fields, why);

    if (status == STATUS_OK)
        status = check_whole(&nothing, &input->fields, why);
    if (status == STATUS_OK)
        status = manage_require_org(db, &input->org_id, why);
    if (status == STATUS_OK)
        status = require_owner(db, &input->fields.owner.uuid, &input->org_id, why);
    return status;
}

enum status manage_contact_add(struct uuid *id, struct change *change,
                               const struct new_contact *input, struct problem *why)
{
    static const struct contact nothing;
    const struct caller caller = {.org_id = input->org_id};
    struct contact_command command = command_of(change, &input->fields);
    struct contact_result result;
    enum status status = check_new(input, change->db, why);

    if (status != STATUS_OK)
        return status;
    command.common.new_id = manage_new_id(input->id, change->now_ms);
    status = contact_write(&result, change->db, &nothing, &caller, &command);
    if (status == STATUS_EXISTS)
        return problem_set(why, status, "there is a contact with this id already");
    *id = result.contact_id;
    if (status == STATUS_OK)
        change_made(change, "contact add", &input->org_id, id);
    return status;
}

/* Changes the contact, unless it is as the edit says. */
static enum status change_contact(struct change *change, const struct contact *before,
                                  const struct contact_edit *edit, const char *action)
{
    const struct caller caller = {.org_id = before->org_id};
    const struct contact_command command = command_of(change, edit);
    struct contact_result result;

    if (!contact_write_changes(before, &command))
        return STATUS_OK;
    enum status status = contact_write(&result, change->db, before, &caller, &command);
    if (status == STATUS_OK)
        change_made(change, action, &before->org_id, &before->id);
    return status;
}

static enum status edit_as(struct change *change, const struct uuid *id,
                           const struct contact_edit *edit, const char *action,
                           struct problem *why)
{
    struct contact_copy before;
    enum status status = contact_find(change->db, id, contact_keep, &before);

    if (status != STATUS_OK)
        return manage_missing(status, "contact", id, why);
    if (before.contact.erased_at_ms != 0)
        return problem_set(why, STATUS_REFUSED,
                           "the contact was erased: add a new one, without its id");
    status = check_whole(&before.contact, edit, why);
    if (status == STATUS_OK && edit->owner.given &&
        !uuid_equals(&edit->owner.uuid, &before.contact.owner_id))
        status = require_owner(change->db, &edit->owner.uuid, &before.contact.org_id, why);
    return status == STATUS_OK ? change_contact(change, &before.contact, edit, action)
                               : status;
}

enum status manage_contact_edit(struct change *change, const struct uuid *id,
                                const struct contact_edit *edit, struct problem *why)
{
    enum status status = check_texts(edit, why);

    return status == STATUS_OK ? edit_as(change, id, edit, "contact edit", why) : status;
}

enum status manage_contact_assign(struct change *change, const struct uuid *id,
                                  const struct uuid *owner_id, struct problem *why)
{
    const struct contact_edit edit = {
        .owner = {.given = true, .is_uuid = true, .uuid = *owner_id}};

    return edit_as(change, id, &edit, "contact assign", why);
}
