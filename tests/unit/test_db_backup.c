/* Checking and copying of lib/db.h. */
#include "lib/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/unit/parents.h"

static void fill(struct db *db)
{
    begin(db);
    for (int64_t id = 1; id <= 500; id++) {
        char name[32];
        (void)snprintf(name, sizeof name, "name %lld", (long long)id);
        assert_int_equal(add_parent(db, id, name), STATUS_OK);
    }
    assert_int_equal(db_write_commit(db), STATUS_OK);
}

static void backup_holds_everything_and_can_take_the_databases_place(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    struct stat info;

    (void)state;
    fill(db);
    if (db_backup(db, scratch_path("copy"), NULL, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    db_close(db);
    assert_int_equal(stat(scratch_path("copy"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(rename(scratch_path("copy"), scratch_path("restored")), 0);
    db = must_open_file("restored", DB_WRITE);
    assert_int_equal(parents(db), 500);
    assert_int_equal(db_check(db, &why), STATUS_OK);
    db_close(db);
}

/* As on FAT and some network file systems. It takes the place of the one in libc. */
int link(const char *from, const char *to)
{
    (void)from;
    (void)to;
    errno = EPERM;
    return -1;
}

static void backup_needs_no_hard_links(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};

    (void)state;
    fill(db);
    if (db_backup(db, scratch_path("copy"), NULL, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    db_close(db);
}

static void backup_leaves_one_file(void **state)
{
    static const char *const wanted[] = {"copy", "db", "db-shm", "db-wal", "db.lock"};
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char command[256];

    (void)state;
    fill(db);
    assert_int_equal(db_backup(db, scratch_path("copy"), NULL, &why), STATUS_OK);
    (void)snprintf(command, sizeof command, "test $(ls -A %s | wc -l) = %zu",
                   scratch_directory, COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++)
        assert_int_equal(access(scratch_path(wanted[i]), F_OK), 0);
    assert_int_equal(system(command), 0);
    db_close(db);
}

static void backup_replaces_nothing(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char text[16] = "";

    (void)state;
    scratch_write("copy", "precious");
    assert_int_equal(db_backup(db, scratch_path("copy"), NULL, &why), STATUS_CANT_CREATE);
    assert_non_null(strstr(why.text, "copy"));
    FILE *file = fopen(scratch_path("copy"), "re");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    assert_string_equal(text, "precious");
    assert_int_equal(db_backup(db, scratch_path("no-directory/copy"), NULL, &why),
                     STATUS_CANT_CREATE);
    db_close(db);
}

static void backup_of_a_running_transaction_waits_for_no_writer(void **state)
{
    struct db *db = must_open(DB_WRITE), *writer = must_open(DB_WRITE);
    struct problem why = {""};

    (void)state;
    fill(db);
    begin(writer);
    assert_int_equal(DB_RUN(writer, NULL, delete_parents, DB_INT(1)), STATUS_OK);
    assert_int_equal(db_backup(db, scratch_path("copy"), NULL, &why), STATUS_OK);
    assert_int_equal(db_write_commit(writer), STATUS_OK);
    db_close(writer);
    db_close(db);
    db = must_open_file("copy", DB_READ);
    assert_int_equal(parents(db), 500);
    db_close(db);
}

static enum status refuse_copy(struct db *copy, struct problem *why)
{
    assert_int_equal(parents(copy), 500);
    return problem_set(why, STATUS_INVALID, "refused");
}

static void a_copy_that_is_refused_is_not_kept(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char command[256];

    (void)state;
    fill(db);
    assert_int_equal(db_backup(db, scratch_path("copy"), refuse_copy, &why),
                     STATUS_INVALID);
    assert_string_equal(why.text, "refused");
    (void)snprintf(command, sizeof command, "test -z \"$(ls -A %s | grep copy)\"",
                   scratch_directory);
    assert_int_equal(system(command), 0);
    db_close(db);
}

static bool is_whole(const char *name)
{
    int fd = open(scratch_path(name), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    bool whole = db_copy_is_whole(fd);
    assert_int_equal(close(fd), 0);
    return whole;
}

static void a_part_of_a_copy_is_not_whole(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct stat info;

    (void)state;
    fill(db);
    assert_int_equal(db_backup(db, scratch_path("copy"), NULL, NULL), STATUS_OK);
    db_close(db);
    assert_true(is_whole("copy"));
    assert_int_equal(stat(scratch_path("copy"), &info), 0);
    assert_true(info.st_size > 4096);
    const off_t sizes[] = {info.st_size - 1, info.st_size - 4096, 4096, 100, 99, 16, 0};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_int_equal(truncate(scratch_path("copy"), sizes[i]), 0);
        assert_false(is_whole("copy"));
    }
    scratch_write("text", "precious");
    assert_int_equal(truncate(scratch_path("text"), info.st_size), 0);
    assert_false(is_whole("text"));
}

static void damage_is_found(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};
    char garbage[2048];

    (void)state;
    fill(db);
    assert_int_equal(db_backup(db, scratch_path("copy"), NULL, &why), STATUS_OK);
    db_close(db);
    memset(garbage, 0x55, sizeof garbage);
    int fd = open(scratch_path("copy"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, garbage, sizeof garbage, 4096), sizeof garbage);
    assert_int_equal(close(fd), 0);
    db = must_open_file("copy", DB_READ);
    enum status status = db_check(db, &why);
    assert_true(status == STATUS_INVALID || status == STATUS_UNAVAILABLE);
    assert_string_not_equal(why.text, "");
    db_close(db);
}

static void reference_to_nothing_is_found(void **state)
{
    struct db *db = must_open(DB_WRITE);
    struct problem why = {""};

    (void)state;
    assert_int_equal(db_check(db, &why), STATUS_OK);
    assert_int_equal(db_script(db, "PRAGMA foreign_keys=OFF;"
                                   "INSERT INTO children VALUES (1, 99, NULL)"),
                     STATUS_OK);
    assert_int_equal(db_check(db, &why), STATUS_INVALID);
    assert_non_null(strstr(why.text, "children"));
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(backup_holds_everything_and_can_take_the_databases_place),
        TEST(backup_needs_no_hard_links),
        TEST(backup_leaves_one_file),
        TEST(backup_replaces_nothing),
        TEST(backup_of_a_running_transaction_waits_for_no_writer),
        TEST(a_copy_that_is_refused_is_not_kept),
        TEST(a_part_of_a_copy_is_not_whole),
        TEST(damage_is_found),
        TEST(reference_to_nothing_is_found),
    };

    if (db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
