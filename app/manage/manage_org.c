#include "app/manage/manage_org.h"

#include "app/manage/manage.h"
#include "app/rules/text_rules.h"

enum status manage_org_add(struct org *out, struct change *change,
                           const struct new_org *input, struct problem *why)
{
    enum status status = manage_check_text(text_rules_name, input->name, "name", why);

    if (status != STATUS_OK)
        return status;
    *out = (struct org){
        .id = manage_new_id(input->id, change->now_ms),
        .name = input->name,
        .created_at_ms = change->now_ms,
    };
    status = org_add(change->db, out);
    if (status == STATUS_EXISTS)
        return problem_set(why, status, "there is an organization with this id already");
    if (status == STATUS_OK)
        change_made(change, "org add", &out->id, &out->id);
    return status;
}

enum status manage_org_rename(struct change *change, const struct uuid *id,
                              struct span name, struct problem *why)
{
    bool changed = false;
    enum status status = manage_check_text(text_rules_name, name, "name", why);

    if (status == STATUS_OK)
        status = manage_require_org(change->db, id, why);
    if (status == STATUS_OK)
        status = org_rename(change->db, &changed, id, name);
    if (status == STATUS_OK && changed)
        change_made(change, "org rename", id, id);
    return status;
}
