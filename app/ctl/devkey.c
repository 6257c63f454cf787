#include <stdlib.h>

#include "app/ctl/allowed.h"
#include "app/ctl/ctl.h"
#include "app/ctl/issue.h"
#include "app/ctl/rotate.h"
#include "app/store/key.h"

/* A key with its blocks, and with its secret while that is known. */
struct devkey_row {
    struct key key;
    struct span secret;
    struct output_blocks allow;
    int64_t former_until_ms; /* 0: no former secret works */
};

static const struct column columns[] = {
    {"devkey_id", "DEVELOPER KEY ID", COLUMN_UUID, OUTPUT_FIELD(devkey_row, key.id)},
    {"developer_secret", "SECRET", COLUMN_TEXT, OUTPUT_FIELD(devkey_row, secret),
     .optional = true},
    {"name", "NAME", COLUMN_TEXT, OUTPUT_FIELD(devkey_row, key.name)},
    {"allow", "ALLOW", COLUMN_BLOCKS, OUTPUT_FIELD(devkey_row, allow)},
    {"created_at", "CREATED", COLUMN_DATE, OUTPUT_FIELD(devkey_row, key.created_at_ms)},
    {"expires_at", "EXPIRES", COLUMN_DATE,
     OUTPUT_FIELD(devkey_row, key.life.expires_at_ms)},
    {"last_used_at", "LAST USED", COLUMN_DATE,
     OUTPUT_FIELD(devkey_row, key.last_used_at_ms)},
    {"last_used_from", "LAST USED FROM", COLUMN_ADDRESS,
     OUTPUT_FIELD(devkey_row, key.last_used_from)},
    {"former_secret_until", "FORMER SECRET UNTIL", COLUMN_DATE,
     OUTPUT_FIELD(devkey_row, former_until_ms)},
    {"revoked_at", "REVOKED", COLUMN_DATE,
     OUTPUT_FIELD(devkey_row, key.life.revoked_at_ms)},
    {.member = NULL},
};

static enum status print_row(struct ctl *ctl, const struct key *key, struct span secret)
{
    struct allowed allowed;
    enum status status = allowed_read(ctl->db, &allowed, &key->id);

    if (status == STATUS_OK) {
        struct devkey_row row = {
            .key = *key,
            .secret = secret,
            .allow = {allowed.list, allowed.count},
            .former_until_ms =
                rotate_shown_until(ctl, key->life.former_until_ms, key->life.revoked_at_ms),
        };
        status = output_row(ctl->output, columns, &row);
    }
    free(allowed.list);
    return status;
}

static enum status print(void *arg, const struct key *key)
{
    return print_row(arg, key, (struct span){NULL, 0});
}

static enum status print_with_secret(void *arg, const struct key *key)
{
    struct ctl *ctl = arg;

    return print_row(ctl, key, (struct span){ctl->issue.text, ctl->issue.len});
}

static enum status prepare_issue(struct ctl *ctl)
{
    enum status status = allowed_check_any(ctl, ctl_get(ctl, "--allow"));

    return status == STATUS_OK ? issue_prepare(ctl, CREDENTIAL_DEVELOPER_SECRET) : status;
}

static enum status issue(struct ctl *ctl)
{
    struct key key = {
        .kind = CREDENTIAL_DEVELOPER_SECRET,
        .org_id = ctl_get(ctl, "--org")->uuid,
        .name = ctl_get(ctl, "NAME")->text,
        .created_at_ms = ctl->now_ms,
        .life.expires_at_ms = ctl_get(ctl, "--expires")->time_ms,
    };
    bool changed = false;
    enum status status = issue_begin(ctl);

    if (status == STATUS_OK)
        status = ctl_require_org(ctl, &key.org_id);
    uuid_make(&key.id, ctl->now_ms);
    if (status == STATUS_OK)
        status = issue_result(ctl, key_add(ctl->db, &key, &ctl->issue.hash));
    if (status == STATUS_OK)
        status = allowed_add(ctl, &changed, &key, ctl_get(ctl, "--allow"));
    if (status != STATUS_OK)
        return status;
    issue_shows_once(ctl, "devkey", &key.id);
    ctl_changed(ctl, &key.org_id, &key.id);
    return print_with_secret(ctl, &key);
}

static enum status prepare_rotate(struct ctl *ctl)
{
    return issue_prepare(ctl, CREDENTIAL_DEVELOPER_SECRET);
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
    struct key key;
    enum status status = issue_begin(ctl);

    if (status != STATUS_OK)
        return status;
    status = key_find(ctl->db, CREDENTIAL_DEVELOPER_SECRET, id, keep_key, &key);
    if (status != STATUS_OK)
        return ctl_missing(ctl, status, "developer key", id);
    const struct rotation rotation = {.noun = "devkey",
                                      .id = id,
                                      .expires_at_ms = key.life.expires_at_ms,
                                      .revoked_at_ms = key.life.revoked_at_ms,
                                      .former_until_ms = key.life.former_until_ms};
    status = rotate_check(ctl, &rotation);
    if (status == STATUS_OK)
        status = issue_result(ctl, key_rotate(ctl->db, CREDENTIAL_DEVELOPER_SECRET, id,
                                              &ctl->issue.hash, ctl->now_ms,
                                              rotate_former_until(ctl, &rotation)));
    if (status != STATUS_OK)
        return status;
    rotate_remark(ctl, &rotation);
    ctl_changed(ctl, &key.org_id, id);
    return key_find(ctl->db, CREDENTIAL_DEVELOPER_SECRET, id, print_with_secret, ctl);
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *org_id = &ctl_get(ctl, "--org")->uuid;
    enum status status = ctl_require_org(ctl, org_id);

    return status == STATUS_OK
               ? key_list(ctl->db, CREDENTIAL_DEVELOPER_SECRET, org_id, print, ctl)
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
    enum status status =
        key_revoke(ctl->db, &changed, CREDENTIAL_DEVELOPER_SECRET, id, ctl->now_ms);

    if (status == STATUS_OK && changed)
        status = key_find(ctl->db, CREDENTIAL_DEVELOPER_SECRET, id, note_change, ctl);
    if (status == STATUS_OK)
        status = key_find(ctl->db, CREDENTIAL_DEVELOPER_SECRET, id, print, ctl);
    return ctl_missing(ctl, status, "developer key", id);
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
     .parameters =
         (const struct parameter[]){
             {"--org", "ID", argument_uuid, PARAMETER_REQUIRED, .help = "the organization"},
             {.name = NULL}},
     .run = list},
    {.name = "rotate",
     .help =
         "Give a developer key another secret and show it, this once; the former works on",
     .more = rotate_help_more,
     .access = CTL_WRITE,
     .one = true,
     .parameters = rotate_parameters,
     .prepare = prepare_rotate,
     .run = rotate},
    {.name = "revoke",
     .help = "Make a developer key count as absent, for ever",
     .access = CTL_WRITE,
     .one = true,
     .parameters = (const struct parameter[]){{"ID", NULL, argument_uuid,
                                               PARAMETER_REQUIRED, .help = "the key's id"},
                                              {.name = NULL}},
     .run = revoke},
    {.name = NULL},
};

const struct noun noun_devkey = {"devkey", "Developer keys: which programs may add notes",
                                 verbs};
