#include "app/ctl/contact_edit.h"
#include "app/ctl/erase.h"
#include "app/ctl/export.h"
#include "app/ctl/import.h"
#include "app/manage/manage_contact.h"
#include "app/rules/contact_words.h"
#include "app/store/contact_index.h"

#define TEXT_COLUMN(text, name, title)                                                     \
    .member = (name), .heading = (title), .type = COLUMN_TEXT,                             \
    OUTPUT_FIELD(contact, texts[CONTACT_##text])

static const struct column columns[] = {
    {.member = "contact_id",
     .heading = "CONTACT ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(contact, id)},
    {.member = "contact_owner",
     .heading = "OWNER",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(contact, owner_id),
     .rank = 4},
    {TEXT_COLUMN(NAME, "contact_name", "NAME"), .rank = 1},
    {TEXT_COLUMN(PRIMARY_EMAIL, "contact_email", "EMAIL"), .rank = 2},
    {TEXT_COLUMN(PRIMARY_PHONE, "contact_phone", "PHONE"), .rank = 3},
    {TEXT_COLUMN(FIRST_NAME, "first_name", "FIRST NAME"), .detail = true},
    {TEXT_COLUMN(LAST_NAME, "last_name", "LAST NAME"), .detail = true},
    {TEXT_COLUMN(ROLE_LABEL, "role_label", "ROLE"), .detail = true},
    {TEXT_COLUMN(SECONDARY_EMAIL, "secondary_email", "SECOND EMAIL"), .detail = true},
    {TEXT_COLUMN(SECONDARY_PHONE, "secondary_phone", "SECOND PHONE"), .detail = true},
    {.member = "entity_name",
     .heading = "COMPANY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(contact, entity_name),
     .detail = true},
    {.member = "website",
     .heading = "WEBSITE",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(contact, entity_website),
     .detail = true},
    {.member = "created_at",
     .heading = "CREATED",
     .type = COLUMN_DATE,
     OUTPUT_FIELD(contact, created_at_ms),
     .detail = true},
    {.member = "updated_at",
     .heading = "UPDATED",
     .type = COLUMN_DATE,
     OUTPUT_FIELD(contact, updated_at_ms),
     .detail = true},
    {.member = "erased_at",
     .heading = "ERASED",
     .type = COLUMN_DATE,
     OUTPUT_FIELD(contact, erased_at_ms),
     .optional = true,
     .detail = true},
    {.member = NULL},
};

static enum status print(void *arg, const struct contact *contact)
{
    return output_row(arg, columns, contact);
}

static enum status show_contact(struct ctl *ctl, const struct uuid *id)
{
    return manage_missing(contact_find(ctl->db, id, print, ctl->output), "contact", id,
                          &ctl->why);
}

static enum status add(struct ctl *ctl)
{
    struct uuid id;
    enum status status = contact_edit_add(&id, ctl);

    return status == STATUS_OK ? show_contact(ctl, &id) : status;
}

static enum status edit(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    enum status status = contact_edit_change(id, ctl);

    return status == STATUS_OK ? show_contact(ctl, id) : status;
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = manage_require_org(ctl->db, org_id, &ctl->why);

    return status == STATUS_OK
               ? contact_list(ctl->db, org_id, ctl->after, print, ctl->output)
               : status;
}

static enum status show(struct ctl *ctl)
{
    return show_contact(ctl, &ctl_get(ctl, "ID")->uuid);
}

enum {
    FOUND_DEFAULT = 20, /* contacts that are shown of those that fit */
};

/* Contacts that are printed as they are found, until there are enough. */
struct found {
    struct output *output;
    int64_t limit;
};

static enum status print_found(void *arg, const struct contact *contact)
{
    const struct found *found = arg;

    if ((int64_t)output_count(found->output) >= found->limit)
        return STATUS_NOT_FOUND;
    return print(found->output, contact);
}

static enum status find(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    const struct argument *limit = ctl_get(ctl, "--limit");
    struct found found = {ctl->output, limit->given ? limit->count : FOUND_DEFAULT};
    enum status status = manage_require_org(ctl->db, org_id, &ctl->why);

    return status == STATUS_OK
               ? contact_index_search(ctl->db, org_id, ctl_get(ctl, "TEXT")->text,
                                      print_found, &found)
               : status;
}

static enum status assign(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct uuid *owner_id = &ctl_get(ctl, "--owner")->uuid;
    enum status status = contact_edit_name_owner(
        ctl, manage_contact_assign(&ctl->change, id, owner_id, &ctl->why));

    return status == STATUS_OK ? show_contact(ctl, id) : status;
}

#define PARAMETER_CONTACT                                                                  \
    .name = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED, .help = "the contact"

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add a contact to an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters = contact_edit_of_new,
     .run = add},
    {.name = "list",
     .help = "List an organization's contacts, the oldest first",
     .access = CTL_PAGES,
     .nothing = "no contacts",
     .parameters =
         (const struct parameter[]){
             {PARAMETER_ORG}, {PARAMETER_LIMIT}, {PARAMETER_AFTER}, {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show a contact",
     .access = CTL_READ,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_CONTACT}, {.name = NULL}},
     .run = show},
    {.name = "find",
     .help = "Find contacts by their id, or any part of their texts, the best first",
     .more =
         "In this order: a whole e-mail address, a whole telephone number, a whole name, "
         "any part\nof a text. What was changed last comes first among equals. Case "
         "does not matter, and of\ntelephone numbers only the digits. Fewer than 3 "
         "characters must be a whole text.",
     .access = CTL_READ,
     .nothing = "no contacts",
     .parameters = (const struct parameter[]){{PARAMETER_ORG},
                                              {.name = "TEXT",
                                               .rule = argument_query,
                                               .need = PARAMETER_REQUIRED,
                                               .personal = true,
                                               .help = "what is looked for"},
                                              {.name = "--limit",
                                               .value = "N",
                                               .rule = argument_count,
                                               .help = "at most so many (20)"},
                                              {.name = NULL}},
     .run = find},
    {.name = "edit",
     .help = "Change what is known of a contact; what is not given stays",
     .more = "An empty text means that it is not known any more. While the name is made of "
             "first and\nlast name, it follows them.",
     .access = CTL_WRITE,
     .one = true,
     .parameters = contact_edit_of_old,
     .run = edit},
    {.name = "assign",
     .help = "Make another member the owner of a contact",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){{PARAMETER_CONTACT},
                                    {.name = "--owner",
                                     .value = "MEMBER",
                                     .rule = argument_uuid,
                                     .need = PARAMETER_REQUIRED,
                                     .help = "an active member of the same organization"},
                                    {.name = NULL}},
     .run = assign},
    {ERASE_VERB,
     .help =
         "Erase a contact's texts and company, and the texts and origins of all its notes",
     .more = ERASE_MORE, .run = erase_run_contact},
    IMPORT_CONTACTS_VERB,
    EXPORT_CONTACTS_VERB,
    {.name = NULL},
};

const struct noun noun_contact = {"contact", "Contacts of an organization", verbs};
