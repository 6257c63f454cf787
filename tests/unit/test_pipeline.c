#include "app/serve/pipeline.h"

#include "app/store/key_mark.h"
#include "tests/unit/failing_sync.h"
#include "tests/unit/stage.h"

enum {
    ARENA_BYTES = 1 << 20,
    QUOTA = 2,
};

static const struct secret_key key = {"the key of a stage for tests..."};
static struct settings settings;
static struct caller_cache *cache;
static struct throttle *throttle;
static struct pipeline *pipeline;
static struct exchange x;

/* Gives a key of the stage a text that a caller can send. */
static void set_text(const char *table, const char *id, enum credential_kind kind,
                     const char *text)
{
    struct secret_hash hash;
    char sql[256], hex[2 * SECRET_HASH_BYTES + 1];

    credential_hash(&hash, &key, kind, span_of(text));
    for (size_t i = 0; i < sizeof hash.bytes; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", hash.bytes[i]);
    (void)snprintf(sql, sizeof sql, "UPDATE %s SET hash = x'%s' WHERE %s", table, hex, id);
    stage_sql(sql);
}

static void mark_key_file(void)
{
    const struct key_mark mark = key_mark_of(&key, "key", stage_path);

    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(key_mark_settle(stage_db, NULL, &mark, STAGE_NOW_MS, NULL), STATUS_OK);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

static void make_settings(void)
{
    memset(&settings, 0, sizeof settings);
    (void)snprintf(settings.database, sizeof settings.database, "%s", stage_path);
    settings.max_body_bytes = settings.max_note_bytes = 10000;
    settings.request_timeout = 3;
    settings.rate_limit = (struct throttle_rate){.count = QUOTA, .time_s = 3600};
}

static int make(void **state)
{
    if (stage_make(state) != 0)
        return -1;
    set_text("api_keys", "api_key_id = {ann-key}", CREDENTIAL_API_KEY, "ann's key");
    set_text("developer_keys", "developer_key_id = {dev}", CREDENTIAL_DEVELOPER_SECRET,
             "dev's secret");
    mark_key_file();
    make_settings();
    cache = caller_cache_create();
    throttle = throttle_create();
    assert_non_null(cache);
    assert_non_null(throttle);
    pipeline = pipeline_create(&settings, &key, cache, throttle,
                               reader_create(&settings, &key, NULL),
                               committer_create_direct(stage_path, call_command_kinds()));
    memset(&x, 0, sizeof x);
    x.arena = arena_create(ARENA_BYTES);
    return pipeline != NULL && x.arena != NULL ? 0 : -1;
}

static void forget_exchange(void)
{
    struct arena *arena = x.arena;

    json_object_put(x.reply.data);
    json_object_put(x.body);
    arena_reset(arena);
    memset(&x, 0, sizeof x);
    x.arena = arena;
}

static int unmake(void **state)
{
    forget_exchange();
    pipeline_free(pipeline);
    arena_free(x.arena);
    caller_cache_free(cache);
    throttle_free(throttle);
    return stage_remove(state);
}

static const char *id_text(const char *name)
{
    static char texts[4][UUID_TEXT_BYTES];
    static unsigned next;
    const struct uuid id = stage_id(name);
    char *text = texts[next++ % COUNT(texts)];

    uuid_format(&id, text);
    return text;
}

/* Ann's program adds a note to a contact. Returns the code of the answer in x. */
static const char *add_note_to(const char *contact, const char *note)
{
    static char body[512];

    forget_exchange();
    (void)snprintf(body, sizeof body,
                   "{\"api_key\":\"ann's key\",\"developer_secret\":\"dev's secret\","
                   "\"org_id\":\"%s\",\"member_id\":\"%s\",\"contact_id\":\"%s\",%s}",
                   id_text("acme"), id_text("ann"), id_text(contact), note);
    x.request.method = span_of(add_note_call.method);
    x.request.path = span_of(add_note_call.path);
    x.request.body = span_of(body);
    x.request.address = stage_address("192.0.2.7");
    pipeline_begin(pipeline, &x);
    if (x.committing)
        assert_true(pipeline_look(pipeline, &x));
    assert_false(x.committing);
    return x.reply.code;
}

static const char *add_note(void)
{
    return add_note_to("carl", "\"note\":\"text\"");
}

static bool is_remembered(void)
{
    struct caller caller;

    return caller_cache_find(cache, &x.credentials, clock_monotonic_ms(), &caller);
}

static const char *notes_stored(void)
{
    return stage_ask("SELECT count(*) FROM notes");
}

static void a_caller_is_remembered_until_the_transaction_refuses_it(void **state)
{
    (void)state;
    assert_string_equal(add_note(), "OK");
    assert_true(is_remembered());
    stage_sql("UPDATE api_keys SET revoked_at = 1");
    assert_string_equal(add_note(), "INVALID_API_KEY");
    assert_false(is_remembered());
    assert_string_equal(notes_stored(), "1");
}

static void a_caller_that_was_refused_is_not_remembered(void **state)
{
    (void)state;
    stage_sql("UPDATE developer_keys SET revoked_at = 1");
    assert_string_equal(add_note(), "IP_NOT_WHITELISTED");
    assert_false(is_remembered());
}

/* The worker trusts its memory of the caller; the transaction does not. */
static void a_remembered_caller_is_still_judged(void **state)
{
    (void)state;
    assert_string_equal(add_note(), "OK");
    assert_string_equal(add_note_to("cleo", "\"note\":\"text\""), "NOT_OWNER");
    assert_string_equal(add_note_to("carl", "\"note\":\"\""), "MISSING_FIELDS");
    assert_string_equal(add_note_to("carl", "\"note\":7"), "INVALID_FIELDS");
    stage_sql("DELETE FROM developer_key_networks WHERE developer_key_id = {dev}");
    assert_string_equal(add_note(), "IP_NOT_WHITELISTED");
    assert_string_equal(notes_stored(), "1");
}

static void a_note_that_may_have_been_stored_costs_its_quota(void **state)
{
    (void)state;
    next_sync_fails = true;
    assert_string_equal(add_note(), "OUTCOME_UNKNOWN");
    assert_string_equal(add_note(), "OK");
    assert_int_equal(x.reply.quota.left, QUOTA - 2);
    assert_string_equal(add_note(), "RATE_LIMITED");
}

static void a_note_that_was_certainly_not_stored_costs_nothing(void **state)
{
    (void)state;
    assert_string_equal(add_note_to("cleo", "\"note\":\"text\""), "NOT_OWNER");
    assert_int_equal(x.reply.quota.left, QUOTA);
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_string_equal(add_note(), "UNAVAILABLE");
    db_write_rollback(stage_db);
    assert_string_equal(notes_stored(), "0");
    assert_string_equal(add_note(), "OK");
    assert_int_equal(x.reply.quota.left, QUOTA - 1);
}

/* Nothing has checked whether it may know: its key may have been revoked meanwhile. */
static void a_remembered_caller_is_not_told_its_quota_unchecked(void **state)
{
    (void)state;
    assert_string_equal(add_note(), "OK");
    assert_int_equal(x.reply.quota.count, QUOTA);
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_string_equal(add_note(), "UNAVAILABLE");
    assert_int_equal(x.reply.quota.count, 0);
    db_write_rollback(stage_db);
}

#define WITH_PIPELINE(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PIPELINE(a_caller_is_remembered_until_the_transaction_refuses_it),
        WITH_PIPELINE(a_caller_that_was_refused_is_not_remembered),
        WITH_PIPELINE(a_remembered_caller_is_still_judged),
        WITH_PIPELINE(a_note_that_may_have_been_stored_costs_its_quota),
        WITH_PIPELINE(a_note_that_was_certainly_not_stored_costs_nothing),
        WITH_PIPELINE(a_remembered_caller_is_not_told_its_quota_unchecked),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
