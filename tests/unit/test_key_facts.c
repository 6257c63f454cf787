#include "app/store/key_facts.h"

#include "app/api/error.h"

#include "tests/unit/stage.h"

static enum error check(struct caller *caller, const struct credentials *credentials)
{
    enum error refusal = ERROR_NONE;
    enum status status =
        stage_judge_caller(caller, &refusal, stage_db, credentials, STAGE_NOW_MS);

    assert_int_equal(status, refusal == ERROR_NONE ? STATUS_OK : STATUS_REFUSED);
    return refusal;
}

struct row {
    const char *api_key, *secret, *address;
    enum error error;
};

static void expect_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct caller caller;
        struct credentials credentials =
            stage_credentials(rows[i].api_key, rows[i].secret, rows[i].address);
        enum error error = check(&caller, &credentials);
        if (error != rows[i].error)
            fail_msg("%s, %s, %s: %s", rows[i].api_key, rows[i].secret, rows[i].address,
                     error == ERROR_NONE ? "accepted" : error_text(error)->code);
    }
}

static void expect_row(const char *api_key, const char *secret, const char *address,
                       enum error error)
{
    expect_rows(&(struct row){api_key, secret, address, error}, 1);
}

static void the_first_check_that_fails_answers(void **state)
{
    static const struct row rows[] = {
        {"ann-key", "dev", "192.0.2.7", ERROR_NONE},
        {"ann-key", "dev", "2001:db8::7", ERROR_NONE},
        {"bob-key", "dev", "192.0.2.7", ERROR_NONE},
        {"ann-key", "far", "198.51.100.255", ERROR_NONE},
        {"eve-key", "eve-dev", "203.0.113.1", ERROR_NONE},
        /* check 1 */
        {"", "dev", "192.0.2.7", ERROR_MISSING_API_KEY},
        {"", "", "", ERROR_MISSING_API_KEY},
        /* check 2 */
        {"no-key", "dev", "192.0.2.7", ERROR_INVALID_API_KEY},
        {"no-key", "", "", ERROR_INVALID_API_KEY},
        {"dev", "dev", "192.0.2.7", ERROR_INVALID_API_KEY},
        /* check 3, before any check of the secret */
        {"ann-key", "dev", "10.0.0.1", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "", "10.0.0.1", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "no-key", "10.0.0.1", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "dev", "", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "dev", "192.0.3.7", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "dev", "203.0.113.1", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "eve-dev", "203.0.113.1", ERROR_IP_NOT_WHITELISTED},
        /* check 4 */
        {"ann-key", "", "192.0.2.7", ERROR_MISSING_DEVELOPER_SECRET},
        {"ann-key", "", "198.51.100.1", ERROR_MISSING_DEVELOPER_SECRET},
        /* check 5 */
        {"ann-key", "no-key", "192.0.2.7", ERROR_INVALID_DEVELOPER_SECRET},
        {"ann-key", "eve-dev", "192.0.2.7", ERROR_INVALID_DEVELOPER_SECRET},
        {"ann-key", "ann-key", "192.0.2.7", ERROR_INVALID_DEVELOPER_SECRET},
        /* check 6 */
        {"ann-key", "far", "192.0.2.7", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "dev", "198.51.100.1", ERROR_IP_NOT_WHITELISTED},
        {"ann-key", "bare", "192.0.2.7", ERROR_IP_NOT_WHITELISTED},
        /* networks and keys of another organization do not count */
        {"eve-key", "eve-dev", "192.0.2.7", ERROR_IP_NOT_WHITELISTED},
        {"eve-key", "dev", "203.0.113.1", ERROR_INVALID_DEVELOPER_SECRET},
    };

    (void)state;
    expect_rows(rows, COUNT(rows));
}

static void revoked_keys_count_as_absent(void **state)
{
    (void)state;
    stage_sql("UPDATE developer_keys SET revoked_at = 5 WHERE developer_key_id = {dev}");
    expect_row("ann-key", "dev", "192.0.2.7", ERROR_IP_NOT_WHITELISTED);
    expect_row("ann-key", "dev", "198.51.100.1", ERROR_INVALID_DEVELOPER_SECRET);
    expect_row("ann-key", "", "192.0.2.7", ERROR_IP_NOT_WHITELISTED);
    stage_sql("UPDATE api_keys SET revoked_at = 5 WHERE api_key_id = {ann-key}");
    expect_row("ann-key", "far", "198.51.100.1", ERROR_INVALID_API_KEY);
    expect_row("bob-key", "far", "198.51.100.1", ERROR_NONE);
}

static void keys_expire_at_their_time_and_not_before(void **state)
{
    (void)state;
    stage_sql(
        "UPDATE developer_keys SET expires_at = 1000001 WHERE developer_key_id = {dev}");
    expect_row("ann-key", "dev", "192.0.2.7", ERROR_NONE);
    stage_sql(
        "UPDATE developer_keys SET expires_at = 1000000 WHERE developer_key_id = {dev}");
    expect_row("ann-key", "dev", "192.0.2.7", ERROR_IP_NOT_WHITELISTED);
    expect_row("ann-key", "dev", "198.51.100.1", ERROR_INVALID_DEVELOPER_SECRET);
}

static void members_who_are_not_active_have_no_keys(void **state)
{
    (void)state;
    stage_sql("UPDATE members SET active = 0 WHERE member_id = {ann}");
    expect_row("ann-key", "dev", "192.0.2.7", ERROR_INVALID_API_KEY);
    expect_row("bob-key", "dev", "192.0.2.7", ERROR_NONE);
    stage_sql("UPDATE members SET active = 1 WHERE member_id = {ann}");
    expect_row("ann-key", "dev", "192.0.2.7", ERROR_NONE);
}

static void what_was_found_out_is_told(void **state)
{
    struct caller caller;
    struct credentials good = stage_credentials("ann-key", "dev", "192.0.2.7");
    struct credentials stranger = stage_credentials("ann-key", "eve-dev", "192.0.2.7");
    struct uuid acme = stage_id("acme"), key = stage_id("ann-key"), dev = stage_id("dev"),
                none = stage_id("");

    (void)state;
    assert_int_equal(check(&caller, &good), ERROR_NONE);
    assert_true(uuid_equals(&caller.org_id, &acme));
    assert_true(uuid_equals(&caller.api_key_id, &key));
    assert_true(uuid_equals(&caller.developer_key_id, &dev));
    assert_int_equal(check(&caller, &stranger), ERROR_INVALID_DEVELOPER_SECRET);
    assert_true(uuid_equals(&caller.org_id, &acme));
    assert_true(uuid_equals(&caller.developer_key_id, &none));
    stranger.has_api_key = false;
    assert_int_equal(check(&caller, &stranger), ERROR_MISSING_API_KEY);
    assert_true(uuid_equals(&caller.org_id, &none));
}

static const char *used_at(const char *table)
{
    return stage_ask(table[0] == 'a'
                         ? "SELECT last_used_at FROM api_keys WHERE api_key_id = {ann-key}"
                         : "SELECT last_used_at FROM developer_keys"
                           " WHERE developer_key_id = {dev}");
}

static const char *used_from(const char *table)
{
    return stage_ask(
        table[0] == 'a'
            ? "SELECT hex(last_used_from) FROM api_keys WHERE api_key_id = {ann-key}"
            : "SELECT hex(last_used_from) FROM developer_keys"
              " WHERE developer_key_id = {dev}");
}

static void touch_at(const char *address, int64_t now_ms)
{
    struct caller caller;
    struct credentials credentials = stage_credentials("ann-key", "dev", address);
    bool touched;

    assert_int_equal(check(&caller, &credentials), ERROR_NONE);
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(key_touch(&touched, stage_db, &caller, &credentials.address, now_ms),
                     STATUS_OK);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

/* With the address of that use, and not that of a later use in the same minute. */
static void the_last_use_is_kept_to_the_minute(void **state)
{
    static const struct {
        int64_t at_ms;
        const char *address, *kept, *from;
    } rows[] = {
        {1000000, "192.0.2.7", "1000000", "C0000207"},
        {1000001, "192.0.2.8", "1000000", "C0000207"},
        {1059999, "2001:db8::1", "1000000", "C0000207"},
        {1060000, "2001:db8::1", "1060000", "20010DB8000000000000000000000001"},
        {1059999, "192.0.2.8", "1059999", "C0000208"},
        {5000000, "192.0.2.8", "5000000", "C0000208"},
    };

    (void)state;
    assert_string_equal(used_at("api"), "NULL");
    for (size_t i = 0; i < COUNT(rows); i++) {
        touch_at(rows[i].address, rows[i].at_ms);
        assert_string_equal(used_at("api"), rows[i].kept);
        assert_string_equal(used_at("developer"), rows[i].kept);
        assert_string_equal(used_from("api"), rows[i].from);
        assert_string_equal(used_from("developer"), rows[i].from);
    }
    assert_string_equal(
        stage_ask("SELECT last_used_at FROM api_keys WHERE api_key_id = {bob-key}"),
        "NULL");
}

static void an_organization_with_many_keys_is_searched_to_the_last(void **state)
{
    (void)state;
    stage_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
        "INSERT INTO developer_keys (developer_key_id, org_id, name, hash, created_at)"
        " SELECT CAST(printf('k%015d', i) AS BLOB), {acme}, 'K',"
        " CAST(printf('k%031d', i) AS BLOB), 1 FROM n;"
        "INSERT INTO developer_key_networks VALUES"
        " (CAST(printf('k%015d', 200) AS BLOB), 4, x'0a010101', 32, {acme}, 1)");
    expect_row("ann-key", "dev", "10.1.1.1", ERROR_IP_NOT_WHITELISTED);
    expect_row("ann-key", "", "10.1.1.1", ERROR_MISSING_DEVELOPER_SECRET);
    expect_row("ann-key", "", "10.1.1.2", ERROR_IP_NOT_WHITELISTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(the_first_check_that_fails_answers),
        on_stage(revoked_keys_count_as_absent),
        on_stage(keys_expire_at_their_time_and_not_before),
        on_stage(members_who_are_not_active_have_no_keys),
        on_stage(what_was_found_out_is_told),
        on_stage(the_last_use_is_kept_to_the_minute),
        on_stage(an_organization_with_many_keys_is_searched_to_the_last),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
