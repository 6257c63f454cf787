/*
 * A table of rates for each test, and keys with the first table.
 */
#ifndef TESTS_UNIT_THROTTLE_STAGE_H
#define TESTS_UNIT_THROTTLE_STAGE_H

#include "lib/secret.h"
#include "lib/throttle.h"
#include "tests/unit/scratch.h"

enum {
    US_PER_S = 1000000,
};

static const int64_t start_us = INT64_C(1000) * US_PER_S;
static const struct throttle_rate five_a_second = {.count = 5, .time_s = 1};

static struct throttle *throttle;

static inline int make(void **state)
{
    throttle = throttle_create();
    return throttle != NULL ? scratch_make(state) : -1;
}

static inline int unmake(void **state)
{
    throttle_free(throttle);
    return scratch_remove(state);
}

static inline struct throttle_key key_of(const char *text)
{
    return (struct throttle_key){.text = span_of(text), .may_share = true};
}

static inline struct throttle_state take(const char *text, const struct throttle_rate *rate,
                                         int64_t now_us)
{
    struct throttle_key key = key_of(text);

    return throttle_take(throttle, &key, rate, now_us);
}

/* How many are accepted at that moment before one is refused. */
static inline int burst(const char *text, const struct throttle_rate *rate, int64_t now_us)
{
    int count = 0;

    while (!take(text, rate, now_us).used_up)
        count++;
    return count;
}

static inline int start_library(void **state)
{
    (void)state;
    return secret_init() == STATUS_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

#endif
