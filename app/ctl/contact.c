#include "app/store/contact.h"

#include "app/ctl/ctl.h"

static const struct column columns[] = {
    {"contact_id", "CONTACT ID", COLUMN_UUID, OUTPUT_FIELD(contact, id)},
    {"contact_owner", "OWNER", COLUMN_UUID, OUTPUT_FIELD(contact, owner_id)},
    {"contact_name", "NAME", COLUMN_TEXT, OUTPUT_FIELD(contact, name)},
    {"contact_email", "EMAIL", COLUMN_TEXT, OUTPUT_FIELD(contact, email)},
    {"contact_phone", "PHONE", COLUMN_TEXT, OUTPUT_FIELD(contact, phone)},
    {.member = NULL},
};

static enum status print(void *arg, const struct contact *contact)
{
    return output_row(arg, columns, contact);
}

/* Puts STATUS_REFUSED of the store into words; returns status. */
static enum status owner_result(struct ctl *ctl, enum status status)
{
    char owner[UUID_TEXT_BYTES];

    if (status != STATUS_REFUSED)
        return status;
    uuid_format(&ctl_get(ctl, "--owner")->uuid, owner);
    return problem_set(&ctl->why, status,
                       "--owner: %s is no active member of the contact's organization",
                       owner);
}

static enum status add(struct ctl *ctl)
{
    struct contact contact = {
        .org_id = ctl_get(ctl, "--org")->uuid,
        .owner_id = ctl_get(ctl, "--owner")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .email = ctl_get(ctl, "--email")->text,
        .phone = ctl_get(ctl, "--phone")->text,
        .created_at_ms = ctl->now_ms,
        .updated_at_ms = ctl->now_ms,
    };

    ctl_new_id(ctl, &contact.id);
    enum status status = ctl_require_org(ctl, &contact.org_id);
    if (status == STATUS_OK)
        status = owner_result(ctl, contact_add(ctl->db, &contact));
    if (status == STATUS_EXISTS)
        return problem_set(&ctl->why, status, "there is a contact with this id already");
    if (status != STATUS_OK)
        return status;
    ctl_changed(ctl, &contact.org_id, &contact.id);
    return output_row(ctl->output, columns, &contact);
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = ctl_require_org(ctl, org_id);

    return status == STATUS_OK ? contact_list(ctl->db, org_id, print, ctl->output) : status;
}

static enum status show(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;

    return ctl_missing(ctl, contact_find(ctl->db, id, print, ctl->output), "contact", id);
}

/* What assigning needs to know of the contact as it is. */
struct before {
    struct uuid org_id;
    struct uuid owner_id;
};

static enum status keep_before(void *arg, const struct contact *contact)
{
    *(struct before *)arg = (struct before){contact->org_id, contact->owner_id};
    return STATUS_OK;
}

static enum status assign(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct uuid *owner_id = &ctl_get(ctl, "--owner")->uuid;
    struct before before;
    enum status status = contact_find(ctl->db, id, keep_before, &before);

    if (status == STATUS_OK && !uuid_equals(&before.owner_id, owner_id)) {
        status = owner_result(ctl, contact_assign(ctl->db, id, owner_id, ctl->now_ms));
        if (status == STATUS_OK)
            ctl_changed(ctl, &before.org_id, id);
    }
    if (status == STATUS_OK)
        status = contact_find(ctl->db, id, print, ctl->output);
    return ctl_missing(ctl, status, "contact", id);
}

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add a contact to an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {"--owner", "MEMBER", argument_uuid, PARAMETER_REQUIRED,
              .help = "the member who owns the contact and adds its notes"},
             {"NAME", NULL, argument_name, PARAMETER_REQUIRED, .help = "for people"},
             {"--email", "EMAIL", argument_email, PARAMETER_OPTIONAL,
              .help = "the e-mail address"},
             {"--phone", "PHONE", argument_phone, PARAMETER_OPTIONAL,
              .help = "the telephone number"},
             {"--id", "UUID", argument_uuid, PARAMETER_OPTIONAL,
              .help = "the id that it has elsewhere; else a new one"},
             {.name = NULL}},
     .run = add},
    {.name = "list",
     .help = "List an organization's contacts, the oldest first",
     .access = CTL_READ,
     .nothing = "no contacts",
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show a contact",
     .access = CTL_READ,
     .one = true,
     .parameters = (const struct parameter[]){{"ID", NULL, argument_uuid,
                                               PARAMETER_REQUIRED, .help = "the contact"},
                                              {.name = NULL}},
     .run = show},
    {.name = "assign",
     .help = "Make another member the owner of a contact",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {"ID", NULL, argument_uuid, PARAMETER_REQUIRED, .help = "the contact"},
             {"--owner", "MEMBER", argument_uuid, PARAMETER_REQUIRED,
              .help = "an active member of the same organization"},
             {.name = NULL}},
     .run = assign},
    {.name = NULL},
};

const struct noun noun_contact = {"contact", "Contacts of an organization", verbs};
