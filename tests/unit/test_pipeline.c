#include "app/serve/pipeline.h"

#include "app/store/key_mark.h"
#include "tests/unit/failing_sync.h"
#include "tests/unit/stage.h"

enum {
    ARENA_BYTES = 1 << 20,
    BODY_BYTES = 512,
    QUOTA = 2,
    GUESSES = 3,
};

static const struct secret_key key = {"the key of a stage for tests..."};
static struct settings settings;
static struct caller_cache *cache;
static struct throttle *throttle;
static struct pipeline *pipeline;
static struct exchange x;

/* What the next request holds. A test begins with one of Ann's program that is good. */
static struct {
    const char *api_key, *secret; /* NULL: absent */
    const char *contact, *note;   /* note: a value in JSON */
    const char *address, *idempotency_key;
} sent;

static void send_good(void)
{
    sent.api_key = "ann's key";
    sent.secret = "dev's secret";
    sent.contact = "carl";
    sent.note = "\"text\"";
    sent.address = "192.0.2.7";
    sent.idempotency_key = "";
}

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
    settings.credential_failures = settings.contact_failures =
        (struct throttle_rate){.count = GUESSES, .time_s = 3600};
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
    send_good();
    cache = caller_cache_create();
    throttle = throttle_create();
    assert_non_null(cache);
    assert_non_null(throttle);
    pipeline = pipeline_create(
        &settings, &key, cache, throttle, reader_create(&settings, &key, NULL),
        committer_create_direct(stage_path, call_command_kinds(), (struct meter){NULL, 0}));
    memset(&x, 0, sizeof x);
    x.arena = arena_create(ARENA_BYTES);
    return pipeline != NULL && x.arena != NULL ? 0 : -1;
}

static void forget_exchange(void)
{
    struct arena *arena = x.arena;

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

static void put_member(char *body, const char *name, const char *value)
{
    size_t len = strlen(body);

    if (value != NULL)
        (void)snprintf(body + len, BODY_BYTES - len, "\"%s\":\"%s\",", name, value);
}

static void fill_request(char *body)
{
    struct request *request = &x.request;

    request->method = span_of(add_note_call.method);
    request->path = span_of(add_note_call.path);
    request->body = span_of(body);
    request->address = stage_address(sent.address);
    (void)snprintf(request->idempotency_key, sizeof request->idempotency_key, "%s",
                   sent.idempotency_key);
}

/* Sends a request. Returns the code of the answer, which is in x. */
static const char *answer(void)
{
    static char body[BODY_BYTES];

    forget_exchange();
    (void)snprintf(body, sizeof body, "{");
    put_member(body, "api_key", sent.api_key);
    put_member(body, "developer_secret", sent.secret);
    put_member(body, "org_id", id_text("acme"));
    put_member(body, "member_id", id_text("ann"));
    put_member(body, "contact_id", id_text(sent.contact));
    size_t len = strlen(body);
    (void)snprintf(body + len, sizeof body - len, "\"note\":%s}", sent.note);
    fill_request(body);
    pipeline_begin(pipeline, &x);
    if (x.committing)
        assert_true(pipeline_look(pipeline, &x));
    assert_false(x.committing);
    return x.reply.code;
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
    assert_string_equal(answer(), "OK");
    assert_true(is_remembered());
    stage_sql("UPDATE api_keys SET revoked_at = 1");
    assert_string_equal(answer(), "INVALID_API_KEY");
    assert_false(is_remembered());
    assert_string_equal(notes_stored(), "1");
}

static void a_caller_that_was_refused_is_not_remembered(void **state)
{
    (void)state;
    stage_sql("UPDATE developer_keys SET revoked_at = 1");
    assert_string_equal(answer(), "IP_NOT_WHITELISTED");
    assert_false(is_remembered());
}

/* The worker trusts its memory of the caller; the transaction does not. */
static void a_remembered_caller_is_still_judged(void **state)
{
    (void)state;
    assert_string_equal(answer(), "OK");
    sent.note = "\"\"";
    assert_string_equal(answer(), "MISSING_FIELDS");
    sent.note = "7";
    assert_string_equal(answer(), "INVALID_FIELDS");
    assert_true(is_remembered());
    send_good();
    sent.contact = "cleo";
    assert_string_equal(answer(), "NOT_OWNER");
    send_good();
    stage_sql("DELETE FROM developer_key_networks WHERE developer_key_id = {dev}");
    assert_string_equal(answer(), "IP_NOT_WHITELISTED");
    assert_string_equal(notes_stored(), "1");
}

static void a_note_that_may_have_been_stored_costs_its_quota(void **state)
{
    (void)state;
    next_sync_fails = true;
    assert_string_equal(answer(), "OUTCOME_UNKNOWN");
    assert_string_equal(answer(), "OK");
    assert_int_equal(x.reply.quota.left, QUOTA - 2);
    assert_string_equal(answer(), "RATE_LIMITED");
}

static void a_note_that_was_certainly_not_stored_costs_nothing(void **state)
{
    (void)state;
    sent.contact = "cleo";
    assert_string_equal(answer(), "NOT_OWNER");
    assert_int_equal(x.reply.quota.left, QUOTA);
    send_good();
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_string_equal(answer(), "UNAVAILABLE");
    db_write_rollback(stage_db);
    assert_string_equal(notes_stored(), "0");
    assert_string_equal(answer(), "OK");
    assert_int_equal(x.reply.quota.left, QUOTA - 1);
}

static void a_repeated_request_costs_nothing_and_is_answered_without_quota(void **state)
{
    (void)state;
    sent.idempotency_key = "once";
    assert_string_equal(answer(), "OK");
    for (int i = 0; i < 2 * QUOTA; i++) {
        assert_string_equal(answer(), "OK");
        assert_true(x.reply.replayed);
        assert_int_equal(x.reply.quota.left, QUOTA - 1);
    }
    sent.idempotency_key = "other";
    assert_string_equal(answer(), "OK");
    assert_int_equal(x.reply.quota.left, 0);
    sent.idempotency_key = "once";
    assert_string_equal(answer(), "OK");
    sent.note = "\"other text\"";
    assert_string_equal(answer(), "RATE_LIMITED");
    assert_string_equal(notes_stored(), "2");
}

/* Nothing has checked whether it may know: its key may have been revoked meanwhile. */
static void a_remembered_caller_is_not_told_its_quota_unchecked(void **state)
{
    (void)state;
    assert_string_equal(answer(), "OK");
    assert_int_equal(x.reply.quota.count, QUOTA);
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_string_equal(answer(), "UNAVAILABLE");
    assert_int_equal(x.reply.quota.count, 0);
    db_write_rollback(stage_db);
}

static void use_up_guesses(const char *code)
{
    for (int i = 0; i < GUESSES; i++)
        assert_string_equal(answer(), code);
    assert_string_equal(answer(), "RATE_LIMITED");
    assert_string_equal(x.reply.hidden_code, code);
}

static void wrong_credentials_use_up_the_budget_of_their_network(void **state)
{
    static const struct {
        const char *api_key, *secret, *code;
    } rows[] = {
        {"no key", "dev's secret", "INVALID_API_KEY"},
        {"ann's key", "no secret", "INVALID_DEVELOPER_SECRET"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        send_good();
        sent.address = i == 0 ? "192.0.2.7" : "192.0.2.8";
        sent.api_key = rows[i].api_key;
        sent.secret = rows[i].secret;
        use_up_guesses(rows[i].code);
    }
    send_good();
    assert_string_equal(answer(), "OK"); /* who guesses shuts nobody out */
}

/* It costs nothing, but tells that the API key is right. */
static void a_missing_secret_is_hidden_from_one_who_guesses(void **state)
{
    (void)state;
    sent.secret = NULL;
    for (int i = 0; i <= GUESSES; i++)
        assert_string_equal(answer(), "MISSING_DEVELOPER_SECRET");
    send_good();
    sent.api_key = "no key";
    use_up_guesses("INVALID_API_KEY");
    send_good();
    sent.secret = NULL;
    assert_string_equal(answer(), "RATE_LIMITED");
}

static void the_addresses_of_one_household_guess_together(void **state)
{
    static const char *const together[] = {"2001:db8:0:100::1", "2001:db8:0:1ff::2"};

    (void)state;
    sent.secret = "no secret";
    sent.address = together[0];
    use_up_guesses("INVALID_DEVELOPER_SECRET");
    sent.address = together[1];
    assert_string_equal(answer(), "RATE_LIMITED");
    sent.address = "2001:db8:0:200::1";
    assert_string_equal(answer(), "INVALID_DEVELOPER_SECRET");
}

static void wrong_contacts_use_up_the_budget_of_their_developer_key(void **state)
{
    static const struct {
        const char *contact, *code;
    } rows[] = {{"nobody", "NOT_FOUND"}, {"chad", "WRONG_ORG"}, {"cleo", "NOT_OWNER"}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(unmake(state), 0);
        assert_int_equal(make(state), 0);
        sent.contact = rows[i].contact;
        use_up_guesses(rows[i].code);
        send_good();
        assert_string_equal(answer(), "OK");
    }
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
        WITH_PIPELINE(a_repeated_request_costs_nothing_and_is_answered_without_quota),
        WITH_PIPELINE(a_remembered_caller_is_not_told_its_quota_unchecked),
        WITH_PIPELINE(wrong_credentials_use_up_the_budget_of_their_network),
        WITH_PIPELINE(a_missing_secret_is_hidden_from_one_who_guesses),
        WITH_PIPELINE(the_addresses_of_one_household_guess_together),
        WITH_PIPELINE(wrong_contacts_use_up_the_budget_of_their_developer_key),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
