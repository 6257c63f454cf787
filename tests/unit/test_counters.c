#include "lib/counters.h"

#include "tests/unit/scratch.h"

enum {
    BLOCKS = 3,
    NUMBERS = 11,
    PROCESSES = 4,
    TIMES = 20000,
    MANY_TIMES = 20000000, /* so often that processes meet, also on one core */
};

static const char mark[] = "counters of a test";

static struct span mark_span(void)
{
    return (struct span){mark, sizeof mark - 1};
}

static void a_total_is_the_sum_over_all_blocks(void **state)
{
    struct counters *c = counters_create(BLOCKS, NUMBERS);

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < BLOCKS; i++)
        counters_add(c, i, NUMBERS - 1, i + 1);
    counters_add(c, 0, 0, 40);
    counters_add(c, 0, 0, (uint64_t)-2);
    assert_int_equal(counters_sum(c, NUMBERS - 1), 1 + 2 + 3);
    assert_int_equal(counters_sum(c, 0), 38);
    assert_int_equal(counters_sum(c, 1), 0);
    counters_free(c);
    counters_free(NULL);
}

static void a_value_is_replaced_in_its_block_alone(void **state)
{
    struct counters *c = counters_create(BLOCKS, NUMBERS);

    (void)state;
    assert_non_null(c);
    counters_set(c, 1, 5, 70);
    counters_set(c, 1, 5, 7);
    counters_set(c, 2, 5, 1);
    assert_int_equal(counters_sum(c, 5), 8);
    counters_free(c);
}

/* In a child that is killed in the end. */
static void count_and_die(struct counters *c, size_t block)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        for (int i = 0; i < TIMES; i++)
            counters_add(c, block, 3, 1);
        (void)raise(SIGKILL);
    }
}

static void no_total_falls_when_a_process_dies(void **state)
{
    struct counters *c = counters_create(BLOCKS, NUMBERS);

    (void)state;
    assert_non_null(c);
    for (int round = 1; round <= 2; round++) {
        count_and_die(c, 1); /* the second one takes the place of the first */
        assert_true(wait(NULL) > 0);
        assert_int_equal(counters_sum(c, 3), round * TIMES);
    }
    counters_free(c);
}

static struct counters *open_file(void)
{
    struct counters *c = NULL;
    struct problem why = {""};

    if (counters_open(&c, scratch_path("metrics"), NUMBERS, mark_span(), &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return c;
}

/* Begins when the other end of the pipe is closed. */
static _Noreturn void count_many_times(int from_parent)
{
    struct counters *own = open_file();
    char byte;

    if (read(from_parent, &byte, 1) != 0)
        _exit(1);
    for (int n = 0; n < MANY_TIMES; n++)
        counters_add(own, 0, NUMBERS - 1, 1);
    _exit(0);
}

static void processes_share_the_block_of_a_file(void **state)
{
    int start[2];

    (void)state;
    assert_int_equal(pipe(start), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)close(start[1]);
            count_many_times(start[0]);
        }
    }
    (void)close(start[0]);
    (void)close(start[1]);
    for (int i = 0; i < PROCESSES; i++)
        assert_true(wait(NULL) > 0);
    struct counters *c = open_file();
    assert_int_equal(counters_sum(c, NUMBERS - 1), PROCESSES * MANY_TIMES);
    assert_int_equal(counters_sum(c, 0), 0); /* the mark is no number */
    counters_free(c);
}

static void a_file_of_other_numbers_is_refused(void **state)
{
    struct problem why = {""};
    struct counters *c = open_file();

    (void)state;
    counters_free(c);
    assert_int_equal(counters_open(&c, scratch_path("metrics"), NUMBERS,
                                   span_of("another mark!!!!!!"), &why),
                     STATUS_INVALID);
    assert_null(c);
    assert_int_equal(
        counters_open(&c, scratch_path("metrics"), NUMBERS + 8, mark_span(), &why),
        STATUS_INVALID);
    assert_null(c);
}

#define in_directory(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_is_the_sum_over_all_blocks),
        cmocka_unit_test(a_value_is_replaced_in_its_block_alone),
        cmocka_unit_test(no_total_falls_when_a_process_dies),
        in_directory(processes_share_the_block_of_a_file),
        in_directory(a_file_of_other_numbers_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
