#include "lib/pool.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"

enum {
    ROLES = 2,
    ROLE_PROCESSES = 2, /* of each role */
    WORKERS_MAX = 256,  /* that one test can count */
    SLOTS = 40,
    PATIENCE_MS = 20000,
    LOOK_MS = 5,
};

/* The behaviour of the workers that are forked from now on. */
enum behaviour {
    SERVE,
    DIE_AT_ONCE,
    BE_STUCK, /* busy with one request for ever */
    BE_QUICK, /* busy without a pause, with many short requests */
    NEVER_BE_READY,
    FINISH_LATE,  /* busy until `released` */
    HEAR_NOTHING, /* idle, but ignores orders */
};

/* Shared by the test, the master and its workers. */
static struct shared {
    _Atomic enum behaviour behaviour;
    atomic_int born, ready, finished, handed_over, reloads, fewest_ready_at_hand_over;
    atomic_int workers_after_reload;
    atomic_int companions, companions_ended, finished_before_companion;
    _Atomic pid_t companion;
    struct role_count {
        atomic_int born, ended, ended_before; /* all others */
        _Atomic pid_t pids[ROLE_PROCESSES];   /* by pool_slot */
        atomic_bool stuck, dies_at_once;      /* those that are born from now on */
    } roles[ROLES];
    atomic_bool released, reload_fails;
    _Atomic pid_t pids[WORKERS_MAX];
} * shared;

static char directory[64], path[96];
static char text[1 << 20];
static pid_t master;

/* ---- Master and workers ---- */

static int end_of_worker(enum pool_order order)
{
    if (order == POOL_FINISH) {
        atomic_fetch_add(&shared->finished, 1);
        return 0;
    }
    int ready = atomic_load(&shared->ready), fewest = shared->fewest_ready_at_hand_over;
    while (ready < fewest && !atomic_compare_exchange_weak(
                                 &shared->fewest_ready_at_hand_over, &fewest, ready))
        ;
    atomic_fetch_add(&shared->handed_over, 1);
    return 0;
}

static void wait_to_be_woken(const struct pool_worker *self, int64_t ms)
{
    struct pollfd gone = {.fd = pool_master_gone_fd(self), .events = POLLIN};

    (void)ppoll(&gone, 1,
                ms < 0 ? NULL : &(struct timespec){ms / 1000, ms % 1000 * 1000000},
                signals_waiting_mask());
}

static int serve(struct pool_worker *self, enum behaviour behaviour)
{
    for (;;) {
        if (behaviour == BE_QUICK) {
            pool_idle(self);
            pool_busy(self);
        }
        wait_to_be_woken(self, behaviour == BE_QUICK ? 10 : -1);
        enum pool_order order = pool_order(self);
        if (order == POOL_GO_ON && behaviour != BE_QUICK)
            log_event(LEVEL_INFO, "woken", NULL, 0);
        if (order != POOL_GO_ON)
            return end_of_worker(order);
    }
}

static int run_worker(void *context, struct pool_worker *self)
{
    enum behaviour behaviour = atomic_load(&shared->behaviour);
    int number = atomic_fetch_add(&shared->born, 1);

    (void)context;
    if (number < WORKERS_MAX)
        atomic_store(&shared->pids[number], getpid());
    if (behaviour == DIE_AT_ONCE)
        return 7;
    if (behaviour != NEVER_BE_READY) {
        atomic_fetch_add(&shared->ready, 1);
        pool_ready(self);
    }
    if (behaviour == BE_STUCK || behaviour == FINISH_LATE)
        pool_busy(self);
    while (behaviour == BE_STUCK || behaviour == HEAR_NOTHING)
        (void)poll(NULL, 0, 1000);
    while (behaviour == FINISH_LATE && !atomic_load(&shared->released))
        (void)poll(NULL, 0, LOOK_MS);
    pool_idle(self);
    return serve(self, behaviour);
}

static enum status reload(void *context, struct pool_settings *settings)
{
    (void)context;
    atomic_fetch_add(&shared->reloads, 1);
    if (atomic_load(&shared->reload_fails))
        return STATUS_CONFIG;
    if (atomic_load(&shared->workers_after_reload) > 0)
        settings->workers = atomic_load(&shared->workers_after_reload);
    return STATUS_OK;
}

static int run_companion(void *context, struct pool_worker *self)
{
    (void)context;
    atomic_store(&shared->companion, getpid());
    atomic_fetch_add(&shared->companions, 1);
    while (pool_order(self) == POOL_GO_ON)
        wait_to_be_woken(self, -1);
    atomic_store(&shared->finished_before_companion, atomic_load(&shared->finished));
    atomic_fetch_add(&shared->companions_ended, 1);
    return 0;
}

static const struct pool_program program = {.run = run_worker, .reload = reload};
static const struct pool_role companion = {
    .name = "companion", .count = 1, .run = run_companion};
static const struct pool_program with_companion = {
    .run = run_worker, .roles = &companion, .role_count = 1, .reload = reload};

static int run_role(int number, struct pool_worker *self)
{
    struct role_count *role = &shared->roles[number];

    if (atomic_load(&role->dies_at_once))
        return 7;
    atomic_store(&role->pids[pool_slot(self)], getpid());
    bool stuck = atomic_load(&role->stuck);
    atomic_fetch_add(&role->born, 1);
    pool_ready(self);
    if (stuck)
        pool_busy(self);
    while (stuck)
        (void)poll(NULL, 0, 1000);
    while (pool_order(self) == POOL_GO_ON)
        wait_to_be_woken(self, -1);
    atomic_store(&role->ended_before, atomic_load(&shared->finished) +
                                          atomic_load(&shared->roles[1 - number].ended));
    atomic_fetch_add(&role->ended, 1);
    return 0;
}

static int run_first(void *context, struct pool_worker *self)
{
    (void)context;
    return run_role(0, self);
}

static int run_second(void *context, struct pool_worker *self)
{
    (void)context;
    return run_role(1, self);
}

static const struct pool_role two_roles[ROLES] = {
    {.name = "first", .count = ROLE_PROCESSES, .run = run_first},
    {.name = "second", .count = ROLE_PROCESSES, .run = run_second},
};
static const struct pool_program with_roles = {
    .run = run_worker, .roles = two_roles, .role_count = ROLES, .reload = reload};

static void start_master_of(const struct pool_program *what, int workers, int slots,
                            int request_timeout_ms)
{
    const struct pool_settings settings = {
        .workers = workers, .slots = slots, .request_timeout_ms = request_timeout_ms};

    master = fork();
    assert_true(master >= 0);
    if (master == 0)
        _exit(workers > 0 ? pool_run(what, NULL, &settings) : pool_run_single(what, NULL));
}

static void start_master(int workers, int request_timeout_ms, enum behaviour behaviour)
{
    atomic_store(&shared->behaviour, behaviour);
    start_master_of(&program, workers, SLOTS, request_timeout_ms);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/test_pool.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/log", directory);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    if (shared == MAP_FAILED)
        return -1;
    atomic_store(&shared->fewest_ready_at_hand_over, INT32_MAX);
    master = 0;
    return log_open(path, "test", NULL) == STATUS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    char rotated[104];

    (void)state;
    if (master > 0) { /* a failed test left it */
        (void)kill(master, SIGKILL);
        (void)waitpid(master, NULL, 0);
    }
    for (int i = 0; i < WORKERS_MAX && shared->pids[i] != 0 && master > 0; i++)
        (void)kill(shared->pids[i], SIGKILL);
    (void)munmap(shared, sizeof *shared);
    (void)log_open("stderr", "test", NULL);
    (void)snprintf(rotated, sizeof rotated, "%s.1", path);
    (void)unlink(path);
    (void)unlink(rotated);
    return rmdir(directory);
}

/* ---- Observations ---- */

static void wait_for(const atomic_int *counter, int wanted, const char *what)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(counter) < wanted) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("%s: %d, not %d", what, atomic_load(counter), wanted);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

static void wait_until_ready(int wanted)
{
    wait_for(&shared->ready, wanted, "workers that were ready");
}

/* How often the log contains the text. */
static int count_in_log(const char *part)
{
    FILE *file = fopen(path, "r");
    int found = 0;

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        found++;
    return found;
}

static void wait_for_log(const char *part, int wanted)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (count_in_log(part) < wanted) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("'%s' is not in the log %d times:\n%s", part, wanted, text);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

static int wait_for_master(void)
{
    int wait_status = 0;

    assert_int_equal(waitpid(master, &wait_status, 0), master);
    master = 0;
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

/* Ends the pool; all workers that still live must finish. */
static void end_pool(int signal_number, int living)
{
    int finished = atomic_load(&shared->finished);

    assert_int_equal(kill(master, signal_number), 0);
    assert_int_equal(wait_for_master(), 0);
    assert_int_equal(atomic_load(&shared->finished), finished + living);
}

static void kill_worker(int number)
{
    assert_int_equal(kill(atomic_load(&shared->pids[number]), SIGKILL), 0);
}

/* ---- Tests ---- */

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
    atomic_store(&shared->behaviour, bad);
    int born = atomic_load(&shared->born);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->born, born + 2, "workers that were born");
    (void)poll(NULL, 0, 500);
    assert_int_equal(shared->handed_over, 0);
    atomic_store(&shared->behaviour, SERVE);
    assert_int_equal(kill(master, SIGHUP), 0);
    wait_for(&shared->handed_over, hand_over_at_last, "workers that handed over");
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

static void usr1_has_all_processes_open_the_log_anew(void **state)
{
    char rotated[104];

    (void)state;
    (void)snprintf(rotated, sizeof rotated, "%s.1", path);
    start_master(3, 60000, SERVE);
    wait_until_ready(3);
    wait_for_log("\"started\"", 1);
    assert_int_equal(rename(path, rotated), 0);
    assert_int_equal(kill(master, SIGUSR1), 0);
    while (access(path, F_OK) != 0)
        (void)poll(NULL, 0, LOOK_MS);
    wait_for_log("\"woken\"", 3);
    end_pool(SIGTERM, 3);
    assert_int_equal(count_in_log("\"stopped\""), 1);
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

static int init_signals(void **state)
{
    (void)state;
    signals_init();
    return 0;
}

#define with_pool(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

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
        with_pool(hup_replaces_workers_only_when_new_ones_are_ready),
        with_pool(hup_may_change_the_number_of_workers),
        with_pool(a_reload_that_fails_changes_nothing),
        with_pool(old_workers_stay_while_new_ones_die_at_once),
        with_pool(old_workers_stay_while_new_ones_do_not_come_up),
        with_pool(a_reload_needs_no_more_room_than_for_old_and_new_ones),
        with_pool(the_companion_comes_first_and_goes_last),
        with_pool(a_dead_companion_is_replaced_and_workers_live_on),
        with_pool(a_companion_that_dies_while_workers_finish_is_replaced),
        with_pool(hup_replaces_the_companion),
        with_pool(roles_end_after_the_workers_in_reverse_order),
        with_pool(each_process_of_a_role_is_replaced),
        with_pool(hup_replaces_each_process_of_a_role),
        with_pool(a_role_that_is_stuck_is_killed_and_replaced),
        with_pool(a_role_that_dies_at_once_delays_no_other),
        with_pool(workers_end_when_their_master_dies),
        with_pool(usr1_has_all_processes_open_the_log_anew),
        with_pool(orders_to_a_single_worker_alone_are_obeyed),
        with_pool(a_process_without_master_serves_until_term),
        with_pool(a_process_without_master_reloads_on_hup),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
