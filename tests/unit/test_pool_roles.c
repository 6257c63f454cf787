/* Processes of other roles beside the workers. */
#include "lib/pool.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/pool_site.h"

static void the_companion_comes_first_and_goes_last(void **state)
{
    (void)state;
    start_master_of(&with_companion, 4, SLOTS, 60000);
    wait_until_ready(4);
    wait_for(&shared->companions, 1, "companions");
    end_pool(SIGTERM, 4);
    assert_int_equal(shared->companions, 1);
    assert_int_equal(shared->companions_ended, 1);
    assert_int_equal(shared->finished_before_companion, 4);
}

static void a_dead_companion_is_replaced_and_workers_live_on(void **state)
{
    (void)state;
    start_master_of(&with_companion, 2, SLOTS, 60000);
    wait_until_ready(2);
    wait_for(&shared->companions, 1, "companions");
    assert_int_equal(kill(shared->companion, SIGKILL), 0);
    wait_for(&shared->companions, 2, "companions");
    end_pool(SIGTERM, 2);
    assert_int_equal(shared->born, 2);
}

static void a_companion_that_dies_while_workers_finish_is_replaced(void **state)
{
    (void)state;
    atomic_store(&shared->behaviour, FINISH_LATE);
    start_master_of(&with_companion, 2, SLOTS, 60000);
    wait_until_ready(2);
    wait_for(&shared->companions, 1, "companions");
    assert_int_equal(kill(master, SIGTERM), 0);
    wait_for_log("\"stopping\"", 1);
    assert_int_equal(kill(shared->companion, SIGKILL), 0);
    wait_for(&shared->companions, 2, "companions");
    atomic_store(&shared->released, true);
    assert_int_equal(wait_for_master(), 0);
    assert_int_equal(shared->finished_before_companion, 2);
}

static void hup_replaces_the_companion(void **state)
{
    (void)state;
    start_master_of(&with_companion, 2, SLOTS, 60000);
    wait_until_ready(2);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->handed_over, 2, "workers that handed over");
    wait_for(&shared->companions, 2, "companions");
    end_pool(SIGTERM, 2);
    assert_int_equal(shared->companions_ended, 2);
    assert_int_equal(count_in_log("worker_died"), 0);
}

static void a_process_sees_how_many_others_there_are(void **state)
{
    (void)state;
    atomic_store(&shared->behaviour, NEVER_BE_READY);
    start_master_of(&with_companion, 3, SLOTS, 60000);
    wait_for(&shared->seen_starting, 3, "workers that are starting");
    assert_int_equal(shared->seen_idle, 0);
    assert_int_equal(shared->seen_companions, 1);
    atomic_store(&shared->behaviour, SERVE);
    kill_worker(0);
    wait_for(&shared->seen_idle, 1, "workers that are idle");
    atomic_store(&shared->behaviour, FINISH_LATE);
    kill_worker(1);
    wait_for(&shared->seen_busy, 1, "workers that are busy");
    atomic_store(&shared->released, true);
    end_pool(SIGTERM, 3);
}

static void the_program_hears_of_processes_that_end_by_themselves(void **state)
{
    (void)state;
    start_master_of(&with_companion, 2, SLOTS, 300);
    wait_until_ready(2);
    wait_for(&shared->companions, 1, "companions");
    kill_worker(1);
    wait_for(&shared->worker_ends[POOL_DIED], 1, "workers that died");
    assert_int_equal(shared->last_slot, shared->slots[1]);
    wait_until_ready(3);
    assert_int_equal(kill(shared->companion, SIGKILL), 0);
    wait_for(&shared->role_ends[POOL_DIED], 1, "companions that died");
    atomic_store(&shared->behaviour, BE_STUCK);
    kill_worker(0);
    wait_for(&shared->born, 4, "workers");
    atomic_store(&shared->behaviour, SERVE);
    wait_for(&shared->worker_ends[POOL_TIMED_OUT], 1, "workers that were stuck");
    wait_for(&shared->born, 5, "workers");
    wait_until_ready(5);
    end_pool(SIGTERM, 2);
    /* those that were told do not count */
    assert_int_equal(shared->worker_ends[POOL_DIED], 2);
    assert_int_equal(shared->worker_ends[POOL_TIMED_OUT], 1);
}

static void start_with_roles(int workers, int request_timeout_ms)
{
    start_master_of(&with_roles, workers, SLOTS, request_timeout_ms);
    wait_until_ready(workers);
    for (int i = 0; i < ROLES; i++)
        wait_for(&shared->roles[i].born, ROLE_PROCESSES, "processes of a role");
}

static void end_with_roles(int workers, int ended_of_each)
{
    end_pool(SIGTERM, workers);
    for (int i = 0; i < ROLES; i++)
        assert_int_equal(shared->roles[i].ended, ended_of_each);
}

static void roles_end_after_the_workers_in_reverse_order(void **state)
{
    (void)state;
    start_with_roles(3, 60000);
    end_with_roles(3, ROLE_PROCESSES);
    assert_int_equal(shared->roles[1].ended_before, 3);
    assert_int_equal(shared->roles[0].ended_before, 3 + ROLE_PROCESSES);
    assert_int_equal(count_in_log("worker_died"), 0);
}

static void each_process_of_a_role_is_replaced(void **state)
{
    (void)state;
    start_with_roles(2, 60000);
    for (int i = 0; i < ROLES; i++)
        for (int j = 0; j < ROLE_PROCESSES; j++) {
            int born = atomic_load(&shared->roles[i].born);
            assert_int_equal(kill(shared->roles[i].pids[j], SIGKILL), 0);
            wait_for(&shared->roles[i].born, born + 1, "processes of a role");
        }
    wait_for_log("\"role\":\"first\"", ROLE_PROCESSES);
    wait_for_log("\"role\":\"second\"", ROLE_PROCESSES);
    end_with_roles(2, ROLE_PROCESSES);
    assert_int_equal(shared->born, 2);
}

static void hup_replaces_each_process_of_a_role(void **state)
{
    (void)state;
    start_with_roles(2, 60000);
    for (int round = 2; round <= 3; round++) {
        assert_int_equal(kill(master, SIGHUP), 0);
        for (int i = 0; i < ROLES; i++)
            wait_for(&shared->roles[i].born, round * ROLE_PROCESSES, "processes of a role");
        wait_for_log("\"reloaded\"", round - 1);
    }
    end_with_roles(2, 3 * ROLE_PROCESSES);
    assert_int_equal(count_in_log("worker_died"), 0);
}

static void a_role_that_is_stuck_is_killed_and_replaced(void **state)
{
    (void)state;
    atomic_store(&shared->roles[1].stuck, true);
    start_with_roles(1, 300);
    atomic_store(&shared->roles[1].stuck, false);
    wait_for(&shared->roles[1].born, 2 * ROLE_PROCESSES, "processes of the role");
    wait_for_log("\"event\":\"worker_timed_out\"", ROLE_PROCESSES);
    end_with_roles(1, ROLE_PROCESSES);
    assert_int_equal(shared->roles[0].born, ROLE_PROCESSES);
}

static void a_role_that_dies_at_once_delays_no_other(void **state)
{
    (void)state;
    atomic_store(&shared->roles[0].dies_at_once, true);
    start_master_of(&with_roles, 2, SLOTS, 60000);
    wait_until_ready(2);
    wait_for(&shared->roles[1].born, ROLE_PROCESSES, "processes of the other role");
    wait_for_log("\"exit_status\":7", 3 * ROLE_PROCESSES);
    kill_worker(0);
    wait_until_ready(3);
    end_pool(SIGTERM, 2);
    assert_int_equal(shared->roles[1].ended, ROLE_PROCESSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pool(the_companion_comes_first_and_goes_last),
        with_pool(a_dead_companion_is_replaced_and_workers_live_on),
        with_pool(a_companion_that_dies_while_workers_finish_is_replaced),
        with_pool(a_process_sees_how_many_others_there_are),
        with_pool(the_program_hears_of_processes_that_end_by_themselves),
        with_pool(hup_replaces_the_companion),
        with_pool(roles_end_after_the_workers_in_reverse_order),
        with_pool(each_process_of_a_role_is_replaced),
        with_pool(hup_replaces_each_process_of_a_role),
        with_pool(a_role_that_is_stuck_is_killed_and_replaced),
        with_pool(a_role_that_dies_at_once_delays_no_other),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
