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

static const char *ann_is(void)
{
    return stage_ask("SELECT name || '|' || coalesce(email, '-') FROM members"
                     " WHERE member_id = {ann}");
}

static void what_is_given_of_a_member_changes_and_the_rest_stays(void **state)
{
    static const struct span name = SPAN("Anna"), email = SPAN("anna@example.com"),
                             none = SPAN(""), other = SPAN("Anne");
    const struct {
        struct member_edit edit;
        const char *after;
    } rows[] = {
        {{.name = &name, .email = &email}, "Anna|anna@example.com"},
        {{.email = &none}, "Anna|-"},
        {{.email = &email}, "Anna|anna@example.com"},
        {{.name = &other}, "Anne|anna@example.com"},
    };
    const struct uuid ann = stage_id("ann");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        must_have_done(manage_member_edit(begin(), &ann, &rows[i].edit, &why),
                       "member edit", "acme", &ann);
        assert_string_equal(ann_is(), rows[i].after);
        must_have_left_all(manage_member_edit(begin(), &ann, &rows[i].edit, &why));
    }
    must_have_left_all(
        manage_member_edit(begin(), &ann, &(struct member_edit){.name = NULL}, &why));
    assert_string_equal(stage_ask("SELECT count(*) FROM members WHERE name = 'Anne'"), "1");
}

static void what_is_wrong_with_an_edit_is_said(void **state)
{
    static const struct span empty = SPAN(""), wrong = SPAN("a");
    const struct uuid ann = stage_id("ann"), nobody = stage_id("nobody");
    const struct {
        const struct uuid *id;
        struct member_edit edit;
        enum status status;
        const char *sentence;
    } rows[] = {
        {&ann, {.name = &empty}, STATUS_INVALID, "name: must not be empty or blank"},
        {&ann,
         {.email = &wrong},
         STATUS_INVALID,
         "e-mail: must look like name@example.com"},
        {&nobody, {.name = &wrong}, STATUS_NOT_FOUND, no_such("member", "nobody")},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_have_failed(manage_member_edit(begin(), rows[i].id, &rows[i].edit, &why),
                         rows[i].status, rows[i].sentence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_member_is_added_to_an_organization_and_active),
        on_stage(what_is_wrong_with_a_new_member_is_said),
        on_stage(a_member_is_deactivated_and_activated_again),
        on_stage(only_a_member_that_exists_is_activated),
        on_stage(what_is_given_of_a_member_changes_and_the_rest_stays),
        on_stage(what_is_wrong_with_an_edit_is_said),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
