#include "app/ctl/ctl.h"
#include "app/manage/manage_contact.h"

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
    {.member = "contact_name",
     .heading = "NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(contact, texts[CONTACT_NAME]),
     .rank = 1},
    {.member = "contact_email",
     .heading = "EMAIL",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(contact, texts[CONTACT_PRIMARY_EMAIL]),
     .rank = 2},
    {.member = "contact_phone",
     .heading = "PHONE",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(contact, texts[CONTACT_PRIMARY_PHONE]),
     .rank = 3},
    {.member = NULL},
};

static enum status print(void *arg, const struct contact *contact)
{
    return output_row(arg, columns, contact);
}

/* Names the option with the owner in the sentence of a use case; returns status. */
static enum status name_owner(struct ctl *ctl, enum status status)
{
    if (status == STATUS_REFUSED)
        problem_prefix(&ctl->why, "--owner");
    return status;
}

static enum status add(struct ctl *ctl)
{
    const struct new_contact input = {
        .id = ctl_given_id(ctl),
        .org_id = ctl_get(ctl, "--org")->uuid,
        .owner_id = ctl_get(ctl, "--owner")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .email = ctl_get(ctl, "--email")->text,
        .phone = ctl_get(ctl, "--phone")->text,
    };
    struct contact contact;
    enum status status = manage_contact_add(&contact, &ctl->change, &input, &ctl->why);

    if (status != STATUS_OK)
        return name_owner(ctl, status);
    return output_row(ctl->output, columns, &contact);
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = manage_require_org(ctl->db, org_id, &ctl->why);

    return status == STATUS_OK ? contact_list(ctl->db, org_id, print, ctl->output) : status;
}

static enum status show(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;

    return manage_missing(contact_find(ctl->db, id, print, ctl->output), "contact", id,
                          &ctl->why);
}

static enum status assign(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct uuid *owner_id = &ctl_get(ctl, "--owner")->uuid;
    enum status status = manage_contact_assign(&ctl->change, id, owner_id, &ctl->why);

    if (status != STATUS_OK)
        return name_owner(ctl, status);
    return contact_find(ctl->db, id, print, ctl->output);
}

#define PARAMETER_CONTACT                                                                  \
    .name = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED, .help = "the contact"

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add a contact to an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {PARAMETER_ORG},
             {.name = "--owner",
              .value = "MEMBER",
              .rule = argument_uuid,
              .need = PARAMETER_REQUIRED,
              .help = "the member who owns the contact and adds its notes"},
             {PARAMETER_NAME},
             {PARAMETER_EMAIL},
             {.name = "--phone",
              .value = "PHONE",
              .rule = argument_phone,
              .personal = true,
              .help = "the telephone number"},
             {PARAMETER_ID_ELSEWHERE},
             {.name = NULL}},
     .run = add},
    {.name = "list",
     .help = "List an organization's contacts, the oldest first",
     .access = CTL_READ,
     .nothing = "no contacts",
     .parameters = (const struct parameter[]){{PARAMETER_ORG}, {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show a contact",
     .access = CTL_READ,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_CONTACT}, {.name = NULL}},
     .run = show},
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
    {.name = NULL},
};

const struct noun noun_contact = {"contact", "Contacts of an organization", verbs};
