/* Threads and processes that charge keys at the same moment. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "tests/unit/throttle_stage.h"

enum {
    RACERS = 4,
};

static _Atomic int taken;

static void *take_until_used_up(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20000; i++)
        taken += !take("raced for", &(struct throttle_rate){1000, 3600}, start_us).used_up;
    return NULL;
}

static void threads_that_race_get_the_budget_and_no_more(void **state)
{
    pthread_t threads[RACERS];

    (void)state;
    taken = 0;
    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_until_used_up, NULL), 0);
    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(taken, 1000);
}

enum {
    FIRST_ROUNDS = 20000,
};

static _Atomic int arrivals;

/* Takes each of many new keys at the same moment as the other thread. */
static void *take_first_ones(void *unused)
{
    const struct throttle_rate one = {1, 3600};
    char name[16];

    (void)unused;
    for (int i = 0; i < FIRST_ROUNDS; i++) {
        (void)snprintf(name, sizeof name, "first %d", i);
        arrivals++;
        while (arrivals < 2 * (i + 1))
            (void)sched_yield();
        taken += !take(name, &one, start_us + i * 3601 * (int64_t)US_PER_S).used_up;
    }
    return NULL;
}

/* Neither may miss the cell that the other one has just taken, and take a second one. */
static void the_first_charges_of_a_key_go_to_one_cell(void **state)
{
    pthread_t threads[2];

    (void)state;
    taken = arrivals = 0;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_first_ones, NULL), 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(taken, FIRST_ROUNDS);
}

static void *take_and_give_back(void *unused)
{
    const struct throttle_rate rate = {1000, 3600};
    struct throttle_key key = key_of("raced for");

    (void)unused;
    for (int i = 0; i < 20000; i++)
        if (!throttle_take(throttle, &key, &rate, start_us).used_up)
            throttle_give_back(throttle, &key, &rate, start_us);
    return NULL;
}

static void racing_charges_that_are_given_back_leave_nothing(void **state)
{
    const struct throttle_rate rate = {1000, 3600};
    pthread_t threads[RACERS];

    (void)state;
    assert_false(take("raced for", &rate, start_us).used_up); /* the place stays taken */
    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give_back, NULL), 0);
    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(burst("raced for", &rate, start_us), 999);
}

/* Is killed by kill -9 in the middle of it. */
static int take_for_ever(int to_parent)
{
    static const struct throttle_rate most = {1000000, 86400};

    for (int i = 0; i >= 0; i = (i + 1) % (1 << 30)) {
        (void)take("victim", &most, start_us + i);
        (void)take("steady", &five_a_second, start_us);
        if (i == 100)
            child_tell(to_parent);
    }
    return 0;
}

static void a_killed_process_leaves_the_counts_and_nothing_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct child child = child_start(take_for_ever);
        child_wait_told(&child);
        assert_int_equal(kill(child.id, SIGKILL), 0);
        assert_int_equal(child_end(&child), 128 + SIGKILL);
        assert_true(take("steady", &five_a_second, start_us).used_up);
        assert_int_equal(burst("steady", &five_a_second, start_us + US_PER_S / 5 * 6), 5);
        assert_int_equal(burst("steady", &five_a_second, start_us + US_PER_S / 5 * 6), 0);
        throttle_free(throttle);
        throttle = throttle_create();
        assert_non_null(throttle);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(threads_that_race_get_the_budget_and_no_more),
        TEST(the_first_charges_of_a_key_go_to_one_cell),
        TEST(racing_charges_that_are_given_back_leave_nothing),
        TEST(a_killed_process_leaves_the_counts_and_nothing_taken),
    };

    return cmocka_run_group_tests(tests, start_library, NULL);
}
