/* Transactions of lib/db.h, and the upkeep after them. */
#include "lib/db.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/lock.h"
#include "tests/unit/parents.h"

static void commit_is_seen_by_others_and_rollback_by_nobody(void **state)
{
    struct db *writer = must_open(DB_WRITE), *reader = must_open(DB_READ);

    (void)state;
    begin(writer);
    assert_int_equal(add_parent(writer, 1, "one"), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    assert_int_equal(db_write_commit(writer), STATUS_OK);
    assert_false(db_in_transaction(writer));
    assert_int_equal(parents(reader), 1);
    begin(writer);
    assert_int_equal(add_parent(writer, 2, "two"), STATUS_OK);
    db_write_rollback(writer);
    assert_int_equal(parents(writer), 1);
    begin(writer);
    assert_int_equal(add_parent(writer, 3, "three"), STATUS_OK);
    db_close(writer);
    assert_int_equal(parents(reader), 1);
    db_close(reader);
}

static void reading_sees_one_state_until_it_ends(void **state)
{
    struct db *writer = must_open(DB_WRITE), *reader = must_open(DB_READ);

    (void)state;
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    begin(writer);
    assert_int_equal(add_parent(writer, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(writer), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    db_read_end(reader);
    assert_int_equal(parents(reader), 1);
    db_read_end(reader);
    db_close(reader);
    db_close(writer);
}

/* Nor would it be written to: its commits would be lost. */
static void a_file_that_was_taken_away_is_not_used(void **state)
{
    struct db *reader = must_open(DB_READ), *writer = must_open(DB_WRITE);
    char path[128], away[128];

    (void)state;
    (void)snprintf(path, sizeof path, "%s", scratch_path("db"));
    (void)snprintf(away, sizeof away, "%s", scratch_path("away"));
    assert_int_equal(rename(path, away), 0);
    assert_int_equal(db_read_begin(reader), STATUS_UNAVAILABLE);
    assert_int_equal(db_write_begin(writer, SHORT_MS), STATUS_UNAVAILABLE);
    assert_int_equal(rename(away, path), 0);
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    db_read_end(reader);
    begin(writer);
    db_write_rollback(writer);
    db_close(reader);
    db_close(writer);
}

static void only_one_writes_at_a_time(void **state)
{
    struct db *first = must_open(DB_WRITE), *second = must_open(DB_WRITE);

    (void)state;
    begin(first);
    assert_int_equal(db_write_begin(second, SHORT_MS), STATUS_BUSY);
    assert_false(db_in_transaction(second));
    assert_int_equal(add_parent(first, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(first), STATUS_OK);
    begin(second);
    assert_int_equal(db_write_begin(first, SHORT_MS), STATUS_BUSY);
    db_write_rollback(second);
    begin(first);
    db_write_rollback(first);
    db_close(first);
    db_close(second);
}

/* Opens the database, begins to write, reports that, and waits to be killed. */
static int write_until_killed(int to_parent)
{
    struct db *db = must_open(DB_WRITE);

    if (db_write_begin(db, TIMEOUT_MS) != STATUS_OK ||
        add_parent(db, 1, "one") != STATUS_OK)
        return 1;
    child_tell(to_parent);
    for (;;)
        (void)pause();
}

/* Programs that replace the database, or copy it, hold the lock without writing. */
static void whoever_holds_the_lock_file_keeps_others_from_writing(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct lock *lock = NULL;

    (void)state;
    assert_int_equal(lock_open(&lock, scratch_path("db.lock"), NULL, NULL), STATUS_OK);
    assert_int_equal(lock_take(lock, 0), STATUS_OK);
    assert_int_equal(db_write_begin(db, SHORT_MS), STATUS_BUSY);
    lock_release(lock);
    begin(db);
    db_write_rollback(db);
    lock_close(lock);
    db_close(db);
}

static void writer_that_dies_leaves_nothing_and_holds_up_nobody(void **state)
{
    struct child child = child_start(write_until_killed);

    (void)state;
    child_wait_told(&child);
    struct db *db = must_open(DB_WRITE);
    assert_int_equal(db_write_begin(db, SHORT_MS), STATUS_BUSY);
    assert_int_equal(kill(child.id, SIGKILL), 0);
    assert_int_equal(child_end(&child), 128 + SIGKILL);
    begin(db);
    assert_int_equal(parents(db), 0);
    assert_int_equal(add_parent(db, 1, "mine"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    db_close(db);
}

enum {
    WRITERS = 4,
    COMMITS = 50, /* of each writer */
};

static int64_t first_id; /* of the rows that a child makes */

static int commit_many(int to_parent)
{
    struct db *db = must_open(DB_WRITE);

    child_tell(to_parent);
    for (int64_t i = 0; i < COMMITS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%lld", (long long)(first_id + i));
        if (db_write_begin(db, TIMEOUT_MS) != STATUS_OK ||
            add_parent(db, first_id + i, name) != STATUS_OK ||
            db_write_commit(db) != STATUS_OK)
            return 1;
    }
    db_close(db);
    return 0;
}

static void writers_queue_and_none_fails(void **state)
{
    struct child children[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        first_id = 1 + i * COMMITS;
        children[i] = child_start(commit_many);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(child_end(&children[i]), 0);
    struct db *db = must_open(DB_READ);
    assert_int_equal(parents(db), WRITERS * COMMITS);
    db_close(db);
}

static void wal_is_written_back_while_it_grows(void **state)
{
    enum { ROW_BYTES = 4 << 20, ROWS = 20 };
    struct db *db = must_open(DB_WRITE);
    char *data = calloc(1, ROW_BYTES);
    struct stat info;

    (void)state;
    assert_non_null(data);
    for (int64_t i = 0; i < ROWS; i++) {
        begin(db);
        assert_int_equal(
            DB_RUN(db, NULL, insert_child, DB_INT(i), DB_NULL, DB_BLOB(data, ROW_BYTES)),
            STATUS_OK);
        assert_int_equal(db_write_commit(db), STATUS_OK);
        db_tidy(db);
        assert_int_equal(stat(scratch_path("db-wal"), &info), 0);
        assert_true(info.st_size < 32 << 20);
    }
    free(data);
    db_close(db);
}

static void a_reader_who_stays_makes_no_commit_wait_for_long(void **state)
{
    enum { ROW_BYTES = 4 << 20, ROWS_BEYOND_THE_LIMIT = 10, ROWS = 20, LIMIT_MS = 5000 };
    struct db *reader = must_open(DB_READ), *db = must_open(DB_WRITE);
    char *data = calloc(1, ROW_BYTES);
    int64_t began_ms = 0;

    (void)state;
    assert_non_null(data);
    assert_int_equal(db_read_begin(reader), STATUS_OK);
    assert_int_equal(parents(reader), 0);
    for (int64_t i = 0; i < ROWS; i++) {
        if (i == ROWS_BEYOND_THE_LIMIT)
            began_ms = clock_monotonic_ms();
        begin(db);
        assert_int_equal(DB_RUN(db, NULL, insert_child, DB_INT(i), DB_NULL,
                                DB_BLOB(data, i < ROWS_BEYOND_THE_LIMIT ? ROW_BYTES : 1)),
                         STATUS_OK);
        assert_int_equal(db_write_commit(db), STATUS_OK);
        db_tidy(db);
    }
    assert_true(clock_monotonic_ms() - began_ms < LIMIT_MS);
    db_read_end(reader);
    db_close(reader);
    free(data);
    db_close(db);
}

/* Commits more than the file may grow to; 0 when that fails and leaves nothing behind. */
static int commit_on_a_full_disk(int to_parent)
{
    struct rlimit limit = {1 << 20, RLIM_INFINITY};
    struct db *db = must_open(DB_WRITE);
    char *data = calloc(1, 4 << 20);

    (void)to_parent;
    if (data == NULL || signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
        setrlimit(RLIMIT_FSIZE, &limit) != 0 || db_write_begin(db, TIMEOUT_MS) != STATUS_OK)
        return 1;
    enum status status =
        DB_RUN(db, NULL, insert_child, DB_INT(1), DB_NULL, DB_BLOB(data, 4 << 20));
    if (status == STATUS_OK)
        status = db_write_commit(db);
    else
        db_write_rollback(db);
    if (status == STATUS_OK)
        return 2;
    limit.rlim_cur = RLIM_INFINITY;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    free(data);
    db_close(db);
    return 0;
}

static void full_disk_fails_the_commit_and_spoils_nothing(void **state)
{
    struct child child = child_start(commit_on_a_full_disk);
    struct problem why = {""};

    (void)state;
    assert_int_equal(child_end(&child), 0);
    struct db *db = must_open(DB_WRITE);
    struct db_rows rows;
    assert_int_equal(DB_QUERY(db, &rows, get_child, DB_INT(1)), STATUS_NOT_FOUND);
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(db_check(db, &why), STATUS_OK);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commit_is_seen_by_others_and_rollback_by_nobody),
        TEST(reading_sees_one_state_until_it_ends),
        TEST(a_file_that_was_taken_away_is_not_used),
        TEST(only_one_writes_at_a_time),
        TEST(whoever_holds_the_lock_file_keeps_others_from_writing),
        TEST(writer_that_dies_leaves_nothing_and_holds_up_nobody),
        TEST(writers_queue_and_none_fails),
        TEST(wal_is_written_back_while_it_grows),
        TEST(a_reader_who_stays_makes_no_commit_wait_for_long),
        TEST(full_disk_fails_the_commit_and_spoils_nothing),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
