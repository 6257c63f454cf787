#include "lib/overload.h"

#include "tests/unit/unit.h"

enum {
    PLACES = 64,
    MS = 1000,
    S = 1000 * MS,
};

static struct overload overload;

static int start(void **state)
{
    (void)state;
    overload = (struct overload){.places = PLACES};
    return 0;
}

static void measure(int count, int64_t held_us)
{
    for (int i = 0; i < count; i++)
        overload_measure(&overload, held_us);
}

static int64_t expected_us(int in_front)
{
    return overload_expected_us(&overload, in_front, 0);
}

static void without_a_measurement_nothing_is_expected_to_take_long(void **state)
{
    (void)state;
    assert_int_equal(expected_us(1000), 0);
    assert_int_equal(overload_retry_after_s(&overload, 1000, 0), 1);
}

static void a_queue_as_long_as_there_are_places_takes_as_long_as_one_request(void **state)
{
    (void)state;
    measure(1, 2 * S);
    assert_int_equal(expected_us(0), 2 * S);
    assert_int_equal(expected_us(PLACES / 2), 3 * S);
    assert_int_equal(expected_us(PLACES), 4 * S);
    assert_int_equal(expected_us(5 * PLACES), 12 * S);
}

static void one_slow_request_changes_little(void **state)
{
    (void)state;
    measure(1000, 10 * MS);
    measure(1, 10 * S);
    assert_in_range(expected_us(0), 10 * MS, S);
}

static void another_speed_is_known_after_as_many_requests_as_there_are_places(void **state)
{
    (void)state;
    measure(1000, 10 * S);
    assert_int_equal(expected_us(0), 10 * S);
    measure(PLACES, 10 * MS);
    assert_in_range(expected_us(0), 10 * MS, S / 4);
    measure(PLACES, 10 * S);
    assert_in_range(expected_us(0), 9 * S, 10 * S);
}

static void nothing_is_lost_by_rounding(void **state)
{
    (void)state;
    measure(1, 100);
    measure(1000, 50);
    assert_in_range(expected_us(0), 50, 50 + PLACES / 4);
}

/* A disk that hangs lets nothing be measured. */
static void while_no_place_becomes_free_more_is_expected(void **state)
{
    const int64_t since_us = 1000 * (int64_t)S;

    (void)state;
    measure(1000, 10 * MS);
    overload.full_since_us = since_us;
    assert_int_equal(overload_expected_us(&overload, PLACES, since_us + MS), 20 * MS);
    assert_int_equal(overload_expected_us(&overload, PLACES, since_us + 5 * S), 10 * S);
    overload.full_since_us = 0;
    assert_int_equal(overload_expected_us(&overload, PLACES, since_us + 5 * S), 20 * MS);
}

static void whole_seconds_are_told_and_at_least_one(void **state)
{
    (void)state;
    measure(1, 10 * MS);
    assert_int_equal(overload_retry_after_s(&overload, 0, 0), 1);
    measure(1000, S);
    assert_int_equal(overload_retry_after_s(&overload, PLACES, 0), 2);
    assert_int_equal(overload_retry_after_s(&overload, PLACES + 1, 0), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_a_measurement_nothing_is_expected_to_take_long,
                               start),
        cmocka_unit_test_setup(
            a_queue_as_long_as_there_are_places_takes_as_long_as_one_request, start),
        cmocka_unit_test_setup(one_slow_request_changes_little, start),
        cmocka_unit_test_setup(
            another_speed_is_known_after_as_many_requests_as_there_are_places, start),
        cmocka_unit_test_setup(nothing_is_lost_by_rounding, start),
        cmocka_unit_test_setup(while_no_place_becomes_free_more_is_expected, start),
        cmocka_unit_test_setup(whole_seconds_are_told_and_at_least_one, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
