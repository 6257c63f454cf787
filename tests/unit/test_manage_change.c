/* The transaction around all use cases. */
#include "tests/unit/manage_stage.h"

#include "app/store/org.h"

static const struct org new_org = {
    .id = {{7}}, .name = {"New", 3}, .created_at_ms = STAGE_NOW_MS};

static const char *count_new(void)
{
    return stage_ask("SELECT count(*) FROM orgs WHERE name = 'New'");
}

static void a_change_and_its_audit_row_come_together(void **state)
{
    (void)state;
    begin();
    assert_int_equal(org_add(stage_db, &new_org), STATUS_OK);
    change_made(&change, "org add", &new_org.id, &new_org.id);
    assert_string_equal(count_new(), "0");
    assert_string_equal(count_audit(), "0");
    assert_int_equal(change_end(&change, STATUS_OK), STATUS_OK);
    assert_string_equal(count_new(), "1");
    assert_string_equal(count_audit(), "1");
}

static void what_failed_leaves_nothing(void **state)
{
    (void)state;
    begin();
    assert_int_equal(org_add(stage_db, &new_org), STATUS_OK);
    change_made(&change, "org add", &new_org.id, &new_org.id);
    assert_int_equal(change_end(&change, STATUS_REFUSED), STATUS_REFUSED);
    assert_string_equal(count_new(), "0");
    assert_string_equal(count_audit(), "0");
}

static void what_changed_nothing_leaves_no_row(void **state)
{
    (void)state;
    begin();
    assert_int_equal(change_end(&change, STATUS_OK), STATUS_OK);
    assert_string_equal(count_audit(), "0");
}

/* Without its audit row a change must not happen. */
static void a_change_whose_audit_row_cannot_be_added_is_undone(void **state)
{
    const struct uuid nowhere = stage_id("nowhere");

    (void)state;
    begin();
    assert_int_equal(org_add(stage_db, &new_org), STATUS_OK);
    change_made(&change, "org add", &nowhere, &new_org.id);
    assert_int_not_equal(change_end(&change, STATUS_OK), STATUS_OK);
    assert_string_equal(count_new(), "0");
    assert_string_equal(count_audit(), "0");
}

static void the_lock_is_free_after_either_end(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        begin();
        (void)change_end(&change, i == 0 ? STATUS_OK : STATUS_INVALID);
        assert_int_equal(db_write_begin(stage_db, 0), STATUS_OK);
        db_write_rollback(stage_db);
    }
}

static void a_change_may_be_of_no_organization_and_nothing_with_an_id(void **state)
{
    (void)state;
    begin();
    change_made(&change, "db migrate", NULL, NULL);
    assert_int_equal(change_end(&change, STATUS_OK), STATUS_OK);
    assert_string_equal(stage_ask("SELECT action || (org_id IS NULL) || (subject IS NULL)"
                                  " FROM audit"),
                        "db migrate11");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_change_and_its_audit_row_come_together),
        on_stage(what_failed_leaves_nothing),
        on_stage(what_changed_nothing_leaves_no_row),
        on_stage(a_change_whose_audit_row_cannot_be_added_is_undone),
        on_stage(the_lock_is_free_after_either_end),
        on_stage(a_change_may_be_of_no_organization_and_nothing_with_an_id),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
