#include "app/ctl/allowed.h"
#include "app/ctl/ctl.h"
#include "app/ctl/issue.h"
#include "app/ctl/keys.h"

static const struct column columns[] = {
    {.member = "devkey_id",
     .heading = "DEVELOPER KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(keys_row, key.id)},
    {.member = "org_id",
     .heading = "ORG ID",
     .type = COLUMN_UUID_OR_NULL,
     OUTPUT_FIELD(keys_row, org_id),
     .optional = true,
     .rank = 6},
    {.member = "developer_secret",
     .heading = "SECRET",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(keys_row, secret),
     .optional = true},
    {.member = "name",
     .heading = "NAME",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(keys_row, key.name),
     .rank = 1},
    {.member = "allow",
     .heading = "ALLOW",
     .type = COLUMN_BLOCKS,
     OUTPUT_FIELD(keys_row, allow),
     .rank = 2},
    {KEY_CREATED_COLUMN},
    {.member = "expires_at",
     .heading = "EXPIRES",
     .type = COLUMN_DATE,
     OUTPUT_FIELD(keys_row, key.life.expires_at_ms),
     .rank = 4},
    {KEY_USED_COLUMN},
    {KEY_USED_FROM_COLUMN},
    {KEY_FORMER_COLUMN},
    {KEY_REVOKED_COLUMN},
    {.member = NULL},
};

/* Checks the blocks first, before a secret is typed. */
static enum status prepare_issue(struct ctl *ctl)
{
    enum status status = allowed_check(ctl, "--allow");

    if (status == STATUS_OK)
        status = issue_prepare(ctl, CREDENTIAL_DEVELOPER_SECRET);
    return status == STATUS_OK ? issue_prepare_handed_out(ctl) : status;
}

static enum status issue(struct ctl *ctl)
{
    const struct argument *hands_out = ctl_get(ctl, "--hands-out");
    const struct new_developer_key input = {
        .org_id = ctl_get(ctl, "--org")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .expires_at_ms = ctl_get(ctl, "--expires")->time_ms,
        .allow = allowed_named(ctl, "--allow"),
        .hands_out = hands_out->given ? &ctl->handed_out : NULL,
        .hands_out_id = hands_out->given ? &hands_out->uuid : NULL,
    };
    struct key_result result;
    enum status status =
        manage_key_issue_developer(&result, &ctl->change, &ctl->secret, &input, &ctl->why);

    return status == STATUS_OK ? keys_show_issued(ctl, &result) : status;
}

static enum status edit(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct argument *expires = ctl_get(ctl, "--expires");
    const struct developer_key_edit changes = {
        .name = ctl_given_text(ctl, "--name"),
        .expires_at_ms = expires->given ? &expires->time_ms : NULL,
    };
    enum status status = manage_key_edit_developer(&ctl->change, id, &changes, &ctl->why);

    return status == STATUS_OK ? keys_show_one(ctl, id) : status;
}

static enum status list(struct ctl *ctl)
{
    const struct argument *org = ctl_get(ctl, "--org");
    const struct argument *expiring = ctl_get(ctl, "--expiring");
    const struct key_filter filter = {
        .org_id = org->given ? &org->uuid : NULL,
        .expires_after_ms = ctl->now_ms,
        .expires_until_ms = expiring->time_ms,
    };

    return keys_list(ctl, &filter);
}

#define WHEN_IT_ENDS                                                                       \
    "when it ends: 2030-12-31, 2030-12-31T23:59:59Z, 90d from now, or never"

static const struct verb verbs[] = {
    {.name = "issue",
     .help = "Issue a developer key and show its secret, this once",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {PARAMETER_ORG},
             {.name = "NAME",
              .rule = argument_name,
              .need = PARAMETER_REQUIRED,
              .personal = true,
              .help = "who uses the key, for people"},
             {.name = "--allow",
              .value = "CIDR",
              .rule = argument_blocks,
              .need = PARAMETER_REQUIRED,
              .many = true,
              .help = "the blocks from which it may be used, such as 192.0.2.0/24 "
                      "2001:db8::/32"},
             {.name = "--allow-any",
              .help = "let --allow hold 0.0.0.0/0 or ::/0, that is, every address"},
             {.name = "--expires",
              .value = "TIME",
              .rule = argument_expiry,
              .help = WHEN_IT_ENDS " (default)"},
             {.name = "--hands-out",
              .value = "APIKEY",
              .rule = argument_uuid,
              .help =
                  "the id of an API key that fetchIdentifiers answers; the key itself on "
                  "standard input"},
             {.name = "--stdin",
              .help =
                  "take a secret that was made elsewhere from the first line of standard "
                  "input"},
             {.name = NULL}},
     .prepare = prepare_issue,
     .run = issue},
    {.name = "list",
     .help = "List developer keys, the oldest first",
     .more = keys_list_more,
     .access = CTL_PAGES,
     .nothing = "no developer keys",
     .parameters =
         (const struct parameter[]){
             {.name = "--org",
              .value = "ID",
              .rule = argument_uuid,
              .help = "only those of this organization; else org_id tells whose they are"},
             {.name = "--expiring",
              .value = "TIME",
              .rule = argument_future,
              .help = "only live ones that end until then: 30d from now, or 2030-12-31"},
             {PARAMETER_LIMIT},
             {PARAMETER_AFTER},
             {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show a developer key, without its secret",
     .access = CTL_READ,
     .one = true,
     .parameters = keys_only_id,
     .run = keys_show},
    {.name = "edit",
     .help = "Change a developer key's name or expiry; what is not given stays",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_KEY},
                                              {PARAMETER_NEW_NAME},
                                              {.name = "--expires",
                                               .value = "TIME",
                                               .rule = argument_expiry,
                                               .need = PARAMETER_ANY,
                                               .help = WHEN_IT_ENDS},
                                              {.name = NULL}},
     .run = edit},
    {.name = "rotate",
     .help =
         "Give a developer key another secret and show it, this once; the former works on",
     .more = keys_rotate_more,
     .access = CTL_WRITE,
     .one = true,
     .parameters = keys_rotate_parameters,
     .prepare = keys_prepare_rotate,
     .run = keys_rotate},
    {.name = "revoke",
     .help = "Make a developer key count as absent, for ever",
     .access = CTL_WRITE,
     .one = true,
     .parameters = keys_only_id,
     .run = keys_revoke},
    {.name = NULL},
};

const struct noun noun_devkey = {"devkey", "Developer keys: which programs may add notes",
                                 verbs};

const struct keys_noun keys_devkey = {&noun_devkey, CREDENTIAL_DEVELOPER_SECRET,
                                      "developer key", columns};
