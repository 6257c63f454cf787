#include "app/manage/manage_key.h"

#include "tests/unit/manage_stage.h"

enum {
    GRACE_MS = 5000,
};

static const char own_text[] = "made-elsewhere-0123456789";
static struct key_source source;

/* The stage, with a key file that the database belongs to. */
static int make(void **state)
{
    if (stage_make(state) != 0)
        return -1;
    const char *path = scratch_path("key");
    struct problem problem = {""};
    if (secret_key_create(path, NULL, &problem) != STATUS_OK)
        return -1;
    if (key_source_open(&source, path, stage_path, &problem) != STATUS_OK)
        return -1;
    if (db_write_begin(stage_db, STAGE_LOCK_MS) != STATUS_OK)
        return -1;
    enum status status = key_mark_settle(stage_db, NULL, &source.mark, 1, &problem);
    return status == STATUS_OK && db_write_commit(stage_db) == STATUS_OK ? 0 : -1;
}

static int clear(void **state)
{
    key_source_close(&source);
    return stage_remove(state);
}

static struct key_secret new_secret(enum credential_kind kind)
{
    struct key_secret secret;

    key_secret_make(&secret, &source, kind);
    return secret;
}

static struct key_secret own_secret(enum credential_kind kind)
{
    struct key_secret secret;

    assert_int_equal(key_secret_take(&secret, &source, kind, span_of(own_text), NULL),
                     STATUS_OK);
    return secret;
}

static void a_new_secret_is_random_and_hashed_by_its_kind(void **state)
{
    const struct key_secret first = new_secret(CREDENTIAL_API_KEY);
    const struct key_secret second = new_secret(CREDENTIAL_API_KEY);
    const struct key_secret api = own_secret(CREDENTIAL_API_KEY);
    const struct key_secret developer = own_secret(CREDENTIAL_DEVELOPER_SECRET);
    struct secret_hash expected;

    (void)state;
    assert_memory_equal(key_secret_text(&first).data, "zak_", 4);
    assert_false(span_equals(key_secret_text(&first), key_secret_text(&second)));
    assert_true(span_equals(key_secret_text(&api), span_of(own_text)));
    credential_hash(&expected, &source.key, CREDENTIAL_API_KEY, key_secret_text(&first));
    assert_memory_equal(&first.hash, &expected, sizeof expected);
    assert_memory_not_equal(&api.hash, &developer.hash, sizeof api.hash);
}

static void a_text_that_is_no_credential_is_not_taken(void **state)
{
    struct key_secret secret;
    struct problem problem;

    (void)state;
    assert_int_equal(
        key_secret_take(&secret, &source, CREDENTIAL_API_KEY, span_of("short"), &problem),
        STATUS_INVALID);
    assert_string_equal(problem.text, "a key must have 16 to 255 characters, not 5");
}

static void a_key_file_that_is_missing_is_said(void **state)
{
    struct key_source none;
    struct problem problem = {""};

    (void)state;
    assert_int_equal(key_source_open(&none, scratch_path("no"), stage_path, &problem),
                     STATUS_NOT_FOUND);
    assert_string_not_equal(problem.text, "");
}

static void a_member_is_issued_an_api_key(void **state)
{
    const struct key_secret secret = new_secret(CREDENTIAL_API_KEY);
    const struct new_api_key input = {.member_id = stage_id("ann"),
                                      .label = span_of("Till")};
    struct key_result result;

    (void)state;
    enum status status = manage_key_issue_api(&result, begin(), &secret, &input, &why);
    must_have_done(status, "apikey issue", "acme", &result.key.id);
    assert_false(result.member_is_inactive);
    assert_string_equal(stage_ask("SELECT label || created_at || hex(org_id = {acme})"
                                  " FROM api_keys WHERE member_id = {ann}"
                                  " AND label IS NOT NULL"),
                        "Till100000031");
}

static void a_key_of_an_inactive_member_is_issued_but_said_to_be_useless(void **state)
{
    const struct key_secret secret = new_secret(CREDENTIAL_API_KEY);
    const struct new_api_key input = {.member_id = stage_id("ann")};
    struct key_result result;

    (void)state;
    stage_sql("UPDATE members SET active = 0");
    enum status status = manage_key_issue_api(&result, begin(), &secret, &input, &why);
    must_have_done(status, "apikey issue", "acme", &result.key.id);
    assert_true(result.member_is_inactive);
}

static void what_is_wrong_with_a_new_api_key_is_said(void **state)
{
    const struct key_secret secret = own_secret(CREDENTIAL_API_KEY);
    const struct new_api_key nobody = {.member_id = stage_id("nobody")};
    const struct new_api_key bad = {.member_id = stage_id("ann"), .label = span_of(" ")};
    const struct new_api_key good = {.member_id = stage_id("ann")};
    struct key_result result;

    (void)state;
    must_have_failed(manage_key_issue_api(&result, begin(), &secret, &nobody, &why),
                     STATUS_NOT_FOUND, no_such("member", "nobody"));
    must_have_failed(manage_key_issue_api(&result, begin(), &secret, &bad, &why),
                     STATUS_INVALID, "label: must not be empty or blank");
    assert_int_equal(manage_key_issue_api(&result, begin(), &secret, &good, &why),
                     STATUS_OK);
    must_have_done(STATUS_OK, "apikey issue", "acme", &result.key.id);
    must_have_failed(manage_key_issue_api(&result, begin(), &secret, &good, &why),
                     STATUS_EXISTS,
                     "this key is, or was, in the database already: use another");
    assert_string_equal(stage_ask("SELECT count(*) FROM api_keys"), "4");
}

static void a_developer_key_is_issued_with_its_networks(void **state)
{
    static const struct cidr blocks[] = {{{.family = ADDRESS_IPV4, .bytes = {10}}, 8},
                                         {{.family = ADDRESS_IPV6}, 0}};
    const struct key_secret secret = new_secret(CREDENTIAL_DEVELOPER_SECRET);
    struct new_developer_key input = {.org_id = stage_id("acme"),
                                      .name = span_of("New"),
                                      .expires_at_ms = STAGE_NOW_MS + 1,
                                      .allow = {.list = blocks, .count = 1}};
    struct key_result result;

    (void)state;
    enum status status =
        manage_key_issue_developer(&result, begin(), &secret, &input, &why);
    must_have_done(status, "devkey issue", "acme", &result.key.id);
    assert_string_equal(stage_ask("SELECT prefix_len || '/' || expires_at FROM"
                                  " developer_keys JOIN developer_key_networks"
                                  " USING (developer_key_id) WHERE name = 'New'"),
                        "8/1000001");
    const struct key_secret other = new_secret(CREDENTIAL_DEVELOPER_SECRET);
    input.allow.count = COUNT(blocks);
    must_have_failed(manage_key_issue_developer(&result, begin(), &other, &input, &why),
                     STATUS_REFUSED, "::/0 allows every address");
    input.org_id = stage_id("no");
    must_have_failed(manage_key_issue_developer(&result, begin(), &other, &input, &why),
                     STATUS_NOT_FOUND, no_such("organization", "no"));
    input.name = span_of("");
    must_have_failed(manage_key_issue_developer(&result, begin(), &other, &input, &why),
                     STATUS_INVALID, "name: must not be empty or blank");
    assert_string_equal(stage_ask("SELECT count(*) FROM developer_keys"), "5");
}

/* Both kinds of keys as the stage has them. */
static const struct {
    enum credential_kind kind;
    const char *id, *word, *rotate, *revoke;
    const char *until, *revoked;
} kinds[] = {
    {CREDENTIAL_API_KEY, "ann-key", "API key", "apikey rotate", "apikey revoke",
     "SELECT group_concat(good_until) FROM former_api_keys",
     "SELECT revoked_at FROM api_keys WHERE api_key_id = {ann-key}"},
    {CREDENTIAL_DEVELOPER_SECRET, "dev", "developer key", "devkey rotate", "devkey revoke",
     "SELECT group_concat(good_until) FROM former_developer_secrets",
     "SELECT revoked_at FROM developer_keys WHERE developer_key_id = {dev}"},
};

static enum status rotate(struct key_result *out, size_t i, int64_t grace_ms)
{
    const struct key_secret secret = new_secret(kinds[i].kind);
    const struct uuid id = stage_id(kinds[i].id);

    return manage_key_rotate(out, begin(), &secret, &id, grace_ms, &why);
}

static void a_rotated_key_tells_how_long_former_secrets_work(void **state)
{
    struct key_result result;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct uuid id = stage_id(kinds[i].id);
        must_have_done(rotate(&result, i, GRACE_MS), kinds[i].rotate, "acme", &id);
        assert_int_equal(result.former_until_ms, STAGE_NOW_MS + GRACE_MS);
        assert_int_equal(result.older_until_ms, -1);
        assert_false(result.member_is_inactive);
        assert_string_equal(stage_ask(kinds[i].until), "1005000");
        must_have_done(rotate(&result, i, GRACE_MS / 2), kinds[i].rotate, "acme", &id);
        assert_int_equal(result.older_until_ms, STAGE_NOW_MS + GRACE_MS / 2);
        assert_string_equal(stage_ask(kinds[i].until), "1002500,1002500");
        must_have_done(rotate(&result, i, 0), kinds[i].rotate, "acme", &id);
        assert_int_equal(result.former_until_ms, 0);
        assert_int_equal(result.older_until_ms, 0);
        assert_string_equal(stage_ask(kinds[i].until), "0,0,0");
    }
}

static void a_rotated_key_of_an_inactive_member_is_said_to_be_useless(void **state)
{
    const struct uuid id = stage_id("ann-key");
    struct key_result result;

    (void)state;
    stage_sql("UPDATE members SET active = 0");
    must_have_done(rotate(&result, 0, 0), "apikey rotate", "acme", &id);
    assert_true(result.member_is_inactive);
}

static void a_dead_key_is_not_rotated(void **state)
{
    struct key_result result;

    (void)state;
    stage_sql("UPDATE api_keys SET revoked_at = 5;"
              "UPDATE developer_keys SET expires_at = 1000000");
    must_have_failed(rotate(&result, 0, 0), STATUS_REFUSED, "the key is revoked");
    must_have_failed(rotate(&result, 1, 0), STATUS_REFUSED, "the key is expired");
}

static void what_is_given_of_a_developer_key_changes_and_the_rest_stays(void **state)
{
    static const struct span name = SPAN("Renamed"), again = SPAN("Again"),
                             empty = SPAN("");
    static const int64_t later = 5000000, never = 0;
    const struct {
        struct developer_key_edit edit;
        const char *after;
    } rows[] = {
        {{.name = &name}, "Renamed|-"},
        {{.expires_at_ms = &later}, "Renamed|5000000"},
        {{.name = &again}, "Again|5000000"},
        {{.expires_at_ms = &never}, "Again|-"},
    };
    const struct uuid dev = stage_id("dev"), nobody = stage_id("nobody");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        must_have_done(manage_key_edit_developer(begin(), &dev, &rows[i].edit, &why),
                       "devkey edit", "acme", &dev);
        assert_string_equal(
            stage_ask("SELECT name || '|' || coalesce(expires_at, '-')"
                      " FROM developer_keys WHERE developer_key_id = {dev}"),
            rows[i].after);
        must_have_left_all(manage_key_edit_developer(begin(), &dev, &rows[i].edit, &why));
    }
    assert_string_equal(
        stage_ask("SELECT count(*) FROM developer_keys WHERE name = 'Again'"), "1");
    const struct developer_key_edit blank = {.name = &empty};
    must_have_failed(manage_key_edit_developer(begin(), &dev, &blank, &why), STATUS_INVALID,
                     "name: must not be empty or blank");
    must_have_failed(manage_key_edit_developer(begin(), &nobody, &rows[0].edit, &why),
                     STATUS_NOT_FOUND, no_such("developer key", "nobody"));
}

static void a_secret_that_a_key_has_or_had_is_no_new_one(void **state)
{
    const struct uuid id = stage_id("ann-key"), other = stage_id("eve-key");
    const struct key_secret secret = own_secret(CREDENTIAL_API_KEY);
    struct key_result result;

    (void)state;
    must_have_done(manage_key_rotate(&result, begin(), &secret, &id, 0, &why),
                   "apikey rotate", "acme", &id);
    for (int i = 0; i < 2; i++) {
        must_have_failed(manage_key_rotate(&result, begin(), &secret, &other, 0, &why),
                         STATUS_EXISTS,
                         "this key is, or was, in the database already: use another");
        if (i == 0)
            must_have_done(rotate(&result, 0, 0), "apikey rotate", "acme", &id);
    }
}

static void a_key_is_revoked_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct uuid id = stage_id(kinds[i].id);
        must_have_done(manage_key_revoke(begin(), kinds[i].kind, &id, &why),
                       kinds[i].revoke, "acme", &id);
        assert_string_equal(stage_ask(kinds[i].revoked), "1000000");
        begin();
        change.now_ms++;
        must_have_left_all(manage_key_revoke(&change, kinds[i].kind, &id, &why));
        assert_string_equal(stage_ask(kinds[i].revoked), "1000000");
    }
}

/* The id of a key of the other kind does not count. */
static void a_key_must_exist(void **state)
{
    struct key_result result;

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const char *other = kinds[1 - i].id;
        const struct uuid id = stage_id(other);
        const struct key_secret secret = new_secret(kinds[i].kind);
        must_have_failed(manage_key_rotate(&result, begin(), &secret, &id, 0, &why),
                         STATUS_NOT_FOUND, no_such(kinds[i].word, other));
        must_have_failed(manage_key_revoke(begin(), kinds[i].kind, &id, &why),
                         STATUS_NOT_FOUND, no_such(kinds[i].word, other));
    }
}

/* With the wrong key file the new key would never be found. */
static void a_secret_hashed_with_another_key_file_is_refused(void **state)
{
    const struct new_api_key input = {.member_id = stage_id("ann")};
    struct key_result result;
    struct key_secret secret;
    struct key_source wrong;

    (void)state;
    assert_int_equal(secret_key_create(scratch_path("wrong"), NULL, NULL), STATUS_OK);
    assert_int_equal(key_source_open(&wrong, scratch_path("wrong"), stage_path, NULL),
                     STATUS_OK);
    key_secret_make(&secret, &wrong, CREDENTIAL_API_KEY);
    begin();
    enum status status = manage_key_issue_api(&result, &change, &secret, &input, &why);
    assert_int_equal(change_end(&change, status), STATUS_CONFIG);
    assert_non_null(strstr(why.text, "is not the one that the keys in the database"));
    const struct uuid id = stage_id("ann-key");
    status = manage_key_rotate(&result, begin(), &secret, &id, 0, &why);
    assert_int_equal(change_end(&change, status), STATUS_CONFIG);
    assert_string_equal(count_audit(), "0");
    key_source_close(&wrong);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_secret_is_random_and_hashed_by_its_kind),
        TEST(a_text_that_is_no_credential_is_not_taken),
        TEST(a_key_file_that_is_missing_is_said),
        TEST(a_member_is_issued_an_api_key),
        TEST(a_key_of_an_inactive_member_is_issued_but_said_to_be_useless),
        TEST(what_is_wrong_with_a_new_api_key_is_said),
        TEST(a_developer_key_is_issued_with_its_networks),
        TEST(a_rotated_key_tells_how_long_former_secrets_work),
        TEST(a_rotated_key_of_an_inactive_member_is_said_to_be_useless),
        TEST(a_dead_key_is_not_rotated),
        TEST(what_is_given_of_a_developer_key_changes_and_the_rest_stays),
        TEST(a_secret_that_a_key_has_or_had_is_no_new_one),
        TEST(a_key_is_revoked_once),
        TEST(a_key_must_exist),
        TEST(a_secret_hashed_with_another_key_file_is_refused),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
