/* HUP and USR1 to a pool. */
#include "lib/pool.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/pool_site.h"

static void hup_replaces_workers_only_when_new_ones_are_ready(void **state)
{
    (void)state;
    start_master(4, 60000, SERVE);
    wait_until_ready(4);
    for (int round = 1; round <= 3; round++) {
        assert_int_equal(kill(master, SIGHUP), 0);
        wait_for(&shared->handed_over, 4 * round, "workers that handed over");
        assert_int_equal(shared->ready, 4 * (round + 1));
    }
    assert_in_range(shared->fewest_ready_at_hand_over, 8, 100);
    assert_int_equal(shared->reloads, 3);
    end_pool(SIGTERM, 4);
    assert_int_equal(count_in_log("worker_died"), 0);
}

static void hup_may_change_the_number_of_workers(void **state)
{
    static const int counts[] = {5, 1, 3};
    int born = 2, gone = 0, living = 2;

    (void)state;
    start_master(2, 60000, SERVE);
    wait_until_ready(2);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        atomic_store(&shared->workers_after_reload, counts[i]);
        assert_int_equal(kill(master, SIGHUP), 0);
        born += counts[i];
        gone += living;
        living = counts[i];
        wait_for(&shared->handed_over, gone, "workers that handed over");
    }
    end_pool(SIGTERM, living);
    assert_int_equal(shared->born, born);
}

static void a_reload_that_fails_changes_nothing(void **state)
{
    (void)state;
    start_master(2, 60000, SERVE);
    wait_until_ready(2);
    atomic_store(&shared->reload_fails, true);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->reloads, 1, "reloads");
    (void)poll(NULL, 0, 300);
    end_pool(SIGTERM, 2);
    assert_int_equal(shared->born, 2);
}

/* A pool of its own for each: at the next reload, workers of the bad generation that have not
 * died yet hand over as well. */
static void old_workers_stay_while_new_ones(enum behaviour bad, int hand_over_at_last)
{
    start_master(2, 60000, SERVE);
    wait_until_ready(2);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->handed_over, 2, "workers that handed over");
    (void)poll(NULL, 0, 300); /* for the master to give their places to the next ones */
    atomic_store(&shared->behaviour, bad);
    int born = atomic_load(&shared->born);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->born, born + 2, "workers that were born");
    (void)poll(NULL, 0, 500);
    assert_int_equal(shared->handed_over, 2);
    atomic_store(&shared->behaviour, SERVE);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->handed_over, 2 + hand_over_at_last, "workers that handed over");
    end_pool(SIGTERM, 2);
}

static void old_workers_stay_while_new_ones_die_at_once(void **state)
{
    (void)state;
    old_workers_stay_while_new_ones(DIE_AT_ONCE, 2);
}

static void old_workers_stay_while_new_ones_do_not_come_up(void **state)
{
    (void)state;
    old_workers_stay_while_new_ones(NEVER_BE_READY, 4);
}

static void old_workers_stay_until_all_new_ones_are_ready(void **state)
{
    (void)state;
    old_workers_stay_while_new_ones(BE_READY_ALONE, 4);
}

static void a_reload_needs_no_more_room_than_for_old_and_new_ones(void **state)
{
    (void)state;
    start_master_of(&program, 3, 6, 60000);
    wait_until_ready(3);
    atomic_store(&shared->behaviour, NEVER_BE_READY);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->born, 6, "workers that were born");
    atomic_store(&shared->behaviour, SERVE);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_until_ready(6);
    wait_for(&shared->handed_over, 6, "workers that handed over");
    end_pool(SIGTERM, 3);
}

static void usr1_has_all_processes_open_the_log_anew(void **state)
{
    char rotated[104];

    (void)state;
    (void)snprintf(rotated, sizeof rotated, "%s.1", log_path);
    start_master(3, 60000, SERVE);
    wait_until_ready(3);
    wait_for_log("\"started\"", 1);
    assert_int_equal(rename(log_path, rotated), 0);
    assert_int_equal(kill(master, SIGUSR1), 0);
    while (access(log_path, F_OK) != 0)
        (void)poll(NULL, 0, LOOK_MS);
    wait_for_log("\"woken\"", 3);
    end_pool(SIGTERM, 3);
    assert_int_equal(count_in_log("\"stopped\""), 1);
}

static void a_process_without_master_reloads_on_hup(void **state)
{
    (void)state;
    start_master(0, 0, SERVE);
    wait_until_ready(1);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_until_ready(2);
    assert_int_equal(shared->reloads, 1);
    atomic_store(&shared->reload_fails, true);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_until_ready(3);
    assert_int_equal(shared->pids[0], shared->pids[2]);
    end_pool(SIGTERM, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pool(hup_replaces_workers_only_when_new_ones_are_ready),
        with_pool(hup_may_change_the_number_of_workers),
        with_pool(a_reload_that_fails_changes_nothing),
        with_pool(old_workers_stay_while_new_ones_die_at_once),
        with_pool(old_workers_stay_while_new_ones_do_not_come_up),
        with_pool(old_workers_stay_until_all_new_ones_are_ready),
        with_pool(a_reload_needs_no_more_room_than_for_old_and_new_ones),
        with_pool(usr1_has_all_processes_open_the_log_anew),
        with_pool(a_process_without_master_reloads_on_hup),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
