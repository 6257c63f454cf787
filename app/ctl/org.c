#include "app/store/org.h"

#include "app/ctl/ctl.h"

static const struct column columns[] = {
    {"org_id", "ORG ID", COLUMN_UUID, OUTPUT_FIELD(org, id)},
    {"org_name", "NAME", COLUMN_TEXT, OUTPUT_FIELD(org, name)},
    {.member = NULL},
};

static enum status print(void *arg, const struct org *org)
{
    return output_row(arg, columns, org);
}

static enum status add(struct ctl *ctl)
{
    struct org org = {.name = ctl_get(ctl, "NAME")->text, .created_at_ms = ctl->now_ms};

    ctl_new_id(ctl, &org.id);
    enum status status = org_add(ctl->db, &org);
    if (status == STATUS_EXISTS)
        return problem_set(&ctl->why, status,
                           "there is an organization with this id already");
    if (status != STATUS_OK)
        return status;
    ctl_changed(ctl, &org.id, &org.id);
    return output_row(ctl->output, columns, &org);
}

static enum status list(struct ctl *ctl)
{
    return org_list(ctl->db, print, ctl->output);
}

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Add an organization",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {"NAME", NULL, argument_name, PARAMETER_REQUIRED, .help = "for people"},
             {"--id", "UUID", argument_uuid, PARAMETER_OPTIONAL,
              .help = "the id that it has elsewhere; else a new one"},
             {.name = NULL}},
     .run = add},
    {.name = "list",
     .help = "List all organizations, the oldest first",
     .access = CTL_READ,
     .nothing = "no organizations",
     .parameters = (const struct parameter[]){{.name = NULL}},
     .run = list},
    {.name = NULL},
};

const struct noun noun_org = {"org", "Organizations, to one of which all else belongs",
                              verbs};
