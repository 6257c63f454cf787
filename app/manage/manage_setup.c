#include "app/manage/manage_setup.h"

#include "app/manage/manage_contact.h"
#include "app/manage/manage_member.h"
#include "app/manage/manage_org.h"
#include "app/store/summary.h"

enum status manage_setup_check(struct db *db, bool another, struct problem *why)
{
    bool has_orgs = false;
    enum status status = another ? STATUS_OK : summary_has_orgs(db, &has_orgs);

    if (status == STATUS_OK && has_orgs)
        return problem_set(why, STATUS_EXISTS, "the database has an organization already");
    return status;
}

static enum status add_contact(struct setup *out, struct change *change, struct span name,
                               struct problem *why)
{
    const struct new_contact input = {
        .org_id = out->org.id,
        .fields.owner = {.given = true, .is_uuid = true, .uuid = out->member.id},
        .fields.texts[CONTACT_NAME] = {.given = true, .text = name},
    };

    return manage_contact_add(&out->contact_id, change, &input, why);
}

static enum status add_people(struct setup *out, struct change *change,
                              const struct new_setup *input, struct problem *why)
{
    const struct new_org org = {.name = input->org};
    enum status status = manage_org_add(&out->org, change, &org, why);

    if (status != STATUS_OK)
        return status;
    const struct new_member member = {
        .org_id = out->org.id, .name = input->member, .email = input->email};
    status = manage_member_add(&out->member, change, &member, why);
    return status == STATUS_OK ? add_contact(out, change, input->contact, why) : status;
}

static enum status issue_keys(struct setup *out, struct change *change,
                              const struct new_setup *input, struct problem *why)
{
    const struct new_api_key api_key = {.member_id = out->member.id};
    const struct new_developer_key developer_key = {
        .org_id = out->org.id, .name = input->program, .allow = input->allow};
    enum status status =
        manage_key_issue_api(&out->api_key, change, input->api_key, &api_key, why);

    return status == STATUS_OK
               ? manage_key_issue_developer(&out->developer_key, change,
                                            input->developer_secret, &developer_key, why)
               : status;
}

enum status manage_setup(struct setup *out, struct change *change,
                         const struct new_setup *input, struct problem *why)
{
    enum status status = manage_setup_check(change->db, input->another, why);

    if (status == STATUS_OK)
        status = add_people(out, change, input, why);
    if (status == STATUS_OK)
        status = issue_keys(out, change, input, why);
    if (status == STATUS_OK)
        change_made(change, "init", &out->org.id, &out->org.id);
    return status;
}
