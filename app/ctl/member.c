#include "app/ctl/ctl.h"
#include "app/ctl/erase.h"
#include "app/manage/manage_member.h"

static const struct column columns[] = {
    {.member = "member_id",
     .heading = "MEMBER ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(member, id)},
    {.member = "member_name",
     .heading = "NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(member, name),
     .rank = 1},
    {.member = "member_email",
     .heading = "EMAIL",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(member, email),
     .rank = 3},
    {.member = "active",
     .heading = "ACTIVE",
     .type = COLUMN_BOOL,
     OUTPUT_FIELD(member, active),
     .rank = 2},
    {.member = "erased_at",
     .heading = "ERASED",
     .type = COLUMN_DATE,
     OUTPUT_FIELD(member, erased_at_ms),
     .optional = true,
     .detail = true},
    {.member = NULL},
};

static enum status print(void *arg, const struct member *member)
{
    return output_row(arg, columns, member);
}

static enum status add(struct ctl *ctl)
{
    const struct new_member input = {
        .id = ctl_given_id(ctl),
        .org_id = ctl_get(ctl, "--org")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .email = ctl_get(ctl, "--email")->text,
    };
    struct member member;
    enum status status = manage_member_add(&member, &ctl->change, &input, &ctl->why);

    return status == STATUS_OK ? output_row(ctl->output, columns, &member) : status;
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = manage_require_org(ctl->db, org_id, &ctl->why);

    return status == STATUS_OK
               ? member_list(ctl->db, org_id, ctl->after, print, ctl->output)
               : status;
}

static enum status show_member(struct ctl *ctl, const struct uuid *id)
{
    return manage_missing(member_find(ctl->db, id, print, ctl->output), "member", id,
                          &ctl->why);
}

static enum status show(struct ctl *ctl)
{
    return show_member(ctl, &ctl_get(ctl, "ID")->uuid);
}

static enum status edit(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct member_edit changes = {
        .name = ctl_given_text(ctl, "--name"),
        .email = ctl_given_text(ctl, "--email"),
    };
    enum status status = manage_member_edit(&ctl->change, id, &changes, &ctl->why);

    return status == STATUS_OK ? show_member(ctl, id) : status;
}

static enum status set_active(struct ctl *ctl, bool active)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    enum status status = manage_member_set_active(&ctl->change, id, active, &ctl->why);

    return status == STATUS_OK ? show_member(ctl, id) : status;
}

static enum status deactivate(struct ctl *ctl)
{
    return set_active(ctl, false);
}

static enum status activate(struct ctl *ctl)
{
    return set_active(ctl, true);
}

#define PARAMETER_MEMBER                                                                   \
    .name = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED, .help = "the member"

static const struct parameter only_id[] = {
    {PARAMETER_MEMBER},
    {.name = NULL},
};

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add a member to an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_ORG},
                                              {PARAMETER_NAME},
                                              {PARAMETER_EMAIL},
                                              {PARAMETER_ID_ELSEWHERE},
                                              {.name = NULL}},
     .run = add},
    {.name = "list",
     .help = "List an organization's members, the oldest first",
     .access = CTL_PAGES,
     .nothing = "no members",
     .parameters =
         (const struct parameter[]){
             {PARAMETER_ORG}, {PARAMETER_LIMIT}, {PARAMETER_AFTER}, {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show a member",
     .access = CTL_READ,
     .one = true,
     .parameters = only_id,
     .run = show},
    {.name = "edit",
     .help = "Change a member's name or e-mail address; what is not given stays",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_MEMBER},
                                              {PARAMETER_NEW_NAME},
                                              {PARAMETER_NEW_EMAIL},
                                              {.name = NULL}},
     .run = edit},
    {.name = "deactivate",
     .help = "Make a member's API keys count as absent, until it is activated again",
     .access = CTL_WRITE,
     .one = true,
     .parameters = only_id,
     .run = deactivate},
    {.name = "activate",
     .help = "Take back a deactivation",
     .access = CTL_WRITE,
     .one = true,
     .parameters = only_id,
     .run = activate},
    {ERASE_VERB,
     .help = "Erase a member's name, e-mail address and origins, and deactivate it; its "
             "notes stay",
     .more = ERASE_MORE, .run = erase_run_member},
    {.name = NULL},
};

const struct noun noun_member = {"member", "Members of an organization: they own contacts",
                                 verbs};
