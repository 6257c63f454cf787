#include "app/ctl/ctl.h"
#include "app/ctl/issue.h"
#include "app/ctl/rotate.h"
#include "app/store/key.h"
#include "app/store/member.h"

/* A key, with its text while that is known. */
struct apikey_row {
    struct key key;
    struct span api_key;
    int64_t former_until_ms; /* 0: no former secret works */
};

static const struct column columns[] = {
    {"apikey_id", "API KEY ID", COLUMN_UUID, OUTPUT_FIELD(apikey_row, key.id)},
    {"api_key", "API KEY", COLUMN_TEXT, OUTPUT_FIELD(apikey_row, api_key),
     .optional = true},
    {"member_id", "MEMBER ID", COLUMN_UUID, OUTPUT_FIELD(apikey_row, key.member_id)},
    {"label", "LABEL", COLUMN_TEXT, OUTPUT_FIELD(apikey_row, key.name)},
    {"created_at", "CREATED", COLUMN_DATE, OUTPUT_FIELD(apikey_row, key.created_at_ms)},
    {"last_used_at", "LAST USED", COLUMN_DATE,
     OUTPUT_FIELD(apikey_row, key.last_used_at_ms)},
    {"last_used_from", "LAST USED FROM", COLUMN_ADDRESS,
     OUTPUT_FIELD(apikey_row, key.last_used_from)},
    {"former_secret_until", "FORMER SECRET UNTIL", COLUMN_DATE,
     OUTPUT_FIELD(apikey_row, former_until_ms)},
    {"revoked_at", "REVOKED", COLUMN_DATE,
     OUTPUT_FIELD(apikey_row, key.life.revoked_at_ms)},
    {.member = NULL},
};

static enum status print_row(struct ctl *ctl, const struct key *key, struct span text)
{
    struct apikey_row row = {
        .key = *key,
        .api_key = text,
        .former_until_ms =
            rotate_shown_until(ctl, key->life.former_until_ms, key->life.revoked_at_ms),
    };

    return output_row(ctl->output, columns, &row);
}

static enum status print(void *arg, const struct key *key)
{
    return print_row(arg, key, (struct span){NULL, 0});
}

static enum status print_with_key(void *arg, const struct key *key)
{
    struct ctl *ctl = arg;

    return print_row(ctl, key, (struct span){ctl->issue.text, ctl->issue.len});
}

static enum status prepare_issue(struct ctl *ctl)
{
    return issue_prepare(ctl, CREDENTIAL_API_KEY);
}

/* What the key takes from its member. */
struct holder {
    struct uuid org_id;
    bool active;
};

static enum status keep_holder(void *arg, const struct member *member)
{
    *(struct holder *)arg = (struct holder){member->org_id, member->active};
    return STATUS_OK;
}

static void remark_on_holder(struct ctl *ctl, const struct holder *holder)
{
    if (!holder->active)
        ctl_remark(ctl, "the member is deactivated: the key works once it is active again");
}

static enum status issue(struct ctl *ctl)
{
    struct holder holder;
    struct key key = {.kind = CREDENTIAL_API_KEY,
                      .member_id = ctl_get(ctl, "--member")->uuid,
                      .name = ctl_get(ctl, "--label")->text,
                      .created_at_ms = ctl->now_ms};
    enum status status = issue_begin(ctl);

    if (status != STATUS_OK)
        return status;
    status = member_find(ctl->db, &key.member_id, keep_holder, &holder);
    if (status != STATUS_OK)
        return ctl_missing(ctl, status, "member", &key.member_id);
    uuid_make(&key.id, ctl->now_ms);
    key.org_id = holder.org_id;
    status = issue_result(ctl, key_add(ctl->db, &key, &ctl->issue.hash));
    if (status != STATUS_OK)
        return status;
    remark_on_holder(ctl, &holder);
    issue_shows_once(ctl, "apikey", &key.id);
    ctl_changed(ctl, &key.org_id, &key.id);
    return print_with_key(ctl, &key);
}

static enum status keep_key(void *arg, const struct key *key)
{
    struct key *kept = arg;

    *kept = *key;
    kept->name = (struct span){NULL, 0}; /* valid during this call only */
    return STATUS_OK;
}

static enum status rotate(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    struct holder holder = {.active = true};
    struct key key;
    enum status status = issue_begin(ctl);

    if (status != STATUS_OK)
        return status;
    status = key_find(ctl->db, CREDENTIAL_API_KEY, id, keep_key, &key);
    if (status != STATUS_OK)
        return ctl_missing(ctl, status, "API key", id);
    const struct rotation rotation = {.noun = "apikey",
                                      .id = id,
                                      .revoked_at_ms = key.life.revoked_at_ms,
                                      .former_until_ms = key.life.former_until_ms};
    status = rotate_check(ctl, &rotation);
    if (status == STATUS_OK)
        status =
            issue_result(ctl, key_rotate(ctl->db, CREDENTIAL_API_KEY, id, &ctl->issue.hash,
                                         ctl->now_ms, rotate_former_until(ctl, &rotation)));
    if (status == STATUS_OK)
        status = member_find(ctl->db, &key.member_id, keep_holder, &holder);
    if (status != STATUS_OK)
        return status;
    remark_on_holder(ctl, &holder);
    rotate_remark(ctl, &rotation);
    ctl_changed(ctl, &key.org_id, id);
    return key_find(ctl->db, CREDENTIAL_API_KEY, id, print_with_key, ctl);
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = ctl_require_org(ctl, org_id);

    return status == STATUS_OK ? key_list(ctl->db, CREDENTIAL_API_KEY, org_id, print, ctl)
                               : status;
}

static enum status note_change(void *arg, const struct key *key)
{
    ctl_changed(arg, &key->org_id, &key->id);
    return STATUS_OK;
}

static enum status revoke(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    bool changed = false;
    enum status status = key_revoke(ctl->db, &changed, CREDENTIAL_API_KEY, id, ctl->now_ms);

    if (status == STATUS_OK && changed)
        status = key_find(ctl->db, CREDENTIAL_API_KEY, id, note_change, ctl);
    if (status == STATUS_OK)
        status = key_find(ctl->db, CREDENTIAL_API_KEY, id, print, ctl);
    return ctl_missing(ctl, status, "API key", id);
}

static const struct verb verbs[] = {
    {.name = "issue",
     .help = "Issue an API key to a member and show it, this once",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {"--member", "ID", argument_uuid, PARAMETER_REQUIRED,
              .help = "the member that the key speaks for"},
             {"--label", "LABEL", argument_name, PARAMETER_OPTIONAL,
              .help = "what the key is used for"},
             {"--stdin", NULL, NULL, PARAMETER_OPTIONAL,
              .help = "take a key that was made elsewhere from the first line of standard "
                      "input"},
             {.name = NULL}},
     .prepare = prepare_issue,
     .run = issue},
    {.name = "list",
     .help = "List an organization's API keys, the oldest first",
     .access = CTL_READ,
     .nothing = "no API keys",
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {.name = NULL}},
     .run = list},
    {.name = "rotate",
     .help = "Give an API key another text and show it, this once; the former works on for "
             "a time",
     .more = rotate_help_more,
     .access = CTL_WRITE,
     .one = true,
     .parameters = rotate_parameters,
     .prepare = prepare_issue,
     .run = rotate},
    {.name = "revoke",
     .help = "Make an API key count as absent, for ever",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{"ID", NULL, argument_uuid,
                                               PARAMETER_REQUIRED, .help = "the key's id"},
                                              {.name = NULL}},
     .run = revoke},
    {.name = NULL},
};

const struct noun noun_apikey = {"apikey", "API keys: which member a program speaks for",
                                 verbs};
