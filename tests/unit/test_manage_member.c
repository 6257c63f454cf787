#include "app/manage/manage_member.h"

#include "tests/unit/manage_stage.h"

static void a_member_is_added_to_an_organization_and_active(void **state)
{
    const struct uuid id = stage_id("new");
    const struct new_member input = {.id = &id,
                                     .org_id = stage_id("acme"),
                                     .name = span_of("New"),
                                     .email = span_of("new@example.com")};
    struct member member;

    (void)state;
    must_have_done(manage_member_add(&member, begin(), &input, &why), "member add", "acme",
                   &id);
    assert_true(member.active);
    assert_string_equal(stage_ask("SELECT name || email || active || created_at"
                                  " FROM members WHERE member_id = {new}"
                                  " AND org_id = {acme}"),
                        "Newnew@example.com11000000");
}

static void what_is_wrong_with_a_new_member_is_said(void **state)
{
    const struct uuid ann = stage_id("ann"), acme = stage_id("acme");
    const struct {
        struct new_member input;
        enum status status;
        const char *sentence;
    } rows[] = {
        {{.org_id = acme, .name = span_of(" ")},
         STATUS_INVALID,
         "name: must not be empty or blank"},
        {{.org_id = acme, .name = span_of("A"), .email = span_of("a")},
         STATUS_INVALID,
         "e-mail: must look like name@example.com"},
        {{.org_id = acme, .name = span_of("A"), .id = &ann},
         STATUS_EXISTS,
         "there is a member with this id already"},
        {{.org_id = stage_id("no"), .name = span_of("A")},
         STATUS_NOT_FOUND,
         no_such("organization", "no")},
    };
    struct member member;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_have_failed(manage_member_add(&member, begin(), &rows[i].input, &why),
                         rows[i].status, rows[i].sentence);
    assert_string_equal(stage_ask("SELECT count(*) FROM members"), "3");
}

static void a_member_is_deactivated_and_activated_again(void **state)
{
    const struct uuid ann = stage_id("ann");

    (void)state;
    must_have_done(manage_member_set_active(begin(), &ann, false, &why),
                   "member deactivate", "acme", &ann);
    assert_string_equal(stage_ask("SELECT active FROM members WHERE member_id = {ann}"),
                        "0");
    assert_string_equal(stage_ask("SELECT sum(active) FROM members"), "2");
    must_have_left_all(manage_member_set_active(begin(), &ann, false, &why));
    must_have_done(manage_member_set_active(begin(), &ann, true, &why), "member activate",
                   "acme", &ann);
    must_have_left_all(manage_member_set_active(begin(), &ann, true, &why));
    assert_string_equal(stage_ask("SELECT sum(active) FROM members"), "3");
}

static void only_a_member_that_exists_is_activated(void **state)
{
    const struct uuid nobody = stage_id("nobody");

    (void)state;
    must_have_failed(manage_member_set_active(begin(), &nobody, true, &why),
                     STATUS_NOT_FOUND, no_such("member", "nobody"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_member_is_added_to_an_organization_and_active),
        on_stage(what_is_wrong_with_a_new_member_is_said),
        on_stage(a_member_is_deactivated_and_activated_again),
        on_stage(only_a_member_that_exists_is_activated),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
