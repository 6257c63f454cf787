/* Files of a database that are removed or replaced while connections use it. */
#include "lib/db.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "lib/clock.h"
#include "tests/unit/parents.h"

static void remove_file(const char *name)
{
    assert_int_equal(unlink(scratch_path(name)), 0);
}

/* Another file with the same content. */
static void replace_file(const char *name)
{
    char command[400];

    (void)snprintf(command, sizeof command, "cp -p %s %s && mv %s %s", scratch_path(name),
                   scratch_path("new"), scratch_path("new"), scratch_path(name));
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

/* What a process sees that opens the files after all others have been killed. */
static int count_in_copy(void)
{
    char command[400];

    (void)snprintf(command, sizeof command,
                   "mkdir %s && cp -p %s/db %s/; [ ! -e %s/db-wal ] || cp -p %s/db-wal %s/",
                   scratch_path("copy"), scratch_directory, scratch_path("copy"),
                   scratch_directory, scratch_directory, scratch_path("copy"));
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    struct db *db = must_open_file("copy/db", DB_WRITE);
    int count = (int)parents(db);
    db_close(db);
    return count;
}

static void a_commit_to_a_wal_that_was_removed_is_saved_in_the_database(void **state)
{
    struct db *db = must_open(DB_WRITE);

    (void)state;
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    begin(db);
    assert_int_equal(add_parent(db, 2, "two"), STATUS_OK);
    remove_file("db-wal");
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(count_in_copy(), 2);
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_UNAVAILABLE);
    assert_int_equal(db_read_begin(db), STATUS_UNAVAILABLE);
    db_close(db);
}

static void a_commit_is_not_saved_over_the_commits_of_others(void **state)
{
    struct db *db = must_open(DB_WRITE);

    (void)state;
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    remove_file("db-wal");
    scratch_write("db-wal", "changes of another program");
    assert_int_equal(db_write_commit(db), STATUS_UNKNOWN);
    assert_non_null(strstr(db_message(db), "removed or replaced"));
    db_close(db);
}

/* A connection that was opened during the commit has made the other file. */
static void a_commit_that_others_may_not_see_is_unknown(void **state)
{
    static const char *const names[] = {"db", "db-shm"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct db *db = must_open(DB_WRITE);
        begin(db);
        assert_int_equal(add_parent(db, (int64_t)i, names[i]), STATUS_OK);
        replace_file(names[i]);
        assert_int_equal(db_write_commit(db), STATUS_UNKNOWN);
        db_close(db);
        remove_file("db-shm"); /* that of the connection that is closed */
    }
}

static void a_commit_is_kept_when_other_files_are_removed(void **state)
{
    static const char *const names[] = {"db-shm", "db.lock"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct db *db = must_open(DB_WRITE);
        begin(db);
        assert_int_equal(add_parent(db, (int64_t)i, names[i]), STATUS_OK);
        remove_file(names[i]);
        assert_int_equal(db_write_commit(db), STATUS_OK);
        assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_UNAVAILABLE);
        db_close(db);
    }
    assert_int_equal(count_in_copy(), 2);
}

static void the_guard_saves_what_was_committed_before(void **state)
{
    struct db *db = must_open(DB_WRITE);

    (void)state;
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(db_guard(db), STATUS_OK);
    remove_file("db-wal");
    assert_int_equal(db_guard(db), STATUS_UNAVAILABLE);
    assert_non_null(strstr(db_message(db), "db-wal was removed"));
    assert_non_null(strstr(db_message(db), "saved in the database"));
    assert_int_equal(count_in_copy(), 1);
    assert_int_equal(db_guard(db), STATUS_UNAVAILABLE);
    db_close(db);
}

static int stay_open(int to_parent)
{
    (void)must_open(DB_READ);
    child_tell(to_parent);
    (void)poll(NULL, 0, -1);
    return 0;
}

static void kill_child(const struct child *child)
{
    assert_int_equal(kill(child->id, SIGKILL), 0);
    assert_int_equal(child_end(child), 128 + SIGKILL);
}

/* Old connections of other processes may still be open then. */
static void after_that_there_is_a_wal_with_the_permissions_of_the_database(void **state)
{
    struct child child = child_start(stay_open);
    struct stat data, wal;

    (void)state;
    child_wait_told(&child);
    struct db *db = must_open(DB_WRITE);
    assert_int_equal(chmod(scratch_path("db"), 0660), 0);
    remove_file("db-wal");
    mode_t before = umask(0);
    assert_int_equal(db_guard(db), STATUS_UNAVAILABLE);
    (void)umask(before);
    db_close(db);
    assert_int_equal(stat(scratch_path("db"), &data), 0);
    assert_int_equal(stat(scratch_path("db-wal"), &wal), 0);
    assert_int_equal(wal.st_mode, data.st_mode);
    db = must_open(DB_WRITE);
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(db_guard(db), STATUS_OK);
    db_close(db);
    assert_int_equal(count_in_copy(), 1);
    kill_child(&child);
}

/* They would share the index in memory, which is not that of the other processes. */
static void a_process_closes_its_old_connections_first(void **state)
{
    static const char *const names[] = {"db-shm", "db-wal", "db.lock"};

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        struct db *old = must_open(DB_WRITE), *db;
        struct problem why = {""};

        remove_file(names[i]);
        assert_int_equal(db_open(&db, scratch_path("db"), DB_READ, &why),
                         STATUS_UNAVAILABLE);
        assert_non_null(strstr(why.text, "try again"));
        db_close(old);
        db_close(must_open(DB_WRITE));
    }
}

static void the_end_of_the_program_saves_it_too(void **state)
{
    struct db *db = must_open(DB_WRITE);

    (void)state;
    begin(db);
    assert_int_equal(add_parent(db, 1, "one"), STATUS_OK);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    remove_file("db-wal");
    db_finish(db);
    db_close(db);
    assert_int_equal(count_in_copy(), 1);
}

/* Opens the database, removes the WAL, and saves it after save_ms; -1: never. */
static int use_without_wal(int to_parent, int save_ms)
{
    struct db *db = must_open(DB_WRITE);

    remove_file("db-wal");
    child_tell(to_parent);
    (void)poll(NULL, 0, save_ms);
    (void)db_guard(db);
    (void)poll(NULL, 0, -1);
    return 0;
}

static int never_save(int to_parent)
{
    return use_without_wal(to_parent, -1);
}

static int save_soon(int to_parent)
{
    return use_without_wal(to_parent, 300);
}

static void a_database_in_use_is_not_opened_without_its_wal(void **state)
{
    struct child child = child_start(never_save);
    struct problem why = {""};
    struct db *db;

    (void)state;
    child_wait_told(&child);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(db_open(&db, scratch_path("db"), DB_READ, &why), STATUS_UNAVAILABLE);
    assert_true(clock_monotonic_ms() - began_ms >= 1000); /* the other may save it */
    assert_non_null(strstr(why.text, "db-wal was removed"));
    assert_int_not_equal(access(scratch_path("db-wal"), F_OK), 0); /* none was made */
    kill_child(&child);
    db_close(must_open(DB_WRITE)); /* it is not in use any more */
}

static void a_database_is_opened_when_its_wal_has_been_saved(void **state)
{
    struct child child = child_start(save_soon);

    (void)state;
    child_wait_told(&child);
    db_close(must_open(DB_WRITE));
    kill_child(&child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_to_a_wal_that_was_removed_is_saved_in_the_database),
        TEST(a_commit_is_not_saved_over_the_commits_of_others),
        TEST(a_commit_that_others_may_not_see_is_unknown),
        TEST(a_commit_is_kept_when_other_files_are_removed),
        TEST(the_guard_saves_what_was_committed_before),
        TEST(after_that_there_is_a_wal_with_the_permissions_of_the_database),
        TEST(a_process_closes_its_old_connections_first),
        TEST(the_end_of_the_program_saves_it_too),
        TEST(a_database_in_use_is_not_opened_without_its_wal),
        TEST(a_database_is_opened_when_its_wal_has_been_saved),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
