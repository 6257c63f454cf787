#include "app/commit/batch.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/lock.h"
#include "tests/unit/batch_stage.h"
#include "tests/unit/clock_ahead.h"
#include "tests/unit/failing_sync.h"

/* ---- The write lock, which somebody else may hold ---- */

static struct {
    int calls;     /* of lock_take */
    int held_from; /* the first of these calls for which it is held; 0: none */
    int wait_s;    /* until it is released, each time */
} lock;

/* Stands in for the function of libc. Waits in steps of a second, each as if an alarm had
 * interrupted it. */
int flock(int fd, int operation)
{
    static int waited_s;

    if (operation == (LOCK_EX | LOCK_NB) && ++lock.calls >= lock.held_from &&
        lock.held_from > 0) {
        waited_s = 0;
        errno = EWOULDBLOCK;
        return -1;
    }
    if (operation == LOCK_EX && waited_s < lock.wait_s) {
        waited_s++;
        clock_ahead_s++;
        errno = EINTR;
        return -1;
    }
    return (int)syscall(SYS_flock, fd, operation);
}

/* ---- A batch ---- */

static int make(void **state)
{
    int made = batch_stage_make(state);

    memset(&lock, 0, sizeof lock); /* making it has taken the lock, too */
    clock_ahead_s = 0;
    return made;
}

static int unmake(void **state)
{
    memset(&lock, 0, sizeof lock);
    return batch_stage_remove(state);
}

static void assert_notes(int count)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%d", count);
    assert_string_equal(stage_ask("SELECT count(*) FROM notes"), text);
}

/* A valid command; notes are numbered. */
static struct batch_item item_for(int new_note)
{
    static struct note_command commands[64]; /* more than a test needs at once */
    static size_t next;
    struct note_command *command = &commands[next++ % COUNT(commands)];
    char name[16];

    (void)snprintf(name, sizeof name, "note %d", new_note);
    *command = stage_command(name, "text");
    return (struct batch_item){.command = &command->common};
}

/* To change it. */
static struct note_command *command_of(const struct batch_item *item)
{
    return (struct note_command *)item->command;
}

static void commit_one(struct batch_item *item, int timeout_ms)
{
    batch_commit(batch, item, 1, timeout_ms);
}

static void all_items_are_stored_together(void **state)
{
    struct batch_item items[20];

    (void)state;
    for (size_t i = 0; i < COUNT(items); i++)
        items[i] = item_for((int)i + 1);
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    for (size_t i = 0; i < COUNT(items); i++)
        assert_int_equal(items[i].status, STATUS_OK);
    assert_notes((int)COUNT(items));
}

static void one_that_is_refused_takes_no_other_along(void **state)
{
    struct batch_item items[] = {item_for(1), item_for(2), item_for(3)};

    (void)state;
    command_of(&items[1])->member_id = stage_given("bob");
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    assert_int_equal(items[0].status, STATUS_OK);
    assert_int_equal(items[1].status, STATUS_REFUSED);
    assert_int_equal(items[1].result.refusal, ERROR_NOT_OWNER);
    assert_int_equal(items[2].status, STATUS_OK);
    assert_notes(2);
}

/* The same id cannot be stored twice, which the database reports in the middle of the
 * batch. */
static void one_that_fails_takes_no_other_along(void **state)
{
    struct batch_item items[] = {item_for(1), item_for(1), item_for(3)};

    (void)state;
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    assert_int_equal(items[0].status, STATUS_OK);
    assert_int_equal(items[1].status, STATUS_EXISTS);
    assert_int_equal(items[2].status, STATUS_OK);
    assert_notes(2);
}

/* An update stores a former version before it fails; that must be undone, too. */
static void what_a_failed_item_did_is_undone(void **state)
{
    struct batch_item first = item_for(1), update = item_for(2);

    (void)state;
    commit_one(&first, STAGE_LOCK_MS);
    stage_sql("CREATE TRIGGER stop BEFORE UPDATE ON notes BEGIN"
              " SELECT RAISE(ABORT, 'no'); END");
    command_of(&update)->note_id = stage_given("note 1");
    struct batch_item items[] = {update, item_for(3)};
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    assert_int_equal(items[0].status, STATUS_INVALID);
    assert_int_equal(items[1].status, STATUS_OK);
    assert_string_equal(stage_ask("SELECT count(*) FROM note_revisions"), "0");
}

/* This trigger rolls back the whole transaction, as a full disk does. */
static void one_that_spoils_the_transaction_fails_alone(void **state)
{
    struct batch_item items[] = {item_for(1), item_for(2), item_for(3)};

    (void)state;
    stage_sql("CREATE TRIGGER stop AFTER INSERT ON notes WHEN new.content = 'poison'"
              " BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
    command_of(&items[1])->content = span_of("poison");
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    assert_int_equal(items[0].status, STATUS_OK);
    assert_int_equal(items[1].status, STATUS_INVALID);
    assert_int_equal(items[2].status, STATUS_OK);
    assert_notes(2);
}

static void commit_without_room(struct batch_item *items, size_t count)
{
    struct rlimit before, little;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little = (struct rlimit){1000, before.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    batch_commit(batch, items, count, STAGE_LOCK_MS);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

/* fingerprint: different for different fields. */
static void set_idempotency_key(const struct batch_item *item, unsigned char fingerprint)
{
    struct command *command = &command_of(item)->common;

    (void)snprintf(command->idempotency_key, sizeof command->idempotency_key, "key");
    command->fingerprint.bytes[0] = fingerprint;
}

/* The second one has the key of the first one, which is not stored either. */
static void a_refusal_does_not_outlive_the_commit_that_it_rests_on(void **state)
{
    struct batch_item items[] = {item_for(1), item_for(2)};

    (void)state;
    for (size_t i = 0; i < COUNT(items); i++)
        set_idempotency_key(&items[i], (unsigned char)i);
    commit_without_room(items, COUNT(items));
    assert_int_equal(items[0].status, STATUS_UNAVAILABLE);
    assert_int_equal(items[1].status, STATUS_UNAVAILABLE);
    assert_notes(0);
    commit_one(&items[1], STAGE_LOCK_MS);
    assert_int_equal(items[1].status, STATUS_OK);
    commit_one(&items[0], STAGE_LOCK_MS);
    assert_int_equal(items[0].status, STATUS_REFUSED);
    assert_int_equal(items[0].result.refusal, ERROR_IDEMPOTENCY_MISMATCH);
}

/* After a sync that failed, the notes may be stored: tried again, they could be there twice,
 * or get an answer that a power cut makes untrue. */
static void a_batch_whose_commit_is_unknown_is_not_tried_again(void **state)
{
    struct batch_item items[] = {item_for(1), item_for(2)};

    (void)state;
    next_sync_fails = true;
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    assert_false(next_sync_fails);
    assert_int_equal(items[0].status, STATUS_UNKNOWN);
    assert_int_equal(items[1].status, STATUS_UNKNOWN);
    assert_int_equal(lock.calls, 1);
}

/* The batch fails at once, and then each item waits a minute for the lock: the first one
 * gets it, the second one only has the rest of the time, and the third one has none. */
static void items_that_are_tried_alone_share_the_time_limit(void **state)
{
    struct batch_item items[] = {item_for(1), item_for(1), item_for(3)};

    (void)state;
    lock.held_from = 2;
    lock.wait_s = 60;
    batch_commit(batch, items, COUNT(items), 100 * 1000);
    assert_int_equal(items[0].status, STATUS_OK);
    assert_int_equal(items[1].status, STATUS_BUSY);
    assert_int_equal(items[2].status, STATUS_EXISTS);
    assert_int_equal(lock.calls, 3);
    assert_in_range(clock_ahead_s, 90, 100);
    assert_notes(1);
}

static void a_key_revoked_meanwhile_is_refused(void **state)
{
    static const struct {
        const char *sql;
        enum error refusal;
    } table[] = {
        {"UPDATE api_keys SET revoked_at = 1", ERROR_INVALID_API_KEY},
        {"UPDATE api_keys SET revoked_at = NULL; UPDATE members SET active = 0",
         ERROR_INVALID_API_KEY},
        {"UPDATE members SET active = 1; UPDATE developer_keys SET revoked_at = 1"
         " WHERE developer_key_id = {dev}",
         ERROR_IP_NOT_WHITELISTED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(table); i++) {
        struct batch_item item = item_for(1);
        stage_sql(table[i].sql);
        commit_one(&item, STAGE_LOCK_MS);
        assert_int_equal(item.status, STATUS_REFUSED);
        assert_int_equal(item.result.refusal, table[i].refusal);
    }
    assert_notes(0);
}

static void while_somebody_else_holds_the_lock_nothing_is_stored(void **state)
{
    struct batch_item item = item_for(1);

    (void)state;
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    commit_one(&item, 20);
    assert_int_equal(item.status, STATUS_BUSY);
    db_write_rollback(stage_db);
    commit_one(&item, STAGE_LOCK_MS);
    assert_int_equal(item.status, STATUS_OK);
    assert_notes(1);
}

static void a_database_that_comes_back_is_used_again(void **state)
{
    struct batch_item item = item_for(1);
    char away[128];

    (void)state;
    (void)snprintf(away, sizeof away, "%s", scratch_path("away.db"));
    db_close(stage_db);
    assert_int_equal(rename(stage_path, away), 0);
    stage_db = NULL;
    commit_one(&item, STAGE_LOCK_MS);
    assert_int_equal(item.status, STATUS_UNAVAILABLE);
    assert_int_equal(rename(away, stage_path), 0);
    commit_one(&item, STAGE_LOCK_MS);
    assert_int_equal(item.status, STATUS_OK);
    assert_notes(1);
}

static int store_many(int first, int count)
{
    struct batch *own =
        batch_create(stage_path, call_command_kinds(), (struct meter){NULL, 0});
    int stored = 0;

    for (int i = 0; i < count; i++) {
        struct batch_item item = item_for(0);
        command_of(&item)->common.new_id.bytes[0] = (uint8_t)first;
        command_of(&item)->common.new_id.bytes[1] = (uint8_t)i;
        batch_commit(own, &item, 1, 20000);
        stored += item.status == STATUS_OK;
    }
    batch_free(own);
    return stored == count ? 0 : 1;
}

static void processes_that_write_at_once_lose_nothing(void **state)
{
    enum { PROCESSES = 6, EACH = 50 };
    pid_t children[PROCESSES];

    (void)state;
    db_close(stage_db); /* no connection may be carried across fork */
    stage_db = NULL;
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(store_many(i + 1, EACH));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_notes(PROCESSES * EACH);
}

#define WITH_GROUP(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_GROUP(all_items_are_stored_together),
        WITH_GROUP(one_that_is_refused_takes_no_other_along),
        WITH_GROUP(one_that_fails_takes_no_other_along),
        WITH_GROUP(what_a_failed_item_did_is_undone),
        WITH_GROUP(one_that_spoils_the_transaction_fails_alone),
        WITH_GROUP(a_refusal_does_not_outlive_the_commit_that_it_rests_on),
        WITH_GROUP(a_batch_whose_commit_is_unknown_is_not_tried_again),
        WITH_GROUP(items_that_are_tried_alone_share_the_time_limit),
        WITH_GROUP(a_key_revoked_meanwhile_is_refused),
        WITH_GROUP(while_somebody_else_holds_the_lock_nothing_is_stored),
        WITH_GROUP(a_database_that_comes_back_is_used_again),
        WITH_GROUP(processes_that_write_at_once_lose_nothing),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
