#include "lib/shared.h"

#include "tests/unit/scratch.h"

#include <sys/stat.h>

enum {
    BYTES = 3 * 4096,
    MARK_LEN = 4,
};

static const char head[] = "MARKand more";

static enum status open_it(char **out, struct problem *why)
{
    void *memory = NULL;
    enum status status = shared_open(&memory, scratch_path("file"), BYTES,
                                     (struct span){head, sizeof head}, MARK_LEN, why);

    *out = memory;
    return status;
}

static char *must_open(void)
{
    struct problem why = {""};
    char *memory;

    if (open_it(&memory, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return memory;
}

static void children_share_what_was_made_before(void **state)
{
    (void)state;
    char *memory = shared_create(BYTES);
    assert_non_null(memory);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(memory[i], 0);
    pid_t child = fork();
    if (child == 0) {
        memory[BYTES - 1] = 'x';
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(memory[BYTES - 1], 'x');
    shared_free(memory, BYTES);
    shared_free(NULL, BYTES);
}

static void a_new_file_is_private_and_begins_with_its_head(void **state)
{
    struct stat info;

    (void)state;
    (void)umask(0);
    char *memory = must_open();
    assert_memory_equal(memory, head, sizeof head);
    for (size_t i = sizeof head; i < BYTES; i++)
        assert_int_equal(memory[i], 0);
    assert_int_equal(stat(scratch_path("file"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, BYTES);
    assert_true(info.st_blocks * 512 >= BYTES); /* it cannot run out of disk later */
    shared_free(memory, BYTES);
}

static int write_into_it(int to_parent)
{
    char *memory;

    if (open_it(&memory, NULL) != STATUS_OK)
        return 1;
    memory[BYTES - 1] = 'y';
    child_tell(to_parent);
    while (*(volatile char *)&memory[100] != 'x')
        (void)usleep(1000);
    return 0;
}

static void all_who_open_the_file_share_it_and_it_stays(void **state)
{
    (void)state;
    struct child child = child_start(write_into_it);
    child_wait_told(&child);
    char *memory = must_open(); /* while the child has it open */
    assert_int_equal(memory[BYTES - 1], 'y');
    memory[100] = 'x';
    assert_int_equal(child_end(&child), 0);
    shared_free(memory, BYTES);
    memory = must_open();
    assert_int_equal(memory[100], 'x');
    assert_int_equal(memory[BYTES - 1], 'y');
    shared_free(memory, BYTES);
}

static int open_and_look(int to_parent)
{
    char *memory;

    (void)to_parent;
    return open_it(&memory, NULL) == STATUS_OK && memcmp(memory, head, sizeof head) == 0
               ? 0
               : 1;
}

static void processes_that_open_it_at_once_all_find_it_made(void **state)
{
    struct child children[8];

    (void)state;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < COUNT(children); i++)
            children[i] = child_start(open_and_look);
        for (size_t i = 0; i < COUNT(children); i++)
            assert_int_equal(child_end(&children[i]), 0);
        assert_int_equal(unlink(scratch_path("file")), 0);
    }
}

static void expect(enum status expected, const char *part)
{
    struct problem why = {""};
    char *memory;

    assert_int_equal(open_it(&memory, &why), expected);
    assert_null(memory);
    if (strstr(why.text, part) == NULL || strstr(why.text, "/file") == NULL)
        fail_msg("%s", why.text);
}

static void what_is_no_such_file_is_left_alone(void **state)
{
    (void)state;
    scratch_write("file", "something else");
    expect(STATUS_INVALID, "remove it");
    struct stat info;
    assert_int_equal(stat(scratch_path("file"), &info), 0);
    assert_int_equal(info.st_size, 14);
    assert_int_equal(truncate(scratch_path("file"), BYTES),
                     0); /* the right size alone is not enough */
    expect(STATUS_INVALID, "damaged or of another version");
    assert_int_equal(unlink(scratch_path("file")), 0);
    scratch_write("file", "MARK");
    expect(STATUS_INVALID, "damaged"); /* nor is the right mark */
    assert_int_equal(unlink(scratch_path("file")), 0);
    assert_int_equal(mkfifo(scratch_path("file"), 0600), 0);
    expect(STATUS_INVALID, "no regular file");
    assert_int_equal(unlink(scratch_path("file")), 0);
    assert_int_equal(symlink("elsewhere", scratch_path("file")), 0);
    expect(STATUS_UNAVAILABLE, "cannot open");
    assert_int_not_equal(access(scratch_path("elsewhere"), F_OK), 0);
    assert_int_equal(unlink(scratch_path("file")), 0);
    assert_int_equal(mkdir(scratch_path("file"), 0700), 0);
    expect(STATUS_UNAVAILABLE, "cannot open");
}

/* What a power cut may leave of a new file. */
static void files_that_were_never_finished_are_made_anew(void **state)
{
    static const off_t sizes[] = {0, BYTES};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        scratch_write("file", "");
        assert_int_equal(truncate(scratch_path("file"), sizes[i]), 0);
        char *memory = must_open();
        assert_memory_equal(memory, head, sizeof head);
        shared_free(memory, BYTES);
        assert_int_equal(unlink(scratch_path("file")), 0);
    }
}

static int use_what_was_cut_off(int to_parent)
{
    char *memory;

    (void)to_parent;
    if (open_it(&memory, NULL) != STATUS_OK || truncate(scratch_path("file"), 0) != 0)
        return 1;
    memory[BYTES - 1] = 'x'; /* would be a SIGBUS */
    return memory[BYTES - 1] == 'x' && memory[0] == 0 ? 0 : 2;
}

static void memory_outlives_its_file(void **state)
{
    (void)state;
    struct child child = child_start(use_what_was_cut_off);
    assert_int_equal(child_end(&child), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(children_share_what_was_made_before),
        TEST(a_new_file_is_private_and_begins_with_its_head),
        TEST(all_who_open_the_file_share_it_and_it_stays),
        TEST(processes_that_open_it_at_once_all_find_it_made),
        TEST(what_is_no_such_file_is_left_alone),
        TEST(files_that_were_never_finished_are_made_anew),
        TEST(memory_outlives_its_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
