#include "app/ctl/ctl.h"
#include "app/manage/manage_org.h"

static const struct column columns[] = {
    {.member = "org_id", .heading = "ORG ID", .type = COLUMN_UUID, OUTPUT_FIELD(org, id)},
    {.member = "org_name",
     .heading = "NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(org, name),
     .rank = 1},
    {.member = NULL},
};

static enum status print(void *arg, const struct org *org)
{
    return output_row(arg, columns, org);
}

static enum status add(struct ctl *ctl)
{
    const struct new_org input = {.id = ctl_given_id(ctl),
                                  .name = ctl_get(ctl, "NAME")->text};
    struct org org;
    enum status status = manage_org_add(&org, &ctl->change, &input, &ctl->why);

    return status == STATUS_OK ? output_row(ctl->output, columns, &org) : status;
}

static enum status list(struct ctl *ctl)
{
    return org_list(ctl->db, ctl->after, print, ctl->output);
}

static enum status show_org(struct ctl *ctl, const struct uuid *id)
{
    return manage_missing(org_find(ctl->db, id, print, ctl->output), "organization", id,
                          &ctl->why);
}

static enum status show(struct ctl *ctl)
{
    return show_org(ctl, &ctl_get(ctl, "ID")->uuid);
}

static enum status rename_org(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    enum status status =
        manage_org_rename(&ctl->change, id, ctl_get(ctl, "NAME")->text, &ctl->why);

    return status == STATUS_OK ? show_org(ctl, id) : status;
}

#define PARAMETER_THE_ORG                                                                  \
    .name = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED,                       \
    .help = "the organization"

/* An organization is no person: the audit keeps its name. */
#define PARAMETER_ORG_NAME                                                                 \
    .name = "NAME", .rule = argument_name, .need = PARAMETER_REQUIRED, .help = "for people"

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_ORG_NAME},
                                              {PARAMETER_ID_ELSEWHERE},
                                              {.name = NULL}},
     .run = add},
    {.name = "list",
     .help = "List all organizations, the oldest first",
     .access = CTL_PAGES,
     .nothing = "no organizations",
     .parameters =
         (const struct parameter[]){{PARAMETER_LIMIT}, {PARAMETER_AFTER}, {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show an organization",
     .access = CTL_READ,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_THE_ORG}, {.name = NULL}},
     .run = show},
    {.name = "rename",
     .help = "Give an organization another name",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_THE_ORG},
                                              {PARAMETER_ORG_NAME},
                                              {.name = NULL}},
     .run = rename_org},
    {.name = NULL},
};

const struct noun noun_org = {"org", "Organizations, to one of which all else belongs",
                              verbs};
