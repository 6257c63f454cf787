/* Pools that start, replace dead and stuck workers, and end. */
#include "lib/pool.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/pool_site.h"

static void as_many_workers_are_started_as_wanted(void **state)
{
    static const int counts[] = {1, 2, 20};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        memset(shared, 0, sizeof *shared);
        start_master(counts[i], 60000, SERVE);
        wait_until_ready(counts[i]);
        end_pool(SIGTERM, counts[i]);
        assert_int_equal(shared->born, counts[i]);
    }
}

static void term_and_int_end_the_pool(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};

    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        memset(shared, 0, sizeof *shared);
        start_master(3, 60000, SERVE);
        wait_until_ready(3);
        end_pool(signals[i], 3);
    }
    assert_int_equal(count_in_log("worker_died"), 0);
}

static void a_signal_that_comes_while_starting_is_not_lost(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        start_master(3, 60000, SERVE);
        assert_int_equal(kill(master, SIGTERM), 0);
        assert_int_equal(wait_for_master(), 0);
        assert_int_equal(shared->born, shared->finished);
    }
}

static void a_request_in_hand_is_finished_before_the_end(void **state)
{
    (void)state;
    start_master(2, 60000, FINISH_LATE);
    wait_until_ready(2);
    assert_int_equal(kill(master, SIGTERM), 0);
    wait_for_log("\"stopping\"", 1);
    assert_int_equal(waitpid(master, NULL, WNOHANG), 0);
    atomic_store(&shared->released, true);
    assert_int_equal(wait_for_master(), 0);
    assert_int_equal(shared->finished, 2);
}

static void who_does_not_end_is_killed_in_the_end(void **state)
{
    (void)state;
    start_master(2, 500, HEAR_NOTHING);
    wait_until_ready(2);
    end_pool(SIGTERM, 0);
    assert_int_equal(count_in_log("\"signal\":9"), 2);
}

static void a_dead_worker_is_replaced(void **state)
{
    (void)state;
    start_master(3, 60000, SERVE);
    wait_until_ready(3);
    kill_worker(1);
    wait_until_ready(4);
    wait_for_log("\"event\":\"worker_died\"", 1);
    assert_int_equal(count_in_log("\"signal\":9"), 1);
    end_pool(SIGTERM, 3);
}

static void many_that_die_together_are_replaced_together(void **state)
{
    (void)state;
    start_master(12, 60000, SERVE);
    wait_until_ready(12);
    int64_t began_ms = clock_monotonic_ms();
    for (int i = 0; i < 12; i++)
        kill_worker(i);
    wait_until_ready(24);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 2500);
    end_pool(SIGTERM, 12);
}

static void workers_that_die_at_once_are_restarted_ever_more_slowly(void **state)
{
    (void)state;
    start_master(4, 60000, DIE_AT_ONCE);
    (void)poll(NULL, 0, 2000);
    assert_in_range(shared->born, 8, 24); /* after 0, 100, 300, 700, 1500 ms */
    assert_int_not_equal(count_in_log("\"exit_status\":7"), 0);
    atomic_store(&shared->behaviour, SERVE);
    wait_until_ready(4);
    end_pool(SIGTERM, 4);
}

static void term_ends_a_pool_whose_workers_die_at_once(void **state)
{
    (void)state;
    start_master(2, 60000, DIE_AT_ONCE);
    wait_for(&shared->born, 4, "workers that were born");
    end_pool(SIGTERM, 0);
}

static void a_worker_that_is_stuck_is_killed_and_replaced(void **state)
{
    (void)state;
    start_master(1, 300, BE_STUCK);
    wait_until_ready(1);
    atomic_store(&shared->behaviour, SERVE);
    int64_t began_ms = clock_monotonic_ms();
    wait_until_ready(2);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 3000);
    wait_for_log("\"event\":\"worker_timed_out\"", 1);
    end_pool(SIGTERM, 1);
}

static void a_worker_that_is_busy_with_short_requests_lives(void **state)
{
    (void)state;
    start_master(2, 700, BE_QUICK);
    wait_until_ready(2);
    (void)poll(NULL, 0, 2000);
    end_pool(SIGTERM, 2);
    assert_int_equal(shared->born, 2);
    assert_int_equal(count_in_log("worker_timed_out"), 0);
}

static void workers_end_when_their_master_dies(void **state)
{
    (void)state;
    start_master(5, 60000, SERVE);
    wait_until_ready(5);
    assert_int_equal(kill(master, SIGKILL), 0);
    assert_int_equal(waitpid(master, NULL, 0), master);
    master = 0;
    wait_for(&shared->finished, 5, "workers that finished");
}

static void orders_to_a_single_worker_alone_are_obeyed(void **state)
{
    (void)state;
    start_master(2, 60000, SERVE);
    wait_until_ready(2);
    assert_int_equal(kill(shared->pids[0], SIGTERM), 0);
    wait_for(&shared->finished, 1, "workers that finished");
    wait_until_ready(3);
    end_pool(SIGTERM, 2);
}

static void a_process_without_master_serves_until_term(void **state)
{
    (void)state;
    start_master(0, 0, SERVE);
    wait_until_ready(1);
    end_pool(SIGTERM, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pool(as_many_workers_are_started_as_wanted),
        with_pool(term_and_int_end_the_pool),
        with_pool(a_signal_that_comes_while_starting_is_not_lost),
        with_pool(a_request_in_hand_is_finished_before_the_end),
        with_pool(who_does_not_end_is_killed_in_the_end),
        with_pool(a_dead_worker_is_replaced),
        with_pool(many_that_die_together_are_replaced_together),
        with_pool(workers_that_die_at_once_are_restarted_ever_more_slowly),
        with_pool(term_ends_a_pool_whose_workers_die_at_once),
        with_pool(a_worker_that_is_stuck_is_killed_and_replaced),
        with_pool(a_worker_that_is_busy_with_short_requests_lives),
        with_pool(workers_end_when_their_master_dies),
        with_pool(orders_to_a_single_worker_alone_are_obeyed),
        with_pool(a_process_without_master_serves_until_term),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
