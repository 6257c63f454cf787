#include "lib/throttle.h"

#include <fcntl.h>

#include "tests/unit/throttle_stage.h"

enum {
    KEYS_OF_A_TABLE = THROTTLE_BUCKETS * (THROTTLE_CELLS - 1),
};

static void the_whole_budget_may_be_used_at_once(void **state)
{
    static const struct throttle_rate rates[] = {
        {1, 1},      {1, 86400}, {7, 1},       {100, 600},
        {999983, 1}, {600, 60},  {1000000, 1}, {1000000, 86400},
    };
    char name[16];

    (void)state;
    for (size_t i = 0; i < COUNT(rates); i++) {
        (void)snprintf(name, sizeof name, "key %zu", i);
        assert_int_equal(burst(name, &rates[i], start_us), rates[i].count);
    }
}

static void what_is_left_is_told(void **state)
{
    struct throttle_key key = key_of("key");

    (void)state;
    for (int left = 4; left >= 0; left--) {
        struct throttle_state now = take("key", &five_a_second, start_us);
        assert_false(now.used_up);
        assert_int_equal(now.left, left);
        assert_int_equal(now.reset_us, (5 - left) * US_PER_S / 5);
        assert_int_equal(now.retry_us, 0);
    }
    struct throttle_state refused = take("key", &five_a_second, start_us);
    assert_true(refused.used_up);
    assert_int_equal(refused.left, 0);
    assert_int_equal(refused.reset_us, US_PER_S);
    assert_int_equal(refused.retry_us, US_PER_S / 5);
    struct throttle_state looked =
        throttle_look(throttle, &key, &five_a_second, start_us + 1);
    assert_true(looked.used_up);
    assert_int_equal(looked.retry_us, US_PER_S / 5 - 1);
}

static void looking_costs_nothing(void **state)
{
    struct throttle_key key = key_of("key");

    (void)state;
    for (int i = 0; i < 20; i++)
        assert_int_equal(throttle_look(throttle, &key, &five_a_second, start_us).left, 5);
    (void)take("key", &five_a_second, start_us);
    for (int i = 0; i < 20; i++)
        assert_int_equal(throttle_look(throttle, &key, &five_a_second, start_us).left, 4);
}

static void the_budget_comes_back_over_time(void **state)
{
    int64_t now_us = start_us;

    (void)state;
    assert_int_equal(burst("key", &five_a_second, now_us), 5);
    now_us += US_PER_S / 5 - 1;
    assert_int_equal(burst("key", &five_a_second, now_us), 0);
    now_us += 1;
    assert_int_equal(burst("key", &five_a_second, now_us), 1);
    now_us += 3 * US_PER_S / 5;
    assert_int_equal(burst("key", &five_a_second, now_us), 3);
    now_us += 1000 * US_PER_S; /* and never more than all of it */
    assert_int_equal(burst("key", &five_a_second, now_us), 5);
}

static void being_refused_costs_nothing(void **state)
{
    (void)state;
    assert_int_equal(burst("key", &five_a_second, start_us), 5);
    for (int i = 0; i < 1000; i++)
        assert_true(take("key", &five_a_second, start_us + i).used_up);
    assert_false(take("key", &five_a_second, start_us + US_PER_S / 5).used_up);
}

static void a_charge_can_be_given_back(void **state)
{
    struct throttle_key key = key_of("key");

    (void)state;
    throttle_give_back(throttle, &key, &five_a_second, start_us); /* that was never made */
    assert_int_equal(burst("key", &five_a_second, start_us), 5);
    throttle_give_back(throttle, &key, &five_a_second, start_us);
    assert_int_equal(burst("key", &five_a_second, start_us), 1);
    /* the time has already given it back */
    throttle_give_back(throttle, &key, &five_a_second, start_us + 10 * US_PER_S);
    assert_int_equal(burst("key", &five_a_second, start_us + 10 * US_PER_S), 5);
}

static void keys_and_tables_count_for_themselves(void **state)
{
    struct throttle_key other_table = {.table = 1, .text = span_of("one")};

    (void)state;
    assert_int_equal(burst("one", &five_a_second, start_us), 5);
    assert_int_equal(burst("other", &five_a_second, start_us), 5);
    assert_int_equal(burst("on", &five_a_second, start_us), 5);
    assert_false(throttle_take(throttle, &other_table, &five_a_second, start_us).used_up);
    assert_true(take("one", &five_a_second, start_us).used_up);
}

/* A reload may change the rate of a key that has been counted. */
static void another_rate_holds_at_once(void **state)
{
    static const struct throttle_rate longer = {.count = 10, .time_s = 10},
                                      shorter = {.count = 2, .time_s = 1};

    (void)state;
    assert_int_equal(burst("key", &longer, start_us), 10);
    assert_int_equal(burst("key", &shorter, start_us + US_PER_S), 0);
    assert_int_equal(burst("key", &shorter, start_us + 10 * US_PER_S), 2);
}

/* After a reboot the clock begins anew, and the times in a file mean nothing. */
static void times_that_cannot_be_true_count_as_none(void **state)
{
    static const struct throttle_rate a_minute = {.count = 3, .time_s = 60};

    (void)state;
    assert_int_equal(burst("key", &a_minute, start_us), 3);
    assert_int_equal(burst("key", &a_minute, start_us - 100 * US_PER_S), 3);
    /* but clocks of processes may differ by some microseconds */
    assert_int_equal(burst("key", &a_minute, start_us - 101 * US_PER_S), 0);
}

/* Fills the table with keys whose whole budget is used. */
static void fill_table(unsigned keys, const struct throttle_rate *rate)
{
    struct throttle_key key = {.text = {NULL, sizeof keys}};

    for (unsigned i = 0; i < keys; i++) {
        key.text.data = (const char *)&i;
        (void)throttle_take(throttle, &key, rate, start_us);
    }
}

/* When an attacker uses very many networks. */
static void a_full_table_pushes_nobody_out_and_is_limited_all_in_all(void **state)
{
    static const struct throttle_rate once = {.count = 1, .time_s = 3600};
    unsigned through = 0;
    struct throttle_key key = {.text = {(const char *)&through, 0}, .may_share = true};

    (void)state;
    assert_int_equal(burst("known before", &five_a_second, start_us), 5);
    fill_table(4 * KEYS_OF_A_TABLE, &once);
    assert_true(take("known before", &five_a_second, start_us).used_up);
    /* new ones share the budget of the last cell */
    for (unsigned i = 0; i < 4 * KEYS_OF_A_TABLE; i++) {
        unsigned stranger = 1000000 + i;
        key.text = (struct span){(const char *)&stranger, sizeof stranger};
        through += !throttle_take(throttle, &key, &once, start_us).used_up;
    }
    assert_true(through <= THROTTLE_BUCKETS);
    /* and the table has free cells again after that time */
    assert_int_equal(burst("later", &five_a_second, start_us + 3601 * INT64_C(1000000)), 5);
}

static void who_must_not_share_is_not_limited_by_a_full_table(void **state)
{
    static const struct throttle_rate once = {.count = 1, .time_s = 3600};
    struct throttle_key key = {.text = span_of("late")};

    (void)state;
    fill_table(4 * KEYS_OF_A_TABLE, &once);
    for (int i = 0; i < 100; i++)
        assert_false(throttle_take(throttle, &key, &once, start_us).used_up);
    throttle_give_back(throttle, &key, &once, start_us);
    assert_int_equal(throttle_look(throttle, &key, &once, start_us).left, 1);
}

/* Whether that key found its bucket full. */
static bool finds_no_place(unsigned number, const struct throttle_rate *once)
{
    struct throttle_key key = {.text = {(const char *)&number, sizeof number}};

    (void)throttle_take(throttle, &key, once, start_us);
    return !throttle_take(throttle, &key, once, start_us).used_up;
}

/* So that an attacker cannot choose networks that share a bucket with others. */
static void another_seed_gives_other_places(void **state)
{
    static const struct throttle_rate once = {.count = 1, .time_s = 3600};
    bool first[512];
    size_t full[2] = {0, 0}, both = 0;

    (void)state;
    for (int round = 0; round < 2; round++) {
        throttle_free(throttle);
        throttle = throttle_create();
        assert_non_null(throttle);
        fill_table(KEYS_OF_A_TABLE, &once);
        for (unsigned i = 0; i < COUNT(first); i++) {
            bool now = finds_no_place(5000000 + i, &once);
            full[round] += now;
            both += now && round == 1 && first[i];
            first[i] = now;
        }
        assert_true(full[round] > 0 && full[round] < COUNT(first));
    }
    assert_true(both < full[0] && both < full[1]);
}

/* ---- The file ---- */

static int use_file_to_the_end(int to_parent)
{
    struct throttle *other = NULL;
    struct throttle_key key = key_of("key");

    (void)to_parent;
    if (throttle_open(&other, scratch_path("limits"), NULL) != STATUS_OK)
        return 1;
    while (!throttle_take(other, &key, &five_a_second, start_us).used_up)
        ;
    return 0;
}

static void processes_count_together_in_a_file(void **state)
{
    struct throttle_key key = key_of("key");

    (void)state;
    struct child child = child_start(use_file_to_the_end);
    assert_int_equal(child_end(&child), 0);
    throttle_free(throttle);
    assert_int_equal(throttle_open(&throttle, scratch_path("limits"), NULL), STATUS_OK);
    struct throttle_state now = throttle_take(throttle, &key, &five_a_second, start_us);
    assert_true(now.used_up);
    /* another file has another seed and nothing in it */
    throttle_free(throttle);
    assert_int_equal(throttle_open(&throttle, scratch_path("other"), NULL), STATUS_OK);
    now = throttle_take(throttle, &key, &five_a_second, start_us);
    assert_int_equal(now.left, 4);
}

/* Whatever the cells hold, it ends at the latest after the rate's time. */
static void a_file_of_random_cells_does_no_lasting_harm(void **state)
{
    static char noise[1 << 20];
    struct throttle_key key = key_of("key");

    (void)state;
    throttle_free(throttle);
    assert_int_equal(throttle_open(&throttle, scratch_path("limits"), NULL), STATUS_OK);
    throttle_free(throttle);
    throttle = NULL;
    int fd = open(scratch_path("limits"), O_WRONLY | O_CLOEXEC);
    secret_random(noise, sizeof noise);
    assert_int_equal(pwrite(fd, noise, sizeof noise, 64), sizeof noise);
    assert_int_equal(close(fd), 0);
    /* now the file is longer than it should be */
    assert_int_equal(throttle_open(&throttle, scratch_path("limits"), NULL),
                     STATUS_INVALID);
    assert_null(throttle);
    assert_int_equal(truncate(scratch_path("limits"), (1 << 20) + 48), 0);
    assert_int_equal(throttle_open(&throttle, scratch_path("limits"), NULL), STATUS_OK);
    (void)throttle_take(throttle, &key, &five_a_second, start_us);
    key.may_share = false;
    assert_false(
        throttle_take(throttle, &key, &five_a_second, start_us + 12 * US_PER_S).used_up);
}

/* ---- Rates as text ---- */

static void rates_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        int64_t count, time_s;
    } rows[] = {
        {"off", 0, 0},          {"1/1s", 1, 1},    {"600/1m", 600, 60},
        {"100/10m", 100, 600},  {"7/2h", 7, 7200}, {"1000000/1d", 1000000, 86400},
        {"5/86400s", 5, 86400}, {"05/007s", 5, 7},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct throttle_rate rate;
        assert_int_equal(throttle_rate_parse(&rate, rows[i].text, NULL), STATUS_OK);
        assert_int_equal(rate.count, rows[i].count);
        assert_int_equal(rate.time_s, rows[i].time_s);
    }
}

static void other_texts_are_no_rates(void **state)
{
    static const char *const forms[] = {
        "",        "0",        "on",     "Off",           "600",           "600/",
        "/1m",     "600/m",    "600/1",  "600/1M",        "600/1min",      "600 / 1m",
        "-1/1m",   "+1/1m",    "6e2/1m", "600/-1m",       "600:1m",        "600/1m ",
        " 600/1m", "600/1m/1", "off/1m", "1234567890/1s", "1/1234567890s", "0x10/1m",
        "1.5/1m",  "1/1.5m"};
    static const char *const ranges[] = {"0/1m", "1000001/1s", "1/0s",
                                         "1/2d", "1/86401s",   "999999999/999999999d"};
    struct throttle_rate rate;
    struct problem why;

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        why.text[0] = '\0';
        if (throttle_rate_parse(&rate, forms[i], &why) != STATUS_INVALID)
            fail_msg("'%s' was accepted", forms[i]);
        assert_non_null(strstr(why.text, "must be off or COUNT/TIME, such as 600/1m"));
        assert_int_equal(rate.count, 0);
    }
    for (size_t i = 0; i < COUNT(ranges); i++) {
        why.text[0] = '\0';
        if (throttle_rate_parse(&rate, ranges[i], &why) != STATUS_INVALID)
            fail_msg("'%s' was accepted", ranges[i]);
        assert_non_null(strstr(why.text, "must be from 1 to 1000000"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_whole_budget_may_be_used_at_once),
        TEST(what_is_left_is_told),
        TEST(looking_costs_nothing),
        TEST(the_budget_comes_back_over_time),
        TEST(being_refused_costs_nothing),
        TEST(a_charge_can_be_given_back),
        TEST(keys_and_tables_count_for_themselves),
        TEST(another_rate_holds_at_once),
        TEST(times_that_cannot_be_true_count_as_none),
        TEST(a_full_table_pushes_nobody_out_and_is_limited_all_in_all),
        TEST(who_must_not_share_is_not_limited_by_a_full_table),
        TEST(another_seed_gives_other_places),
        TEST(processes_count_together_in_a_file),
        TEST(a_file_of_random_cells_does_no_lasting_harm),
        cmocka_unit_test(rates_are_read_as_people_write_them),
        cmocka_unit_test(other_texts_are_no_rates),
    };

    return cmocka_run_group_tests(tests, start_library, NULL);
}
