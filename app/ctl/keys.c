#include "app/ctl/keys.h"

#include <stdlib.h>

#include "app/ctl/allowed.h"
#include "app/ctl/issue.h"
#include "lib/clock.h"

static const int64_t default_grace_ms = INT64_C(24) * 60 * 60 * 1000;

const struct parameter keys_rotate_parameters[] = {
    {PARAMETER_KEY},
    {.name = "--grace",
     .value = "TIME",
     .rule = argument_grace,
     .help = "how long the former one works: 90s, 30m, 24h (default), 7d, 2030-12-31; 0: "
             "not at all"},
    {.name = "--stdin",
     .help = "take one that was made elsewhere from the first line of standard input"},
    {.name = NULL},
};

const struct parameter keys_only_id[] = {
    {PARAMETER_KEY},
    {.name = NULL},
};

const char keys_list_more[] =
    "LAST USED and LAST USED FROM are of the first use in a minute: a use from another\n"
    "address soon after it is not shown. The log has each request with its address.";

const char keys_rotate_more[] =
    "Both work until the time that is shown, and the service logs each use of the former\n"
    "one. Former ones of earlier rotations keep their time, or end with this one's if\n"
    "that is before: --grace 0 ends all of them.";

static const struct keys_noun *noun_of(const struct ctl *ctl)
{
    return ctl->args->noun == keys_apikey.noun ? &keys_apikey : &keys_devkey;
}

/* more: the members of the row that are not always shown. */
static enum status print_row(struct ctl *ctl, const struct key *key,
                             const struct keys_row *more)
{
    struct allowed allowed = {.list = NULL};
    enum status status = STATUS_OK;

    if (key->kind == CREDENTIAL_DEVELOPER_SECRET)
        status = allowed_read(ctl->db, &allowed, &key->id);
    if (status == STATUS_OK) {
        const struct keys_row row = {
            .key = *key,
            .secret = more->secret,
            .org_id = more->org_id,
            .allow = {allowed.list, allowed.count},
            .former_until_ms = key_rules_former_now(&key->life, ctl->now_ms),
        };
        status = output_row(ctl->output, noun_of(ctl)->columns, &row);
    }
    free(allowed.list);
    return status;
}

static enum status print(void *arg, const struct key *key)
{
    return print_row(arg, key, &(struct keys_row){.org_id = NULL});
}

static enum status print_with_org(void *arg, const struct key *key)
{
    return print_row(arg, key, &(struct keys_row){.org_id = &key->org_id});
}

static enum status print_with_secret(void *arg, const struct key *key)
{
    struct ctl *ctl = arg;

    return print_row(ctl, key, &(struct keys_row){.secret = key_secret_text(&ctl->secret)});
}

static void remark_on_secret(struct ctl *ctl)
{
    if (!ctl->args->json)
        ctl_remark(ctl, "This is shown only once.");
}

static void remark_on_member(struct ctl *ctl, const struct key_result *result)
{
    if (result->member_is_inactive)
        ctl_remark(ctl, "the member is deactivated: the key works once it is active again");
}

enum status keys_show_issued(struct ctl *ctl, const struct key_result *result)
{
    char id[UUID_TEXT_BYTES];

    remark_on_member(ctl, result);
    remark_on_secret(ctl);
    uuid_format(&result->key.id, id);
    (void)problem_set(&ctl->lost, STATUS_OK,
                      "the key was issued but could not be shown: run 'crmnotesctl %s "
                      "revoke %s' and issue another",
                      ctl->args->noun->name, id);
    return print_with_secret(ctl, &result->key);
}

enum status keys_list(struct ctl *ctl, const struct key_filter *filter)
{
    enum status status = STATUS_OK;

    if (filter->org_id != NULL)
        status = manage_require_org(ctl->db, filter->org_id, &ctl->why);
    if (status != STATUS_OK)
        return status;
    return key_list(ctl->db, noun_of(ctl)->kind, filter, ctl->after,
                    filter->org_id != NULL ? print : print_with_org, ctl);
}

enum status keys_show_one(struct ctl *ctl, const struct uuid *id)
{
    const struct keys_noun *noun = noun_of(ctl);

    return manage_missing(key_find(ctl->db, noun->kind, id, print, ctl), noun->word, id,
                          &ctl->why);
}

enum status keys_show(struct ctl *ctl)
{
    return keys_show_one(ctl, &ctl_get(ctl, "ID")->uuid);
}

enum status keys_prepare_rotate(struct ctl *ctl)
{
    return issue_prepare(ctl, noun_of(ctl)->kind);
}

static void remark_on_older(struct ctl *ctl, int64_t older_until_ms)
{
    char text[CLOCK_TEXT_BYTES];

    if (older_until_ms == 0)
        ctl_remark(ctl, "Secrets of earlier rotations have ended, too");
    if (older_until_ms <= 0)
        return;
    clock_format(older_until_ms, text);
    ctl_remark(ctl, "Secrets of earlier rotations work until %s at the latest", text);
}

/* Prints the key as it is after a rotation. */
static enum status show_rotated(struct ctl *ctl, const struct key_result *result)
{
    char id[UUID_TEXT_BYTES];

    remark_on_member(ctl, result);
    remark_on_older(ctl, result->older_until_ms);
    remark_on_secret(ctl);
    uuid_format(&result->key.id, id);
    (void)problem_set(&ctl->lost, STATUS_OK,
                      "the key has a new secret, but it could not be shown: run "
                      "'crmnotesctl %s rotate %s' again",
                      ctl->args->noun->name, id);
    return key_find(ctl->db, result->key.kind, &result->key.id, print_with_secret, ctl);
}

/* In milliseconds. A date may be over by now, since a secret may have been typed. */
static int64_t grace_of(const struct ctl *ctl)
{
    const struct argument *grace = ctl_get(ctl, "--grace");

    if (!grace->given)
        return default_grace_ms;
    if (grace->time_ms == 0)
        return grace->duration_ms;
    return grace->time_ms > ctl->now_ms ? grace->time_ms - ctl->now_ms : 0;
}

enum status keys_rotate(struct ctl *ctl)
{
    struct key_result result;
    enum status status =
        manage_key_rotate(&result, &ctl->change, &ctl->secret, &ctl_get(ctl, "ID")->uuid,
                          grace_of(ctl), &ctl->why);

    if (status == STATUS_REFUSED)
        ctl_advise(ctl, ": issue another with '%s issue'%s", ctl->args->noun->name,
                   noun_of(ctl)->kind == CREDENTIAL_DEVELOPER_SECRET
                       ? ", or give an expired one more time with 'devkey edit'"
                       : "");
    return status == STATUS_OK ? show_rotated(ctl, &result) : status;
}

enum status keys_revoke(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    enum credential_kind kind = noun_of(ctl)->kind;
    enum status status = manage_key_revoke(&ctl->change, kind, id, &ctl->why);

    return status == STATUS_OK ? keys_show_one(ctl, id) : status;
}
