#include "app/store/member.h"

#include "app/ctl/ctl.h"

static const struct column columns[] = {
    {"member_id", "MEMBER ID", COLUMN_UUID, OUTPUT_FIELD(member, id)},
    {"member_name", "NAME", COLUMN_TEXT, OUTPUT_FIELD(member, name)},
    {"member_email", "EMAIL", COLUMN_TEXT, OUTPUT_FIELD(member, email)},
    {"active", "ACTIVE", COLUMN_BOOL, OUTPUT_FIELD(member, active)},
    {.member = NULL},
};

static enum status print(void *arg, const struct member *member)
{
    return output_row(arg, columns, member);
}

static enum status add(struct ctl *ctl)
{
    struct member member = {
        .org_id = ctl_get(ctl, "--org")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .email = ctl_get(ctl, "--email")->text,
        .active = true,
        .created_at_ms = ctl->now_ms,
    };

    ctl_new_id(ctl, &member.id);
    enum status status = ctl_require_org(ctl, &member.org_id);
    if (status == STATUS_OK)
        status = member_add(ctl->db, &member);
    if (status == STATUS_EXISTS)
        return problem_set(&ctl->why, status, "there is a member with this id already");
    if (status != STATUS_OK)
        return status;
    ctl_changed(ctl, &member.org_id, &member.id);
    return output_row(ctl->output, columns, &member);
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = ctl_require_org(ctl, org_id);

    return status == STATUS_OK ? member_list(ctl->db, org_id, print, ctl->output) : status;
}

static enum status note_change(void *arg, const struct member *member)
{
    ctl_changed(arg, &member->org_id, &member->id);
    return STATUS_OK;
}

static enum status set_active(struct ctl *ctl, bool active)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    bool changed = false;
    enum status status = member_set_active(ctl->db, &changed, id, active);

    if (status == STATUS_OK && changed)
        status = member_find(ctl->db, id, note_change, ctl);
    if (status == STATUS_OK)
        status = member_find(ctl->db, id, print, ctl->output);
    return ctl_missing(ctl, status, "member", id);
}

static enum status deactivate(struct ctl *ctl)
{
    return set_active(ctl, false);
}

static enum status activate(struct ctl *ctl)
{
    return set_active(ctl, true);
}

static const struct parameter only_id[] = {
    {"ID", NULL, argument_uuid, PARAMETER_REQUIRED, .help = "the member"},
    {.name = NULL},
};

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add a member to an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {"NAME", NULL, argument_name, PARAMETER_REQUIRED, .help = "for people"},
             {"--email", "EMAIL", argument_email, PARAMETER_OPTIONAL,
              .help = "the e-mail address"},
             {"--id", "UUID", argument_uuid, PARAMETER_OPTIONAL,
              .help = "the id that it has elsewhere; else a new one"},
             {.name = NULL}},
     .run = add},
    {.name = "list",
     .help = "List an organization's members, the oldest first",
     .access = CTL_READ,
     .nothing = "no members",
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {.name = NULL}},
     .run = list},
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
    {.name = NULL},
};

const struct noun noun_member = {"member", "Members of an organization: they own contacts",
                                 verbs};
