#include "app/manage/manage_member.h"

#include "app/manage/manage.h"
#include "app/rules/text_rules.h"

static enum status check(const struct new_member *input, struct problem *why)
{
    enum status status = manage_check_text(text_rules_name, input->name, "name", why);

    if (status == STATUS_OK)
        status = manage_check_optional(text_rules_email, input->email, "e-mail", why);
    return status;
}

enum status manage_member_add(struct member *out, struct change *change,
                              const struct new_member *input, struct problem *why)
{
    enum status status = check(input, why);

    if (status == STATUS_OK)
        status = manage_require_org(change->db, &input->org_id, why);
    if (status != STATUS_OK)
        return status;
    *out = (struct member){
        .id = manage_new_id(input->id, change->now_ms),
        .org_id = input->org_id,
        .name = input->name,
        .email = input->email,
        .active = true,
        .created_at_ms = change->now_ms,
    };
    status = member_add(change->db, out);
    if (status == STATUS_EXISTS)
        return problem_set(why, status, "there is a member with this id already");
    if (status == STATUS_OK)
        change_made(change, "member add", &out->org_id, &out->id);
    return status;
}

static enum status keep_org(void *arg, const struct member *member)
{
    *(struct uuid *)arg = member->org_id;
    return STATUS_OK;
}

static enum status keep_erasure(void *arg, const struct member *member)
{
    *(bool *)arg = member->erased_at_ms != 0;
    return STATUS_OK;
}

enum status manage_member_set_active(struct change *change, const struct uuid *id,
                                     bool active, struct problem *why)
{
    struct uuid org_id;
    bool changed = false, erased = false;
    enum status status = member_find(change->db, id, keep_org, &org_id);

    if (status == STATUS_OK && active)
        status = member_find(change->db, id, keep_erasure, &erased);
    if (status == STATUS_OK && erased)
        return problem_set(why, STATUS_REFUSED, "this member was erased: add a new one");
    if (status == STATUS_OK)
        status = member_set_active(change->db, &changed, id, active);
    if (status == STATUS_OK && changed)
        change_made(change, active ? "member activate" : "member deactivate", &org_id, id);
    return manage_missing(status, "member", id, why);
}

static enum status check_edit(const struct member_edit *edit, struct problem *why)
{
    enum status status = STATUS_OK;

    if (edit->name != NULL)
        status = manage_check_text(text_rules_name, *edit->name, "name", why);
    if (status == STATUS_OK && edit->email != NULL)
        status = manage_check_optional(text_rules_email, *edit->email, "e-mail", why);
    return status;
}

enum status manage_member_edit(struct change *change, const struct uuid *id,
                               const struct member_edit *edit, struct problem *why)
{
    struct uuid org_id;
    bool changed = false;
    enum status status = check_edit(edit, why);

    if (status != STATUS_OK)
        return status;
    status = member_find(change->db, id, keep_org, &org_id);
    if (status == STATUS_OK)
        status = member_update(change->db, &changed, id, edit);
    if (status == STATUS_OK && changed)
        change_made(change, "member edit", &org_id, id);
    return manage_missing(status, "member", id, why);
}
