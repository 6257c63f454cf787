#include "app/store/key_mark.h"

#include "tests/unit/stage.h"

static struct key_mark mark_of(const char *key_text)
{
    struct secret_key key = {{0}};

    memcpy(key.bytes, key_text, strlen(key_text));
    return key_mark_of(&key, "/the/key", "/the/database");
}

static enum status check(const char *key_text, struct problem *why)
{
    const struct key_mark mark = mark_of(key_text);

    *why = (struct problem){""};
    return key_mark_check(stage_db, &mark, why);
}

static enum status settle(const char *key_text, bool *changed)
{
    const struct key_mark mark = mark_of(key_text);
    struct problem why;

    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    enum status status = key_mark_settle(stage_db, changed, &mark, STAGE_NOW_MS, &why);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
    return status;
}

static void revoke_keys(void)
{
    stage_sql(
        "UPDATE developer_keys SET revoked_at = 5; UPDATE api_keys SET revoked_at = 5");
}

static void assert_says(const struct problem *why, const char *part)
{
    if (strstr(why->text, part) == NULL)
        fail_msg("'%s' does not say '%s'", why->text, part);
}

static void a_mark_depends_on_the_key_alone(void **state)
{
    struct key_mark one = mark_of("one"), again = mark_of("one"), other = mark_of("two");

    (void)state;
    again.key_file = "/elsewhere";
    assert_memory_equal(&one.mark, &again.mark, sizeof one.mark);
    assert_memory_not_equal(&one.mark, &other.mark, sizeof one.mark);
}

static void the_first_key_file_is_marked_and_known_from_then_on(void **state)
{
    struct problem why;
    bool changed = false;

    (void)state;
    assert_int_equal(check("one", &why), STATUS_CONFIG);
    assert_says(&why, "/the/database does not know the key file /the/key yet");
    assert_says(&why, "crmnotesctl db migrate");
    assert_int_equal(settle("one", &changed), STATUS_OK);
    assert_true(changed);
    assert_int_equal(settle("one", &changed), STATUS_OK);
    assert_false(changed);
    assert_int_equal(check("one", &why), STATUS_OK);
    assert_string_equal(why.text, "");
    assert_string_equal(stage_ask("SELECT place || ' ' || marked_at FROM key_mark"),
                        "1 1000000");
}

static void another_key_file_is_refused_while_there_are_keys(void **state)
{
    struct problem why;
    bool changed = true;

    (void)state;
    assert_int_equal(settle("one", NULL), STATUS_OK);
    assert_int_equal(settle("two", &changed), STATUS_CONFIG);
    assert_false(changed);
    assert_int_equal(check("two", &why), STATUS_CONFIG);
    assert_says(&why, "the key file /the/key is not the one");
    assert_says(&why, "the database /the/database");
    assert_says(&why, "put that one back");
    assert_int_equal(check("one", &why), STATUS_OK);
}

static void another_key_file_takes_the_place_of_one_that_no_key_needs(void **state)
{
    struct problem why;
    bool changed = false;

    (void)state;
    assert_int_equal(settle("one", NULL), STATUS_OK);
    stage_sql("UPDATE api_keys SET revoked_at = 5");
    assert_int_equal(settle("two", NULL), STATUS_CONFIG);
    revoke_keys();
    assert_int_equal(check("two", &why), STATUS_CONFIG);
    assert_says(&why, "crmnotesctl db migrate");
    assert_int_equal(settle("two", &changed), STATUS_OK);
    assert_true(changed);
    assert_int_equal(check("two", &why), STATUS_OK);
    assert_int_equal(check("one", &why), STATUS_CONFIG);
    assert_string_equal(stage_ask("SELECT count(*) FROM key_mark"), "1");
}

static void a_database_that_cannot_be_asked_is_no_wrong_key(void **state)
{
    struct problem why;

    (void)state;
    stage_sql("DROP TABLE key_mark");
    assert_int_equal(check("one", &why), STATUS_INTERNAL);
    assert_says(&why, "no such table: key_mark");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_mark_depends_on_the_key_alone),
        on_stage(the_first_key_file_is_marked_and_known_from_then_on),
        on_stage(another_key_file_is_refused_while_there_are_keys),
        on_stage(another_key_file_takes_the_place_of_one_that_no_key_needs),
        on_stage(a_database_that_cannot_be_asked_is_no_wrong_key),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
