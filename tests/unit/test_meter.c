#include "app/meter.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

enum {
    SLOTS = 4,
    CALLS = 3,
};

static struct counters *counters;

static int make(void **state)
{
    (void)state;
    counters = meter_create(SLOTS, CALLS);
    return counters != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    counters_free(counters);
    return 0;
}

/* The number of values in a bucket of the times of a call. */
static int64_t bucket(size_t call, size_t number)
{
    return meter_total(counters, meter_call_times(call) + number);
}

static void a_time_falls_into_the_first_bucket_that_holds_it(void **state)
{
    const struct meter meter = meter_of_worker(counters, 0);
    const int64_t last = meter_request_bounds_us[METER_REQUEST_BUCKETS - 1];

    (void)state;
    for (size_t i = 0; i < METER_REQUEST_BUCKETS; i++) {
        meter_request(&meter, 1, ERROR_NONE, meter_request_bounds_us[i]);
        meter_request(&meter, 1, ERROR_NONE, meter_request_bounds_us[i] + 1);
    }
    assert_int_equal(bucket(1, 0), 1);
    for (size_t i = 1; i <= METER_REQUEST_BUCKETS; i++)
        assert_int_equal(bucket(1, i), i < METER_REQUEST_BUCKETS ? 2 : 1);
    meter_request(&meter, 2, ERROR_NONE, 0);
    meter_request(&meter, 2, ERROR_NONE, 10 * last);
    assert_int_equal(bucket(2, 0), 1);
    assert_int_equal(bucket(2, METER_REQUEST_BUCKETS), 1);
    assert_int_equal(bucket(2, METER_REQUEST_BUCKETS + 1), 10 * last); /* the sum */
}

static void requests_are_counted_by_call_and_error(void **state)
{
    const struct meter one = meter_of_worker(counters, 0);
    const struct meter other = meter_of_worker(counters, SLOTS - 1);

    (void)state;
    meter_request(&one, 0, ERROR_NONE, 1);
    meter_request(&other, 0, ERROR_NONE, 1);
    meter_request(&other, 0, ERROR_INTERNAL, 1);
    meter_request(&other, CALLS, ERROR_UNKNOWN_ENDPOINT, 1); /* to no call */
    assert_int_equal(meter_total(counters, meter_call_error(0, ERROR_NONE)), 2);
    assert_int_equal(meter_total(counters, meter_call_error(0, ERROR_INTERNAL)), 1);
    assert_int_equal(meter_total(counters, meter_call_error(1, ERROR_NONE)), 0);
    assert_int_equal(meter_total(counters, meter_call_error(CALLS, ERROR_UNKNOWN_ENDPOINT)),
                     1);
}

static void no_two_numbers_share_a_place(void **state)
{
    const struct meter meter = meter_of_writer(counters, SLOTS);
    const size_t end = meter_call_error(CALLS + 1, ERROR_NONE);

    (void)state;
    meter_commit(&meter, 1000, INT64_C(1) << 40); /* both into the last bucket */
    meter_count(&meter, METER_MONITORS_TIMED_OUT);
    meter_request(&meter, 0, ERROR_NONE, 0);
    int64_t nonzero = 0;
    for (size_t i = 0; i < end; i++)
        nonzero += meter_total(counters, i) != 0;
    /* two buckets and two sums; one counter; one error and one bucket, whose sum is 0 */
    assert_int_equal(nonzero, 4 + 1 + 2);
}

static void without_counters_nothing_happens(void **state)
{
    const struct meter none = {NULL, 0};

    (void)state;
    meter_count(&none, METER_NOTES_CREATED);
    meter_set(&none, METER_START_MS, 1);
    meter_request(&none, 0, ERROR_NONE, 1);
    meter_commit(&none, 1, 1);
    for (size_t i = 0; i < METER_FIXED; i++)
        assert_int_equal(meter_total(counters, i), 0);
}

static struct counters *open_beside(const char *database)
{
    struct counters *opened = NULL;
    struct problem why = {""};

    if (meter_open(&opened, database, CALLS, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return opened;
}

static void the_file_of_another_version_is_replaced(void **state)
{
    const char *database = scratch_path("db");
    char path[128];

    (void)state;
    (void)snprintf(path, sizeof path, "%s.metrics", database);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "of another version", 18), 18);
    (void)close(fd);
    struct counters *first = open_beside(database);
    const struct meter meter = meter_of_worker(first, 0);
    meter_count(&meter, METER_NOTES_CREATED);
    counters_free(first);
    struct counters *second = open_beside(database);
    assert_int_equal(meter_total(second, METER_NOTES_CREATED), 1);
    counters_free(second);
}

#define with_counters(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_counters(a_time_falls_into_the_first_bucket_that_holds_it),
        with_counters(requests_are_counted_by_call_and_error),
        with_counters(no_two_numbers_share_a_place),
        with_counters(without_counters_nothing_happens),
        cmocka_unit_test_setup_teardown(the_file_of_another_version_is_replaced,
                                        scratch_make, scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
