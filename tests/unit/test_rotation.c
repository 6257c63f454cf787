/* Former secrets: app/store/key.h and key_facts.h together. Includes the source of
 * key_facts, for the query plans of its statements. */
#include "app/store/key_facts.c"

#include "app/store/key.h"
#include "tests/unit/stage.h"

enum {
    UNTIL_MS = STAGE_NOW_MS + 1000,
};

/* Both kinds of keys: the stage's key of each, and the name of its new secret. */
static const struct kind {
    enum credential_kind kind;
    const char *id, *new;
    bool is_api_key;
} kinds[] = {
    {CREDENTIAL_API_KEY, "ann-key", "ann-new", true},
    {CREDENTIAL_DEVELOPER_SECRET, "dev", "dev-new", false},
};

static enum status rotate_to(const struct kind *kind, const char *id, const char *new,
                             int64_t until_ms)
{
    const struct uuid key_id = stage_id(id);
    const struct secret_hash hash = stage_hash(new);

    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    enum status status =
        key_rotate(stage_db, kind->kind, &key_id, &hash, STAGE_NOW_MS, until_ms);
    if (status != STATUS_OK)
        db_write_rollback(stage_db);
    else
        assert_int_equal(db_write_commit(stage_db), STATUS_OK);
    return status;
}

static void must_rotate(const struct kind *kind, const char *new, int64_t until_ms)
{
    assert_int_equal(rotate_to(kind, kind->id, new, until_ms), STATUS_OK);
}

static enum error check(struct caller *caller, const struct credentials *credentials,
                        int64_t now_ms)
{
    enum error refusal = ERROR_NONE;
    enum status status =
        stage_judge_caller(caller, &refusal, stage_db, credentials, now_ms);

    assert_int_equal(status, refusal == ERROR_NONE ? STATUS_OK : STATUS_REFUSED);
    return refusal;
}

static struct credentials caller_with(const struct kind *kind, const char *text)
{
    return kind->is_api_key ? stage_credentials(text, "dev", "192.0.2.7")
                            : stage_credentials("ann-key", text, "192.0.2.7");
}

/* Until when this secret works as a former one; 0: it is the present one, -1: refused. */
static int64_t good_until(const struct kind *kind, const char *text, int64_t now_ms)
{
    struct credentials credentials = caller_with(kind, text);
    struct caller caller;
    enum error error = check(&caller, &credentials, now_ms);

    if (error != ERROR_NONE) {
        assert_int_equal(error, kind->is_api_key ? ERROR_INVALID_API_KEY
                                                 : ERROR_INVALID_DEVELOPER_SECRET);
        return -1;
    }
    const struct uuid id = stage_id(kind->id);
    assert_true(
        uuid_equals(&id, kind->is_api_key ? &caller.api_key_id : &caller.developer_key_id));
    assert_int_equal(kind->is_api_key ? caller.former.secret_until_ms
                                      : caller.former.api_key_until_ms,
                     0);
    return kind->is_api_key ? caller.former.api_key_until_ms
                            : caller.former.secret_until_ms;
}

/* Lets dev and far work from the same address, so that only a secret can be refused. */
static void let_far_in(void)
{
    stage_sql("INSERT INTO developer_key_networks VALUES"
              " ({far}, 4, x'c0000200', 24, {acme}, 1)");
}

/* Restores the key as it was before all rotations, since requests with the other kind need
 * it. */
static void put_back(const struct kind *kind)
{
    stage_sql(
        kind->is_api_key
            ? "DELETE FROM former_api_keys;"
              "UPDATE api_keys SET hash = [ann-key] WHERE api_key_id = {ann-key}"
            : "DELETE FROM former_developer_secrets;"
              "UPDATE developer_keys SET hash = [dev] WHERE developer_key_id = {dev}");
}

static void both_secrets_work_until_the_end_and_not_longer(void **state)
{
    (void)state;
    let_far_in();
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];
        assert_int_equal(good_until(kind, kind->id, STAGE_NOW_MS), 0);
        assert_int_equal(good_until(kind, kind->new, STAGE_NOW_MS), -1);
        must_rotate(kind, kind->new, UNTIL_MS);
        assert_int_equal(good_until(kind, kind->id, STAGE_NOW_MS), UNTIL_MS);
        assert_int_equal(good_until(kind, kind->id, UNTIL_MS - 1), UNTIL_MS);
        assert_int_equal(good_until(kind, kind->id, UNTIL_MS), -1);
        assert_int_equal(good_until(kind, kind->new, STAGE_NOW_MS), 0);
        assert_int_equal(good_until(kind, kind->new, UNTIL_MS), 0);
        put_back(kind);
    }
}

/* Also for a request that came before it and waited for the lock. */
static void without_grace_the_former_secret_ends_at_once(void **state)
{
    (void)state;
    let_far_in();
    for (size_t i = 0; i < COUNT(kinds); i++) {
        must_rotate(&kinds[i], kinds[i].new, 0);
        assert_int_equal(good_until(&kinds[i], kinds[i].id, STAGE_NOW_MS), -1);
        assert_int_equal(good_until(&kinds[i], kinds[i].id, 0), -1);
        put_back(&kinds[i]);
    }
}

static void a_dead_key_has_no_good_secret(void **state)
{
    static const char *const deaths[] = {
        "UPDATE developer_keys SET revoked_at = 5 WHERE developer_key_id = {dev}",
        "UPDATE developer_keys SET revoked_at = NULL, expires_at = 1000000"
        " WHERE developer_key_id = {dev}",
    };

    (void)state;
    let_far_in();
    must_rotate(&kinds[1], "dev-new", UNTIL_MS);
    for (size_t i = 0; i < COUNT(deaths); i++) {
        stage_sql(deaths[i]);
        assert_int_equal(good_until(&kinds[1], "dev", STAGE_NOW_MS), -1);
        assert_int_equal(good_until(&kinds[1], "dev-new", STAGE_NOW_MS), -1);
    }
    must_rotate(&kinds[0], "ann-new", UNTIL_MS);
    stage_sql("UPDATE api_keys SET revoked_at = 5 WHERE api_key_id = {ann-key}");
    assert_int_equal(good_until(&kinds[0], "ann-key", STAGE_NOW_MS), -1);
    assert_int_equal(good_until(&kinds[0], "ann-new", STAGE_NOW_MS), -1);
    stage_sql("UPDATE api_keys SET revoked_at = NULL; UPDATE members SET active = 0");
    assert_int_equal(good_until(&kinds[0], "ann-key", STAGE_NOW_MS), -1);
}

static void a_former_secret_of_another_organization_is_none(void **state)
{
    struct credentials stranger = stage_credentials("ann-key", "eve-dev", "192.0.2.7");
    struct caller caller;

    (void)state;
    assert_int_equal(rotate_to(&kinds[1], "eve-dev", "eve-new", UNTIL_MS), STATUS_OK);
    assert_int_equal(check(&caller, &stranger, STAGE_NOW_MS),
                     ERROR_INVALID_DEVELOPER_SECRET);
    assert_int_equal(caller.former.secret_until_ms, 0);
}

static void one_more_rotation_lengthens_no_former_secrets_time(void **state)
{
    static const struct kind *const dev = &kinds[1];

    (void)state;
    let_far_in();
    must_rotate(dev, "second", UNTIL_MS);
    must_rotate(dev, "third", UNTIL_MS + 500);
    assert_int_equal(good_until(dev, "dev", STAGE_NOW_MS), UNTIL_MS);
    assert_int_equal(good_until(dev, "second", STAGE_NOW_MS), UNTIL_MS + 500);
    must_rotate(dev, "fourth", UNTIL_MS - 500);
    assert_int_equal(good_until(dev, "dev", STAGE_NOW_MS), UNTIL_MS - 500);
    assert_int_equal(good_until(dev, "second", STAGE_NOW_MS), UNTIL_MS - 500);
    assert_int_equal(good_until(dev, "third", STAGE_NOW_MS), UNTIL_MS - 500);
    must_rotate(dev, "fifth", 0);
    static const char *const former[] = {"dev", "second", "third", "fourth"};
    for (size_t i = 0; i < COUNT(former); i++)
        assert_int_equal(good_until(dev, former[i], STAGE_NOW_MS), -1);
    assert_int_equal(good_until(dev, "fifth", STAGE_NOW_MS), 0);
}

/* The present row and all former ones, for comparison. */
static const char *everything(const struct kind *kind)
{
    return stage_ask(
        kind->is_api_key
            ? "SELECT (SELECT group_concat(hex(hash)) FROM api_keys) || '/' ||"
              " ifnull((SELECT group_concat(hex(hash) || good_until) FROM former_api_keys),"
              " '')"
            : "SELECT (SELECT group_concat(hex(hash)) FROM developer_keys) || '/' ||"
              " ifnull((SELECT group_concat(hex(hash) || good_until)"
              " FROM former_developer_secrets), '')");
}

static void a_secret_is_never_two_at_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct kind *kind = &kinds[i];
        const char *other = kind->is_api_key ? "eve-key" : "eve-dev";
        assert_int_equal(rotate_to(kind, other, "others-new", 0), STATUS_OK);
        must_rotate(kind, kind->new, UNTIL_MS);
        const char *const taken[] = {kind->new, kind->id, other, "others-new"};
        for (size_t j = 0; j < COUNT(taken); j++) {
            char before[512];
            (void)snprintf(before, sizeof before, "%s", everything(kind));
            assert_int_equal(rotate_to(kind, kind->id, taken[j], UNTIL_MS), STATUS_EXISTS);
            assert_string_equal(everything(kind), before);
        }
    }
}

static enum status add(const struct kind *kind, const char *text)
{
    const struct secret_hash hash = stage_hash(text);
    const struct key key = {.kind = kind->kind,
                            .id = stage_id("new"),
                            .org_id = stage_id("acme"),
                            .member_id = stage_id("ann"),
                            .name = span_of("New")};

    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    enum status status = key_add(stage_db, &key, &hash);
    db_write_rollback(stage_db);
    return status;
}

/* Even after its time: it may be the one that leaked. */
static void a_former_secret_is_not_issued_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(add(&kinds[i], "fresh"), STATUS_OK);
        must_rotate(&kinds[i], kinds[i].new, 0);
        assert_int_equal(add(&kinds[i], kinds[i].id), STATUS_EXISTS);
        assert_int_equal(add(&kinds[i], kinds[i].new), STATUS_EXISTS);
        assert_int_equal(add(&kinds[i], "fresh"), STATUS_OK);
    }
}

static enum status keep_until(void *arg, const struct key *key)
{
    *(int64_t *)arg = key->life.former_until_ms;
    return STATUS_OK;
}

static int64_t find_until(const struct kind *kind)
{
    const struct uuid id = stage_id(kind->id);
    int64_t until_ms = -1;

    assert_int_equal(key_find(stage_db, kind->kind, &id, keep_until, &until_ms), STATUS_OK);
    return until_ms;
}

static void the_key_tells_when_its_last_former_secret_ends(void **state)
{
    static const int64_t ends[][2] = {{UNTIL_MS, UNTIL_MS},
                                      {UNTIL_MS - 1, UNTIL_MS - 1},
                                      {UNTIL_MS + 1, UNTIL_MS + 1},
                                      {0, 0}};

    (void)state;
    for (size_t k = 0; k < COUNT(kinds); k++) {
        assert_int_equal(find_until(&kinds[k]), 0);
        for (size_t i = 0; i < COUNT(ends); i++) {
            char text[16];
            (void)snprintf(text, sizeof text, "new %zu", i);
            must_rotate(&kinds[k], text, ends[i][0]);
            assert_int_equal(find_until(&kinds[k]), ends[i][1]);
        }
    }
}

/* Reads every column of either kind, so that a wrong order of columns shows. */
static enum status look(void *arg, const struct key *key)
{
    const bool is_api_key = *(const bool *)arg;
    const struct address from = stage_address("192.0.2.1");
    const struct uuid id = stage_id("new"), org_id = stage_id("acme");
    const struct uuid member_id = stage_id(is_api_key ? "ann" : "");

    assert_true(uuid_equals(&key->id, &id));
    assert_true(uuid_equals(&key->org_id, &org_id));
    assert_true(uuid_equals(&key->member_id, &member_id));
    assert_true(span_equals(key->name, span_of("New")));
    assert_int_equal(key->created_at_ms, 5);
    assert_int_equal(key->last_used_at_ms, 6);
    assert_true(address_equals(&key->last_used_from, &from));
    assert_int_equal(key->life.revoked_at_ms, 7);
    assert_int_equal(key->life.former_until_ms, 0);
    assert_int_equal(key->life.expires_at_ms, is_api_key ? 0 : 8);
    return STATUS_OK;
}

static void a_key_is_read_as_it_was_added(void **state)
{
    const struct secret_hash hash = stage_hash("fresh");

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        bool is_api_key = kinds[i].is_api_key, changed = false;
        const struct key key = {.kind = kinds[i].kind,
                                .id = stage_id("new"),
                                .org_id = stage_id("acme"),
                                .member_id = stage_id("ann"),
                                .name = span_of("New"),
                                .created_at_ms = 5,
                                .life.expires_at_ms = 8};
        assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
        assert_int_equal(key_add(stage_db, &key, &hash), STATUS_OK);
        assert_int_equal(key_revoke(stage_db, &changed, key.kind, &key.id, 7), STATUS_OK);
        assert_true(changed);
        assert_int_equal(key_revoke(stage_db, &changed, key.kind, &key.id, 9), STATUS_OK);
        assert_false(changed);
        assert_int_equal(db_write_commit(stage_db), STATUS_OK);
        stage_sql(is_api_key ? "UPDATE api_keys SET last_used_at = 6,"
                               " last_used_from = x'c0000201'"
                             : "UPDATE developer_keys SET last_used_at = 6,"
                               " last_used_from = x'c0000201'");
        assert_int_equal(key_find(stage_db, key.kind, &key.id, look, &is_api_key),
                         STATUS_OK);
    }
}

static enum status count_key(void *arg, const struct key *key)
{
    const struct uuid acme = stage_id("acme");

    assert_true(uuid_equals(&key->org_id, &acme));
    ++*(int *)arg;
    return STATUS_OK;
}

static int count_keys(enum credential_kind kind, const char *org)
{
    const struct uuid org_id = stage_id(org);
    const struct key_filter filter = {.org_id = &org_id};
    int count = 0;

    assert_int_equal(key_list(stage_db, kind, &filter, NULL, count_key, &count), STATUS_OK);
    return count;
}

static void the_list_is_of_one_organization_and_one_kind(void **state)
{
    (void)state;
    assert_int_equal(count_keys(CREDENTIAL_API_KEY, "acme"), 2);
    assert_int_equal(count_keys(CREDENTIAL_DEVELOPER_SECRET, "acme"), 3);
    assert_int_equal(count_keys(CREDENTIAL_API_KEY, "nobody"), 0);
}

/* The transaction reads it again, because what a worker has read may be stale. */
static void the_result_of_writing_tells_of_former_secrets(void **state)
{
    struct note_command command = stage_command("note", "text");
    struct stage_result result;

    (void)state;
    must_rotate(&kinds[0], "ann-new", UNTIL_MS);
    must_rotate(&kinds[1], "dev-new", UNTIL_MS + 1);
    (void)snprintf(command.common.idempotency_key, sizeof command.common.idempotency_key,
                   "key");
    for (int again = 0; again < 2; again++) { /* the second is a replay */
        assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
        assert_int_equal(stage_write(&result, stage_db, &command), STATUS_OK);
        assert_int_equal(db_write_commit(stage_db), STATUS_OK);
        assert_int_equal(result.replayed, again);
        assert_int_equal(result.former.api_key_until_ms, UNTIL_MS);
        assert_int_equal(result.former.secret_until_ms, UNTIL_MS + 1);
    }
    command.common.now_ms = UNTIL_MS;
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(stage_write(&result, stage_db, &command), STATUS_REFUSED);
    db_write_rollback(stage_db);
    assert_int_equal(result.refusal, ERROR_INVALID_API_KEY);
    assert_int_equal(result.former.api_key_until_ms, 0);
}

/* The query plan of SQLite for a statement. */
static void get_plan(char *out, size_t size, const char *sql)
{
    static char explain[1024];
    struct db_rows rows;
    struct db *db = NULL;
    size_t used = 0;

    (void)snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
    size_t count = strstr(sql, "?2") != NULL ? 2 : 1;
    const struct db_value values[] = {DB_NULL, DB_NULL};
    assert_int_equal(db_open(&db, stage_path, DB_READ, NULL), STATUS_OK);
    enum status status = db_query(db, &rows, explain, values, count);
    for (; status == STATUS_OK; status = db_next(&rows)) {
        struct span line = db_text(&rows, 3);
        used +=
            (size_t)snprintf(out + used, size - used, "%.*s\n", (int)line.len, line.data);
        assert_true(used < size);
    }
    assert_int_equal(status, STATUS_NOT_FOUND);
    db_close(db);
}

static void every_look_up_goes_by_an_index(void **state)
{
    static const struct {
        const char *sql, *plan;
    } rows[] = {
        {find_api_key,
         "SEARCH api_keys USING INDEX sqlite_autoindex_api_keys_2 (hash=?)\n"
         "SEARCH members USING INDEX sqlite_autoindex_members_1 (member_id=?)\n"},
        {find_developer_key,
         "SEARCH developer_keys USING INDEX sqlite_autoindex_developer_keys_2 (hash=?)\n"},
        {find_former_api_key,
         "SEARCH former USING PRIMARY KEY (hash=?)\n"
         "SEARCH api_keys USING INDEX sqlite_autoindex_api_keys_1 (api_key_id=?)\n"
         "SEARCH members USING INDEX sqlite_autoindex_members_1 (member_id=?)\n"},
        {find_former_secret,
         "SEARCH former USING PRIMARY KEY (hash=?)\n"
         "SEARCH developer_keys USING INDEX sqlite_autoindex_developer_keys_1"
         " (developer_key_id=?)\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char plan[512] = "";
        get_plan(plan, sizeof plan, rows[i].sql);
        assert_string_equal(plan, rows[i].plan);
    }
}

/* Not even if their tables are missing. */
static void former_secrets_are_not_looked_for_where_the_present_one_is_found(void **state)
{
    struct credentials credentials = stage_credentials("ann-key", "dev", "192.0.2.7");
    struct credentials stranger = stage_credentials("ann-key", "nobody", "192.0.2.7");
    struct caller caller;
    enum error refusal = ERROR_NONE;

    (void)state;
    stage_sql("DROP TABLE former_api_keys; DROP TABLE former_developer_secrets");
    assert_int_equal(check(&caller, &credentials, STAGE_NOW_MS), ERROR_NONE);
    assert_int_equal(
        stage_judge_caller(&caller, &refusal, stage_db, &stranger, STAGE_NOW_MS),
        STATUS_INTERNAL);
}

static void keys_from_before_this_schema_go_on_working(void **state)
{
    struct migrations ours = schema_ours();
    struct credentials credentials = stage_credentials("ann-key", "dev", "192.0.2.7");
    struct caller caller;

    (void)state;
    db_close(stage_db);
    stage_db = NULL;
    (void)snprintf(stage_path, sizeof stage_path, "%s/old", scratch_directory);
    assert_int_equal(db_open(&stage_db, stage_path, DB_CREATE, NULL), STATUS_OK);
    ours.count = 2;
    assert_int_equal(migrate_apply(stage_db, &ours, NULL, NULL), STATUS_OK);
    stage_fill();
    stage_sql("UPDATE api_keys SET last_used_at = 1000");
    ours = schema_ours();
    assert_int_equal(migrate_apply(stage_db, &ours, NULL, NULL), STATUS_OK);
    assert_int_equal(check(&caller, &credentials, STAGE_NOW_MS), ERROR_NONE);
    assert_string_equal(stage_ask("SELECT last_used_from FROM api_keys"), "NULL");
    assert_string_equal(stage_ask("SELECT last_used_at FROM api_keys"), "1000");
    must_rotate(&kinds[0], "ann-new", UNTIL_MS);
    assert_int_equal(good_until(&kinds[0], "ann-key", STAGE_NOW_MS), UNTIL_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(both_secrets_work_until_the_end_and_not_longer),
        on_stage(without_grace_the_former_secret_ends_at_once),
        on_stage(a_dead_key_has_no_good_secret),
        on_stage(a_former_secret_of_another_organization_is_none),
        on_stage(one_more_rotation_lengthens_no_former_secrets_time),
        on_stage(a_secret_is_never_two_at_once),
        on_stage(a_former_secret_is_not_issued_again),
        on_stage(the_key_tells_when_its_last_former_secret_ends),
        on_stage(a_key_is_read_as_it_was_added),
        on_stage(the_list_is_of_one_organization_and_one_kind),
        on_stage(the_result_of_writing_tells_of_former_secrets),
        on_stage(every_look_up_goes_by_an_index),
        on_stage(former_secrets_are_not_looked_for_where_the_present_one_is_found),
        on_stage(keys_from_before_this_schema_go_on_working),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
