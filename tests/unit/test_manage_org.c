#include "app/manage/manage_org.h"

#include "tests/unit/manage_stage.h"

static void an_organization_gets_the_id_that_is_given_or_a_new_one(void **state)
{
    const struct uuid id = stage_id("given");
    const struct new_org given = {.id = &id, .name = span_of("Given")};
    const struct new_org made = {.name = span_of("Made")};
    struct org org;

    (void)state;
    must_have_done(manage_org_add(&org, begin(), &given, &why), "org add", "given", &id);
    assert_true(uuid_equals(&org.id, &id));
    assert_string_equal(
        stage_ask("SELECT name || created_at FROM orgs WHERE org_id = {given}"),
        "Given1000000");
    assert_int_equal(manage_org_add(&org, begin(), &made, &why), STATUS_OK);
    assert_int_equal(change_end(&change, STATUS_OK), STATUS_OK);
    assert_false(uuid_equals(&org.id, &id));
    assert_string_equal(stage_ask("SELECT count(*) FROM orgs JOIN audit"
                                  " ON subject = orgs.org_id AND audit.org_id = subject"
                                  " WHERE name = 'Made'"),
                        "1");
}

static void an_id_is_taken_once(void **state)
{
    const struct uuid id = stage_id("acme");
    const struct new_org input = {.id = &id, .name = span_of("Again")};
    struct org org;

    (void)state;
    must_have_failed(manage_org_add(&org, begin(), &input, &why), STATUS_EXISTS,
                     "there is an organization with this id already");
    assert_string_equal(stage_ask("SELECT name FROM orgs WHERE org_id = {acme}"), "Acme");
}

static void a_name_must_be_acceptable(void **state)
{
    const struct new_org input = {.name = span_of("a\nb")};
    struct org org;

    (void)state;
    must_have_failed(manage_org_add(&org, begin(), &input, &why), STATUS_INVALID,
                     "name: must not hold control characters");
    begin();
    assert_int_equal(manage_org_add(&org, &change, &input, NULL), STATUS_INVALID);
    assert_int_equal(change_end(&change, STATUS_INVALID), STATUS_INVALID);
}

static void an_organization_is_renamed(void **state)
{
    const struct uuid id = stage_id("acme"), nobody = stage_id("nobody");

    (void)state;
    must_have_done(manage_org_rename(begin(), &id, span_of("New"), &why), "org rename",
                   "acme", &id);
    assert_string_equal(stage_ask("SELECT name FROM orgs WHERE org_id = {acme}"), "New");
    assert_string_equal(stage_ask("SELECT count(*) FROM orgs WHERE name = 'New'"), "1");
    must_have_left_all(manage_org_rename(begin(), &id, span_of("New"), &why));
    must_have_failed(manage_org_rename(begin(), &nobody, span_of("New"), &why),
                     STATUS_NOT_FOUND, no_such("organization", "nobody"));
    must_have_failed(manage_org_rename(begin(), &id, span_of(""), &why), STATUS_INVALID,
                     "name: must not be empty or blank");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(an_organization_gets_the_id_that_is_given_or_a_new_one),
        on_stage(an_id_is_taken_once),
        on_stage(a_name_must_be_acceptable),
        on_stage(an_organization_is_renamed),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
