#include "app/manage/manage_key.h"

#include <assert.h>

#include "app/manage/manage.h"
#include "app/rules/text_rules.h"
#include "app/store/handed_out.h"
#include "app/store/member.h"

/* The words of sentences and of the audit for each kind. */
static const struct {
    const char *word;
    const char *issue, *rotate, *revoke;
} words[] = {
    [CREDENTIAL_API_KEY] = {"API key", "apikey issue", "apikey rotate", "apikey revoke"},
    [CREDENTIAL_DEVELOPER_SECRET] = {"developer key", "devkey issue", "devkey rotate",
                                     "devkey revoke"},
};

static enum status check_key_file(struct change *change, const struct key_secret *secret,
                                  struct problem *why)
{
    return key_mark_settle(change->db, NULL, &secret->mark, change->now_ms, why);
}

/* Turns STATUS_EXISTS of a secret that is stored into a sentence; returns status. */
static enum status explain_secret(enum status status, struct problem *why)
{
    if (status != STATUS_EXISTS)
        return status;
    return problem_set(why, status,
                       "this key is, or was, in the database already: use another");
}

/* The member's data that a key needs. */
struct holder {
    struct uuid org_id;
    bool active;
};

static enum status keep_holder(void *arg, const struct member *member)
{
    *(struct holder *)arg = (struct holder){member->org_id, member->active};
    return STATUS_OK;
}

static enum status find_holder(struct holder *out, struct db *db, const struct uuid *id,
                               struct problem *why)
{
    return manage_missing(member_find(db, id, keep_holder, out), "member", id, why);
}

enum status manage_key_issue_api(struct key_result *out, struct change *change,
                                 const struct key_secret *secret,
                                 const struct new_api_key *input, struct problem *why)
{
    struct holder holder;
    enum status status = manage_check_optional(text_rules_name, input->label, "label", why);

    assert(secret->kind == CREDENTIAL_API_KEY);
    if (status == STATUS_OK)
        status = check_key_file(change, secret, why);
    if (status == STATUS_OK)
        status = find_holder(&holder, change->db, &input->member_id, why);
    if (status != STATUS_OK)
        return status;
    *out = (struct key_result){
        .key.kind = secret->kind,
        .key.id = manage_new_id(NULL, change->now_ms),
        .key.org_id = holder.org_id,
        .key.member_id = input->member_id,
        .key.name = input->label,
        .key.created_at_ms = change->now_ms,
        .member_is_inactive = !holder.active,
    };
    status = explain_secret(key_add(change->db, &out->key, &secret->hash), why);
    if (status == STATUS_OK)
        change_made(change, words[secret->kind].issue, &out->key.org_id, &out->key.id);
    return status;
}

/* Finds the API key by its text, which the database does not hold. */
static enum status set_handed_out(struct change *change, const struct key *key,
                                  const struct new_developer_key *input,
                                  struct problem *why)
{
    const struct key_secret *secret = input->hands_out;
    struct uuid id;

    if (secret == NULL)
        return STATUS_OK;
    enum status status = handed_out_find(change->db, &id, &key->org_id, &secret->hash);
    if (status == STATUS_NOT_FOUND ||
        (status == STATUS_OK && !uuid_equals(&id, input->hands_out_id)))
        return problem_set(
            why, STATUS_NOT_FOUND,
            "standard input: the last line is not the text of this API key, or "
            "the key is of another organization or not live");
    return status == STATUS_OK ? handed_out_add(change->db, &key->id, &id, &secret->sealed)
                               : status;
}

enum status manage_key_issue_developer(struct key_result *out, struct change *change,
                                       const struct key_secret *secret,
                                       const struct new_developer_key *input,
                                       struct problem *why)
{
    bool changed = false;
    enum status status = manage_check_text(text_rules_name, input->name, "name", why);

    assert(secret->kind == CREDENTIAL_DEVELOPER_SECRET);
    if (status == STATUS_OK)
        status = check_key_file(change, secret, why);
    if (status == STATUS_OK)
        status = manage_require_org(change->db, &input->org_id, why);
    if (status != STATUS_OK)
        return status;
    *out = (struct key_result){
        .key.kind = secret->kind,
        .key.id = manage_new_id(NULL, change->now_ms),
        .key.org_id = input->org_id,
        .key.name = input->name,
        .key.created_at_ms = change->now_ms,
        .key.life.expires_at_ms = input->expires_at_ms,
    };
    status = explain_secret(key_add(change->db, &out->key, &secret->hash), why);
    if (status == STATUS_OK)
        status = manage_network_add(&changed, change, &out->key, &input->allow, why);
    if (status == STATUS_OK)
        status = set_handed_out(change, &out->key, input, why);
    if (status == STATUS_OK)
        change_made(change, words[secret->kind].issue, &out->key.org_id, &out->key.id);
    return status;
}

static enum status keep_key(void *arg, const struct key *key)
{
    struct key *kept = arg;

    *kept = *key;
    kept->name = (struct span){NULL, 0}; /* valid during this call only */
    return STATUS_OK;
}

static enum status find_key(struct key *out, struct db *db, enum credential_kind kind,
                            const struct uuid *id, struct problem *why)
{
    return manage_missing(key_find(db, kind, id, keep_key, out), words[kind].word, id, why);
}

/* Fills in the result, and stores the new secret. */
static enum status rotate(struct key_result *out, const struct change *change,
                          const struct key_secret *secret, int64_t grace_ms,
                          struct problem *why)
{
    const struct key *key = &out->key;

    out->former_until_ms = key_rules_former_until(&key->life, change->now_ms, grace_ms);
    out->older_until_ms =
        key_rules_older_until(&key->life, change->now_ms, out->former_until_ms);
    return explain_secret(key_rotate(change->db, key->kind, &key->id, &secret->hash,
                                     change->now_ms, out->former_until_ms),
                          why);
}

enum status manage_key_rotate(struct key_result *out, struct change *change,
                              const struct key_secret *secret, const struct uuid *id,
                              int64_t grace_ms, struct problem *why)
{
    struct holder holder = {.active = true};
    enum status status = check_key_file(change, secret, why);

    *out = (struct key_result){.former_until_ms = 0};
    if (status == STATUS_OK)
        status = find_key(&out->key, change->db, secret->kind, id, why);
    if (status == STATUS_OK)
        status = key_rules_may_rotate(&out->key.life, change->now_ms, why);
    if (status == STATUS_OK)
        status = rotate(out, change, secret, grace_ms, why);
    if (status == STATUS_OK && secret->kind == CREDENTIAL_API_KEY)
        status = handed_out_renew(change->db, id, &secret->sealed);
    if (status == STATUS_OK && secret->kind == CREDENTIAL_API_KEY)
        status = find_holder(&holder, change->db, &out->key.member_id, why);
    if (status != STATUS_OK)
        return status;
    out->member_is_inactive = !holder.active;
    change_made(change, words[secret->kind].rotate, &out->key.org_id, id);
    return STATUS_OK;
}

enum status manage_key_revoke(struct change *change, enum credential_kind kind,
                              const struct uuid *id, struct problem *why)
{
    struct key key;
    bool changed = false;
    enum status status = find_key(&key, change->db, kind, id, why);

    if (status == STATUS_OK)
        status = key_revoke(change->db, &changed, kind, id, change->now_ms);
    if (status == STATUS_OK)
        status = handed_out_forget(change->db, id);
    if (status == STATUS_OK && changed)
        change_made(change, words[kind].revoke, &key.org_id, id);
    return status;
}

enum status manage_key_edit_developer(struct change *change, const struct uuid *id,
                                      const struct developer_key_edit *edit,
                                      struct problem *why)
{
    const enum credential_kind kind = CREDENTIAL_DEVELOPER_SECRET;
    struct key key;
    bool changed = false;
    enum status status = STATUS_OK;

    if (edit->name != NULL)
        status = manage_check_text(text_rules_name, *edit->name, "name", why);
    if (status == STATUS_OK)
        status = find_key(&key, change->db, kind, id, why);
    if (status == STATUS_OK)
        status = key_update_developer(change->db, &changed, id, edit);
    if (status == STATUS_OK && changed)
        change_made(change, "devkey edit", &key.org_id, id);
    return status;
}
