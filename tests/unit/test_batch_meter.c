/* What a batch counts, and what it finds out without a command. */
#include "app/commit/batch.h"

#include "tests/unit/failing_sync.h"
#include "tests/unit/stage.h"

enum {
    BATCH = 3,
};

static struct counters *counters;
static struct batch *batch;

static int make(void **state)
{
    if (stage_make(state) != 0)
        return -1;
    counters = meter_create(1, call_count);
    batch = batch_create(stage_path, call_command_kinds(), meter_of_writer(counters, 1));
    return counters != NULL && batch != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    next_sync_fails = false;
    batch_free(batch);
    counters_free(counters);
    return stage_remove(state);
}

static int64_t total(size_t number)
{
    return meter_total(counters, number);
}

/* The number of transactions whose size falls into a bucket. */
static int64_t groups(size_t bucket)
{
    return total(METER_GROUP_SIZES + bucket);
}

static void submit(const struct note_command *commands, size_t count)
{
    struct batch_item items[BATCH];

    for (size_t i = 0; i < count; i++)
        items[i] = (struct batch_item){.command = &commands[i].common};
    batch_commit(batch, items, count, STAGE_LOCK_MS);
}

static void notes_are_counted_by_what_was_done(void **state)
{
    struct note_command commands[BATCH] = {stage_command("one", "text"),
                                           stage_command("two", "text"),
                                           stage_command("three", "text")};

    (void)state;
    commands[2].member_id = stage_given("bob"); /* is refused */
    submit(commands, 3);
    assert_int_equal(total(METER_NOTES_CREATED), 2);
    struct note_command update = stage_command("four", "other text");
    update.note_id = stage_given("one");
    submit(&update, 1);
    assert_int_equal(total(METER_NOTES_CREATED), 2);
    assert_int_equal(total(METER_NOTES_UPDATED), 1);
}

static void a_replayed_note_is_not_counted_again(void **state)
{
    struct note_command command = stage_command("one", "text");

    (void)state;
    (void)snprintf(command.common.idempotency_key, sizeof command.common.idempotency_key,
                   "key");
    submit(&command, 1);
    submit(&command, 1);
    assert_int_equal(total(METER_NOTES_CREATED), 1);
}

static void transactions_are_counted_by_their_size(void **state)
{
    struct note_command commands[BATCH] = {stage_command("one", "text"),
                                           stage_command("two", "text"),
                                           stage_command("three", "text")};

    (void)state;
    submit(commands, 3);
    commands[0] = stage_command("four", "text");
    submit(commands, 1);
    assert_int_equal(groups(0), 1); /* 1 */
    assert_int_equal(groups(2), 1); /* 3 or 4 */
    assert_int_equal(total(METER_GROUP_SIZES + METER_GROUP_BUCKETS + 1), 4);
    int64_t times = 0;
    for (size_t i = 0; i <= METER_COMMIT_BUCKETS; i++)
        times += total(METER_COMMIT_TIMES + i);
    assert_int_equal(times, 2);
}

static void failures_are_counted_by_what_callers_are_told(void **state)
{
    const struct note_command command = stage_command("one", "text");

    (void)state;
    next_sync_fails = true;
    submit(&command, 1);
    next_sync_fails = false;
    assert_int_equal(total(METER_COMMITS_UNKNOWN) + total(METER_COMMITS_UNAVAILABLE), 1);
    assert_int_equal(total(METER_NOTES_CREATED), 0);
}

static void a_probe_commits_and_changes_nothing(void **state)
{
    char before[64];

    (void)state;
    (void)snprintf(before, sizeof before, "%s", stage_ask("PRAGMA user_version"));
    assert_int_equal(batch_probe(batch, STAGE_LOCK_MS), STATUS_OK);
    assert_string_equal(stage_ask("PRAGMA user_version"), before);
    assert_int_equal(groups(0), 0); /* it is no command */
}

static void a_probe_fails_where_a_commit_would(void **state)
{
    (void)state;
    next_sync_fails = true;
    assert_int_not_equal(batch_probe(batch, STAGE_LOCK_MS), STATUS_OK);
    next_sync_fails = false;
    assert_int_equal(batch_probe(batch, STAGE_LOCK_MS), STATUS_OK);
}

#define with_counters(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_counters(notes_are_counted_by_what_was_done),
        with_counters(a_replayed_note_is_not_counted_again),
        with_counters(transactions_are_counted_by_their_size),
        with_counters(failures_are_counted_by_what_callers_are_told),
        with_counters(a_probe_commits_and_changes_nothing),
        with_counters(a_probe_fails_where_a_commit_would),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
