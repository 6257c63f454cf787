#include "app/ctl/ctl.h"
#include "app/ctl/issue.h"
#include "app/ctl/keys.h"

static const struct column columns[] = {
    {.member = "apikey_id",
     .heading = "API KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(keys_row, key.id)},
    {.member = "api_key",
     .heading = "API KEY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(keys_row, secret),
     .optional = true},
    {.member = "member_id",
     .heading = "MEMBER ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(keys_row, key.member_id),
     .rank = 6},
    {.member = "label",
     .heading = "LABEL",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(keys_row, key.name),
     .rank = 1},
    {KEY_CREATED_COLUMN},
    {KEY_USED_COLUMN},
    {KEY_USED_FROM_COLUMN},
    {KEY_FORMER_COLUMN},
    {KEY_REVOKED_COLUMN},
    {.member = NULL},
};

static enum status prepare_issue(struct ctl *ctl)
{
    return issue_prepare(ctl, CREDENTIAL_API_KEY);
}

static enum status issue(struct ctl *ctl)
{
    const struct new_api_key input = {.member_id = ctl_get(ctl, "--member")->uuid,
                                      .label = ctl_get(ctl, "--label")->text};
    struct key_result result;
    enum status status =
        manage_key_issue_api(&result, &ctl->change, &ctl->secret, &input, &ctl->why);

    return status == STATUS_OK ? keys_show_issued(ctl, &result) : status;
}

static enum status list(struct ctl *ctl)
{
    const struct key_filter filter = {.org_id = &ctl_get(ctl, "--org")->uuid};

    return keys_list(ctl, &filter);
}

static const struct verb verbs[] = {
    {.name = "issue",
     .help = "Issue an API key to a member and show it, this once",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {.name = "--member",
              .value = "ID",
              .rule = argument_uuid,
              .need = PARAMETER_REQUIRED,
              .help = "the member that the key speaks for"},
             {.name = "--label",
              .value = "LABEL",
              .rule = argument_name,
              .personal = true,
              .help = "what the key is used for"},
             {.name = "--stdin",
              .help = "take a key that was made elsewhere from the first line of standard "
                      "input"},
             {.name = NULL}},
     .prepare = prepare_issue,
     .run = issue},
    {.name = "list",
     .help = "List an organization's API keys, the oldest first",
     .more = keys_list_more,
     .access = CTL_PAGES,
     .nothing = "no API keys",
     .parameters =
         (const struct parameter[]){
             {PARAMETER_ORG}, {PARAMETER_LIMIT}, {PARAMETER_AFTER}, {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show an API key, without its text",
     .access = CTL_READ,
     .one = true,
     .parameters = keys_only_id,
     .run = keys_show},
    {.name = "rotate",
     .help = "Give an API key another text and show it, this once; the former works on for "
             "a time",
     .more = keys_rotate_more,
     .access = CTL_WRITE,
     .one = true,
     .parameters = keys_rotate_parameters,
     .prepare = keys_prepare_rotate,
     .run = keys_rotate},
    {.name = "revoke",
     .help = "Make an API key count as absent, for ever",
     .access = CTL_WRITE,
     .one = true,
     .parameters = keys_only_id,
     .run = keys_revoke},
    {.name = NULL},
};

const struct noun noun_apikey = {"apikey", "API keys: which member a program speaks for",
                                 verbs};

const struct keys_noun keys_apikey = {&noun_apikey, CREDENTIAL_API_KEY, "API key", columns};
