#include "lib/db_files.h"

#include "tests/unit/scratch.h"

#include <sys/stat.h>

enum {
    BOTH = DB_FILE_READ | DB_FILE_WRITE,
};

static const char make_table[] = "CREATE TABLE one (id INTEGER PRIMARY KEY)";

static struct db *must_open(const char *path, enum db_mode mode)
{
    struct problem why = {""};
    struct db *db;

    if (db_open(&db, path, mode, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return db;
}

static void make_database(const char *path)
{
    struct db *db = must_open(path, DB_CREATE);

    assert_int_equal(db_script(db, make_table), STATUS_OK);
    db_close(db);
}

/* Those of SQLite. */
static void files_are_named_with_what_each_mode_does_to_them(void **state)
{
    static const struct {
        const char *path;
        unsigned reader;
        unsigned writer;
    } wanted[] = {
        {"/data/db", DB_FILE_READ, BOTH},
        {"/data/db-wal", DB_FILE_READ, BOTH},
        {"/data/db-shm", BOTH, BOTH},
        {"/data/db.lock", 0, BOTH},
    };
    struct db_files files;

    (void)state;
    db_files_find(&files, "/data/db");
    assert_int_equal(files.count, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_string_equal(files.list[i].path, wanted[i].path);
        assert_int_equal(db_file_use_of(&files.list[i], DB_READ), wanted[i].reader);
        assert_int_equal(db_file_use_of(&files.list[i], DB_WRITE), wanted[i].writer);
        assert_int_equal(db_file_use_of(&files.list[i], DB_CREATE), wanted[i].writer);
    }
    assert_string_equal(files.directory, "/data");
    assert_string_equal(files.named_directory, "/data");
}

static void all_that_opening_makes_is_among_them(void **state)
{
    struct db_files files;
    struct stat info;

    (void)state;
    make_database(scratch_path("db"));
    db_files_find(&files, scratch_path("db"));
    for (size_t i = 0; i < files.count; i++) {
        assert_int_equal(stat(files.list[i].path, &info), 0);
        assert_int_equal(unlink(files.list[i].path), 0);
    }
    assert_int_equal(rmdir(scratch_directory), 0);
    assert_int_equal(mkdir(scratch_directory, 0700), 0);
}

static void a_symbolic_link_is_followed_only_by_find(void **state)
{
    struct db_files found, named;

    (void)state;
    assert_int_equal(mkdir(scratch_path("one"), 0700), 0);
    make_database(scratch_path("one/db"));
    assert_int_equal(symlink(scratch_path("one/db"), scratch_path("link")), 0);
    db_files_find(&found, scratch_path("link"));
    assert_string_equal(found.list[1].path, scratch_path("one/db-wal"));
    assert_string_equal(found.list[3].path, scratch_path("link.lock"));
    assert_string_equal(found.directory, scratch_path("one"));
    assert_string_equal(found.named_directory, scratch_directory);
    db_files_name(&named, scratch_path("link"));
    assert_string_equal(named.list[1].path, scratch_path("link-wal"));
    assert_string_equal(named.directory, scratch_directory);
}

static void missing_files_are_noticed_and_made_by_opening(void **state)
{
    static const struct {
        const char *name;
        enum db_mode mode;
        bool missing;
    } cases[] = {
        {"db-wal", DB_READ, true},
        {"db-shm", DB_WRITE, true},
        {"db.lock", DB_WRITE, true},
        {"db.lock", DB_READ, false},
    };
    const char *path = scratch_path("db");
    struct db_stamp stamp;

    (void)state;
    assert_false(db_files_missing(path, DB_WRITE));
    make_database(path);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(unlink(scratch_path(cases[i].name)), 0);
        assert_int_equal(db_files_missing(scratch_path("db"), cases[i].mode),
                         cases[i].missing);
        struct db *db = must_open(scratch_path("db"), DB_WRITE);
        assert_int_equal(db_stamp_read(db, &stamp), STATUS_OK);
        db_close(db);
        assert_false(db_files_missing(scratch_path("db"), cases[i].mode));
    }
}

static void files_that_others_have_replaced_are_noticed(void **state)
{
    struct db_files_seen seen = {.count = 0};

    (void)state;
    make_database(scratch_path("db"));
    assert_false(db_files_replaced(&seen));
    db_files_see(&seen, scratch_path("db"), DB_READ);
    assert_false(db_files_replaced(&seen));
    assert_int_equal(rename(scratch_path("db"), scratch_path("away")), 0);
    assert_false(db_files_replaced(&seen)); /* no data: they may come back */
    scratch_write("db", "another");
    assert_true(db_files_replaced(&seen));
    assert_int_equal(rename(scratch_path("away"), scratch_path("db")), 0);
    assert_false(db_files_replaced(&seen));
    assert_int_equal(rename(scratch_path("db-wal"), scratch_path("away")), 0);
    assert_true(db_files_replaced(&seen));
}

static void a_link_that_leads_elsewhere_by_now_is_noticed(void **state)
{
    struct db_files_seen seen;

    (void)state;
    make_database(scratch_path("one"));
    make_database(scratch_path("two"));
    assert_int_equal(symlink("one", scratch_path("link")), 0);
    db_files_see(&seen, scratch_path("link"), DB_READ);
    assert_false(db_files_replaced(&seen));
    assert_int_equal(unlink(scratch_path("link")), 0);
    assert_int_equal(symlink("two", scratch_path("link")), 0);
    assert_true(db_files_replaced(&seen));
}

static void sizes_are_those_of_data_and_log(void **state)
{
    struct db_sizes sizes;
    struct stat data, log;

    (void)state;
    make_database(scratch_path("db"));
    assert_int_equal(symlink("db", scratch_path("link")), 0);
    struct db *db = must_open(scratch_path("link"), DB_WRITE);
    assert_int_equal(db_sizes(db, &sizes), STATUS_OK);
    assert_int_equal(stat(scratch_path("db"), &data), 0);
    assert_int_equal(stat(scratch_path("db-wal"), &log), 0);
    assert_true(log.st_size > 0);
    assert_int_equal(sizes.data_bytes, data.st_size);
    assert_int_equal(sizes.log_bytes, log.st_size);
    db_finish(db);
    assert_int_equal(db_sizes(db, &sizes), STATUS_OK);
    assert_int_equal(sizes.log_bytes, 0);
    db_close(db);
}

static void a_file_beside_the_database_has_its_name_and_an_ending(void **state)
{
    char path[16];

    (void)state;
    assert_true(db_files_beside(path, sizeof path, "/data/db", "limits"));
    assert_string_equal(path, "/data/db.limits");
    assert_false(db_files_beside(path, sizeof path, "/data/db1", "limits"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_named_with_what_each_mode_does_to_them),
        TEST(all_that_opening_makes_is_among_them),
        TEST(a_symbolic_link_is_followed_only_by_find),
        TEST(missing_files_are_noticed_and_made_by_opening),
        TEST(files_that_others_have_replaced_are_noticed),
        TEST(a_link_that_leads_elsewhere_by_now_is_noticed),
        TEST(sizes_are_those_of_data_and_log),
        TEST(a_file_beside_the_database_has_its_name_and_an_ending),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
