#include "app/manage/manage_setup.h"

#include "tests/unit/manage_stage.h"

static struct key_secret api_key, developer_secret;

/* The stage, with a key file that the database belongs to, and two secrets made with it. */
static int make(void **state)
{
    struct key_source source;
    struct problem problem = {""};

    if (stage_make(state) != 0)
        return -1;
    const char *path = scratch_path("key");
    if (secret_key_create(path, NULL, &problem) != STATUS_OK ||
        key_source_open(&source, path, stage_path, &problem) != STATUS_OK)
        return -1;
    key_secret_make(&api_key, &source, CREDENTIAL_API_KEY);
    key_secret_make(&developer_secret, &source, CREDENTIAL_DEVELOPER_SECRET);
    key_source_close(&source);
    return 0;
}

/* Input that is right, for a database with organizations. */
static struct new_setup right(void)
{
    static struct cidr block;

    assert_int_equal(cidr_parse(&block, span_of("192.0.2.0/24"), NULL), STATUS_OK);
    return (struct new_setup){
        .org = span_of("First"),
        .member = span_of("Mia"),
        .email = span_of("mia@example.com"),
        .contact = span_of("Carl"),
        .program = span_of("Program"),
        .allow = {.list = &block, .count = 1},
        .api_key = &api_key,
        .developer_secret = &developer_secret,
        .another = true,
    };
}

static const char *count_all(void)
{
    return stage_ask("SELECT (SELECT count(*) FROM orgs) || '|' ||"
                     " (SELECT count(*) FROM members) || '|' ||"
                     " (SELECT count(*) FROM contacts) || '|' ||"
                     " (SELECT count(*) FROM api_keys) || '|' ||"
                     " (SELECT count(*) FROM developer_keys) || '|' ||"
                     " (SELECT count(*) FROM developer_key_networks)");
}

static void all_of_it_belongs_together(void **state)
{
    const struct new_setup input = right();
    struct setup made;

    (void)state;
    enum status status = manage_setup(&made, begin(), &input, &why);
    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), why.text);
    assert_int_equal(change_end(&change, status), STATUS_OK);
    assert_string_equal(
        stage_ask(
            "SELECT o.name || '|' || m.name || '|' || m.email || '|' || c.name ||"
            " '|' || d.name || '|' || (SELECT count(*) FROM developer_key_networks AS n"
            " WHERE n.developer_key_id = d.developer_key_id)"
            " FROM orgs AS o JOIN members AS m USING (org_id)"
            " JOIN contacts AS c ON c.owner_id = m.member_id"
            " JOIN api_keys AS a ON a.member_id = m.member_id"
            " JOIN developer_keys AS d ON d.org_id = o.org_id"
            " WHERE o.name = 'First'"),
        "First|Mia|mia@example.com|Carl|Program|1");
    assert_string_equal(stage_ask("SELECT group_concat(action) FROM audit"), "init");
    assert_string_equal(stage_ask("SELECT count(*) FROM audit JOIN orgs USING (org_id)"
                                  " WHERE name = 'First' AND subject = org_id"),
                        "1");
}

static void a_failure_at_any_step_leaves_nothing(void **state)
{
    struct new_setup rows[5];
    struct cidr all;
    struct setup made;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = right();
    rows[0].org = span_of(" ");
    rows[1].email = span_of("mia");
    rows[2].contact = span_of("");
    rows[3].program = span_of("");
    assert_int_equal(cidr_parse(&all, span_of("0.0.0.0/0"), NULL), STATUS_OK);
    rows[4].allow.list = &all;
    char *before = strdup(count_all());
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum status status = manage_setup(&made, begin(), &rows[i], &why);

        assert_int_not_equal(status, STATUS_OK);
        assert_string_not_equal(why.text, "");
        assert_int_equal(change_end(&change, status), status);
        assert_string_equal(count_all(), before);
        assert_string_equal(count_audit(), "0");
    }
    free(before);
}

static void a_second_one_must_be_meant(void **state)
{
    struct new_setup input = right();
    struct setup made;

    (void)state;
    input.another = false;
    must_have_failed(manage_setup(&made, begin(), &input, &why), STATUS_EXISTS,
                     "the database has an organization already");
    assert_int_equal(manage_setup_check(stage_db, false, NULL), STATUS_EXISTS);
    assert_int_equal(manage_setup_check(stage_db, true, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_of_it_belongs_together, make, stage_remove),
        cmocka_unit_test_setup_teardown(a_failure_at_any_step_leaves_nothing, make,
                                        stage_remove),
        cmocka_unit_test_setup_teardown(a_second_one_must_be_meant, make, stage_remove),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
