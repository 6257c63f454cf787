#include "app/store/audit.h"

#include "app/ctl/ctl.h"

static const struct column columns[] = {
    {.member = "audit_id",
     .heading = "AUDIT ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(audit, id),
     .detail = true},
    {.member = "at", .heading = "AT", .type = COLUMN_DATE, OUTPUT_FIELD(audit, at_ms)},
    {.member = "actor",
     .heading = "ACTOR",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(audit, actor),
     .rank = 2},
    {.member = "action",
     .heading = "ACTION",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(audit, action),
     .rank = 1},
    {.member = "org_id",
     .heading = "ORG ID",
     .type = COLUMN_UUID_OR_NULL,
     OUTPUT_FIELD(audit, org_id),
     .rank = 5},
    {.member = "subject",
     .heading = "SUBJECT",
     .type = COLUMN_UUID_OR_NULL,
     OUTPUT_FIELD(audit, subject),
     .rank = 3},
    {.member = "detail",
     .heading = "DETAIL",
     .type = COLUMN_JSON,
     OUTPUT_FIELD(audit, detail),
     .rank = 4},
    {.member = NULL},
};

static enum status print(void *arg, const struct audit *audit)
{
    return output_row(arg, columns, audit);
}

static enum status list(struct ctl *ctl)
{
    const struct argument *org = ctl_get(ctl, "--org");
    const struct argument *since = ctl_get(ctl, "--since");
    const struct uuid *org_id = org->given ? &org->uuid : NULL;
    const struct audit_filter filter = {
        .org_id = org_id,
        .since_ms = since->given ? since->time_ms : INT64_MIN,
    };
    enum status status =
        org_id != NULL ? manage_require_org(ctl->db, org_id, &ctl->why) : STATUS_OK;

    if (status != STATUS_OK)
        return status;
    return manage_missing(audit_list(ctl->db, &filter, ctl->after, print, ctl->output),
                          "row of the audit", ctl->after, &ctl->why);
}

static const struct verb verbs[] = {
    {.name = "list",
     .help = "List what crmnotesctl changed, who did it and when, the newest last",
     .more =
         "SUBJECT is the id of what was changed, DETAIL what the command was given. Of\n"
         "names and addresses of people, and of names and labels of keys, it only says "
         "that\n"
         "they were given: true.",
     .access = CTL_PAGES,
     .nothing = "nothing was changed",
     .parameters =
         (const struct parameter[]){
             {.name = "--org",
              .value = "ID",
              .rule = argument_uuid,
              .help = "only what belongs to this organization"},
             {.name = "--since",
              .value = "TIME",
              .rule = argument_past,
              .help = "only from then on: 2030-12-31, 2030-12-31T23:59:59Z, or 90d for a "
                      "time before now"},
             {PARAMETER_LIMIT},
             {PARAMETER_AFTER},
             {.name = NULL}},
     .run = list},
    {.name = NULL},
};

const struct noun noun_audit = {"audit", "The audit: what was changed, and by whom", verbs};
