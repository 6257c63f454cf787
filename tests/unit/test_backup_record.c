/* lib/backup_record.h */
#include "lib/backup_record.h"

#include <dirent.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

#define TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_make, scratch_remove)

static const int64_t at_ms = 1769860800123; /* 2026-01-31T12:00:00.123Z */

static struct backup_record record_of(const char *path)
{
    struct backup_record record = {.at_ms = at_ms, .size_bytes = 5000000000};

    (void)snprintf(record.path, sizeof record.path, "%s", path);
    return record;
}

static void must_write(const struct backup_record *record)
{
    struct problem why = {""};

    if (backup_record_write(scratch_path("db"), record, &why) != STATUS_OK)
        fail_msg("%s", why.text);
}

static void assert_reads(const char *path)
{
    struct backup_record found;
    struct problem why = {""};

    if (backup_record_read(&found, scratch_path("db"), &why) != STATUS_OK)
        fail_msg("%s", why.text);
    assert_int_equal(found.at_ms, at_ms);
    assert_int_equal(found.size_bytes, 5000000000);
    assert_string_equal(found.path, path);
}

static int entries(void)
{
    DIR *directory = opendir(scratch_directory);
    int count = 0;

    assert_non_null(directory);
    while (readdir(directory) != NULL)
        count++;
    assert_int_equal(closedir(directory), 0);
    return count - 2; /* . and .. */
}

static void what_is_written_is_read(void **state)
{
    static const char *const paths[] = {"/var/backups/a.db", "/b/\"\\\n\x01/é.db", "/c"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        const struct backup_record record = record_of(paths[i]);
        must_write(&record);
        assert_reads(paths[i]);
    }
    assert_int_equal(entries(), 1);
}

static void the_longest_path_is_read(void **state)
{
    struct backup_record record = record_of("");

    (void)state;
    memset(record.path, 1, sizeof record.path - 1); /* six bytes each in JSON */
    must_write(&record);
    assert_reads(record.path);
}

static void a_path_that_is_no_utf8_is_left_out(void **state)
{
    const struct backup_record record = record_of("/\xff.db");

    (void)state;
    must_write(&record);
    assert_reads("");
}

static void the_text_is_one_object_in_a_line(void **state)
{
    static const char wanted[] = "{\"backup_at\":\"2026-01-31T12:00:00.123Z\","
                                 "\"backup\":\"/a.db\",\"size_bytes\":5000000000}\n";
    const struct backup_record record = record_of("/a.db");
    char text[256] = "";

    (void)state;
    must_write(&record);
    FILE *file = fopen(scratch_path("db.backup"), "re");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), sizeof wanted - 1);
    assert_int_equal(fclose(file), 0);
    assert_string_equal(text, wanted);
}

static void the_group_may_read_it_whatever_the_umask(void **state)
{
    const struct backup_record record = record_of("/a.db");
    struct stat info;
    mode_t before = umask(077);

    (void)state;
    must_write(&record);
    (void)umask(before);
    assert_int_equal(stat(scratch_path("db.backup"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void without_a_file_there_is_no_record(void **state)
{
    struct backup_record found;

    (void)state;
    memset(&found, 0x55, sizeof found);
    assert_int_equal(backup_record_read(&found, scratch_path("db"), NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(found.at_ms, 0);
    assert_string_equal(found.path, "");
}

static void what_is_no_record_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "null",
        "{\"backup_at\":\"2026-01-31T12:00:00Z\",\"backup\":\"/a\"}",
        "{\"backup_at\":\"2026-01-31\",\"backup\":\"/a\",\"size_bytes\":1}",
        "{\"backup_at\":1769860800,\"backup\":\"/a\",\"size_bytes\":1}",
        "{\"backup_at\":\"2026-01-31T12:00:00Z\",\"backup\":\"/a\",\"size_bytes\":-1}",
        "{\"backup_at\":\"2026-01-31T12:00:00Z\",\"backup\":\"/a\",\"size_bytes\":\"1\"}",
        "{\"backup_at\":\"2026-01-31T12:00:00Z\",\"backup\":\"/a\\u0000b\","
        "\"size_bytes\":1}",
        "{\"backup_at\":\"2026-01-31T12:00:00Z\",\"backup\":\"/a\",\"size_bytes\":1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct backup_record found;
        struct problem why = {""};
        scratch_write("db.backup", texts[i]);
        if (backup_record_read(&found, scratch_path("db"), &why) != STATUS_INVALID)
            fail_msg("accepted: %s", texts[i]);
        assert_non_null(strstr(why.text, "db.backup"));
        assert_int_equal(found.at_ms, 0);
    }
}

static void a_link_is_not_followed(void **state)
{
    const struct backup_record record = record_of("/a.db");
    struct backup_record found;
    struct stat info;

    (void)state;
    scratch_write("other", "precious");
    assert_int_equal(symlink("other", scratch_path("db.backup")), 0);
    assert_int_equal(backup_record_read(&found, scratch_path("db"), NULL), STATUS_IO);
    must_write(&record);
    assert_int_equal(lstat(scratch_path("db.backup"), &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(stat(scratch_path("other"), &info), 0);
    assert_int_equal(info.st_size, strlen("precious"));
}

static void a_record_that_cannot_be_written_leaves_the_former_one(void **state)
{
    const struct backup_record record = record_of("/a.db");
    const struct backup_record other = record_of("/other.db");
    struct problem why = {""};

    (void)state;
    must_write(&record);
    assert_int_equal(mkdir(scratch_path("none"), 0700), 0);
    assert_int_equal(mkdir(scratch_path("none/db.backup"), 0700), 0); /* no rename */
    assert_int_equal(backup_record_write(scratch_path("none/db"), &other, &why), STATUS_IO);
    assert_non_null(strstr(why.text, "none/db.backup"));
    assert_int_equal(rmdir(scratch_path("none/db.backup")), 0);
    assert_int_equal(rmdir(scratch_path("none")), 0); /* nothing was left in it */
    assert_int_equal(backup_record_write(scratch_path("none/db"), &other, &why),
                     STATUS_CANT_CREATE);
    assert_reads("/a.db");
}

static void a_record_is_removed_once(void **state)
{
    const struct backup_record record = record_of("/a.db");
    struct backup_record found;

    (void)state;
    must_write(&record);
    assert_int_equal(backup_record_remove(scratch_path("db"), NULL), STATUS_OK);
    assert_int_equal(backup_record_read(&found, scratch_path("db"), NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(backup_record_remove(scratch_path("db"), NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_is_read),
        TEST(the_longest_path_is_read),
        TEST(a_path_that_is_no_utf8_is_left_out),
        TEST(the_text_is_one_object_in_a_line),
        TEST(the_group_may_read_it_whatever_the_umask),
        TEST(without_a_file_there_is_no_record),
        TEST(what_is_no_record_is_refused),
        TEST(a_link_is_not_followed),
        TEST(a_record_that_cannot_be_written_leaves_the_former_one),
        TEST(a_record_is_removed_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
