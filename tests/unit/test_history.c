#include "app/monitor/history.h"

#include "tests/unit/unit.h"

static struct history *history;
static struct sample samples[HISTORY_SAMPLES];

static int make(void **state)
{
    (void)state;
    history = history_create();
    return history != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    history_free(history);
    return 0;
}

static void add(int64_t at_ms, int64_t requests)
{
    const struct sample sample = {.at_ms = at_ms, .requests = requests};

    history_add(history, &sample);
}

static void samples_are_some_seconds_apart(void **state)
{
    (void)state;
    add(1000, 1);
    add(1000 + HISTORY_STEP_MS - 1, 2); /* too early */
    add(1000 + HISTORY_STEP_MS, 3);
    assert_int_equal(history_read(history, samples), 2);
    assert_int_equal(samples[0].requests, 1);
    assert_int_equal(samples[1].requests, 3);
}

static void the_oldest_are_given_up(void **state)
{
    const int more = 5;

    (void)state;
    assert_int_equal(history_read(history, samples), 0);
    for (int i = 0; i < HISTORY_SAMPLES + more; i++)
        add(1000 + (int64_t)i * HISTORY_STEP_MS, i);
    assert_int_equal(history_read(history, samples), HISTORY_SAMPLES);
    for (int i = 0; i < HISTORY_SAMPLES; i++)
        assert_int_equal(samples[i].requests, i + more);
}

static void a_rate_is_per_second(void **state)
{
    const struct sample first = {.at_ms = 1000, .requests = 100};
    const struct sample last = {.at_ms = 3500, .requests = 350};

    (void)state;
    assert_float_equal(history_rate(first.requests, last.requests, &first, &last), 100,
                       0.001);
    assert_float_equal(history_rate(1, 2, &first, &first), 0, 0.001);
}

static void a_percentile_lies_within_its_bucket(void **state)
{
    const struct sample from = {.times = {[0] = 1000}};
    /* 90 of up to 500 us, 10 of 2.5 to 5 ms */
    const struct sample to = {.times = {[0] = 1090, [3] = 10}};

    (void)state;
    assert_int_equal(history_percentile_us(&from, &to, 0.45), 250);
    assert_int_equal(history_percentile_us(&from, &to, 0.90), 500);
    assert_int_equal(history_percentile_us(&from, &to, 0.95), 3750);
    assert_int_equal(history_percentile_us(&from, &to, 1.00), 5000);
    assert_int_equal(history_percentile_us(&to, &to, 0.50), 0);
}

static void what_is_beyond_the_last_bucket_counts_as_its_bound(void **state)
{
    const struct sample from = {.at_ms = 1};
    const struct sample to = {.times = {[METER_REQUEST_BUCKETS] = 1}};

    (void)state;
    assert_int_equal(history_percentile_us(&from, &to, 0.5),
                     meter_request_bounds_us[METER_REQUEST_BUCKETS - 1]);
}

#define with_history(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_history(samples_are_some_seconds_apart),
        with_history(the_oldest_are_given_up),
        cmocka_unit_test(a_rate_is_per_second),
        cmocka_unit_test(a_percentile_lies_within_its_bucket),
        cmocka_unit_test(what_is_beyond_the_last_bucket_counts_as_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
