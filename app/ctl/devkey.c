#include "app/ctl/allowed.h"
#include "app/ctl/ctl.h"
#include "app/ctl/issue.h"
#include "app/ctl/keys.h"

static const struct column columns[] = {
    {"devkey_id", "DEVELOPER KEY ID", COLUMN_UUID, OUTPUT_FIELD(keys_row, key.id)},
    {"developer_secret", "SECRET", COLUMN_TEXT, OUTPUT_FIELD(keys_row, secret),
     .optional = true},
    {"name", "NAME", COLUMN_TEXT, OUTPUT_FIELD(keys_row, key.name)},
    {"allow", "ALLOW", COLUMN_BLOCKS, OUTPUT_FIELD(keys_row, allow)},
    {"created_at", "CREATED", COLUMN_DATE, OUTPUT_FIELD(keys_row, key.created_at_ms)},
    {"expires_at", "EXPIRES", COLUMN_DATE, OUTPUT_FIELD(keys_row, key.life.expires_at_ms)},
    {"last_used_at", "LAST USED", COLUMN_DATE, OUTPUT_FIELD(keys_row, key.last_used_at_ms)},
    {"last_used_from", "LAST USED FROM", COLUMN_ADDRESS,
     OUTPUT_FIELD(keys_row, key.last_used_from)},
    {"former_secret_until", "FORMER SECRET UNTIL", COLUMN_DATE,
     OUTPUT_FIELD(keys_row, former_until_ms)},
    {"revoked_at", "REVOKED", COLUMN_DATE, OUTPUT_FIELD(keys_row, key.life.revoked_at_ms)},
    {.member = NULL},
};

/* Checks the blocks first, before a secret is typed. */
static enum status prepare_issue(struct ctl *ctl)
{
    enum status status = allowed_check(ctl, "--allow");

    return status == STATUS_OK ? issue_prepare(ctl, CREDENTIAL_DEVELOPER_SECRET) : status;
}

static enum status issue(struct ctl *ctl)
{
    const struct new_developer_key input = {
        .org_id = ctl_get(ctl, "--org")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .expires_at_ms = ctl_get(ctl, "--expires")->time_ms,
        .allow = allowed_named(ctl, "--allow"),
    };
    struct key_result result;
    enum status status =
        manage_key_issue_developer(&result, &ctl->change, &ctl->secret, &input, &ctl->why);

    return status == STATUS_OK ? keys_show_issued(ctl, &result) : status;
}

static const struct verb verbs[] = {
    {.name = "issue",
     .help = "Issue a developer key and show its secret, this once",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {"NAME", NULL, argument_name, PARAMETER_REQUIRED,
              .help = "who uses the key, for people"},
             {"--allow", "CIDR", argument_blocks, PARAMETER_REQUIRED, .many = true,
              .help = "the blocks from which it may be used, such as 192.0.2.0/24 "
                      "2001:db8::/32"},
             {"--allow-any", NULL, NULL, PARAMETER_OPTIONAL,
              .help = "let --allow hold 0.0.0.0/0 or ::/0, that is, every address"},
             {"--expires", "RFC3339", argument_future, PARAMETER_OPTIONAL,
              .help = "when it ends, such as 2030-12-31T23:59:59Z; else never"},
             {"--stdin", NULL, NULL, PARAMETER_OPTIONAL,
              .help =
                  "take a secret that was made elsewhere from the first line of standard "
                  "input"},
             {.name = NULL}},
     .prepare = prepare_issue,
     .run = issue},
    {.name = "list",
     .help = "List an organization's developer keys, the oldest first",
     .access = CTL_READ,
     .nothing = "no developer keys",
     .parameters = keys_list_parameters,
     .run = keys_list},
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
     .parameters = keys_revoke_parameters,
     .run = keys_revoke},
    {.name = NULL},
};

const struct noun noun_devkey = {"devkey", "Developer keys: which programs may add notes",
                                 verbs};

const struct keys_noun keys_devkey = {&noun_devkey, CREDENTIAL_DEVELOPER_SECRET, columns};
