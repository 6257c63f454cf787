#include "tests/unit/pool_site.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"

struct shared *shared;
pid_t master;
char log_path[96];
static char directory[64];
static char text[1 << 20];

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
    if (number < WORKERS_MAX) {
        atomic_store(&shared->slots[number], pool_slot(self));
        atomic_store(&shared->pids[number], getpid());
    }
    if (behaviour == DIE_AT_ONCE)
        return 7;
    if (behaviour == BE_READY_ALONE)
        behaviour = atomic_exchange(&shared->behaviour, NEVER_BE_READY) == BE_READY_ALONE
                        ? SERVE
                        : NEVER_BE_READY;
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

static enum status reload(void *context, struct pool_settings *settings,
                          struct problem *why)
{
    (void)context;
    atomic_fetch_add(&shared->reloads, 1);
    if (atomic_load(&shared->reload_fails))
        return problem_set(why, STATUS_CONFIG, "workers: many");
    if (atomic_load(&shared->workers_after_reload) > 0)
        settings->workers = atomic_load(&shared->workers_after_reload);
    return STATUS_OK;
}

static void note_end(void *context, const struct pool_role *role, int slot,
                     enum pool_end how)
{
    (void)context;
    if (role == NULL)
        atomic_store(&shared->last_slot, slot);
    atomic_fetch_add(role == NULL ? &shared->worker_ends[how] : &shared->role_ends[how], 1);
}

/* Publishes what a process of the pool sees of the others. */
static void look_around(const struct pool_worker *self)
{
    const struct pool_count workers = pool_count_workers(self);
    const struct pool_count companions = pool_count_role(self, 0);

    atomic_store(&shared->seen_starting, workers.starting);
    atomic_store(&shared->seen_idle, workers.idle);
    atomic_store(&shared->seen_busy, workers.busy);
    atomic_store(&shared->seen_companions, companions.idle);
}

static int run_companion(void *context, struct pool_worker *self)
{
    (void)context;
    atomic_store(&shared->companion, getpid());
    atomic_fetch_add(&shared->companions, 1);
    pool_ready(self);
    while (pool_order(self) == POOL_GO_ON) {
        look_around(self);
        wait_to_be_woken(self, LOOK_MS);
    }
    atomic_store(&shared->finished_before_companion, atomic_load(&shared->finished));
    atomic_fetch_add(&shared->companions_ended, 1);
    return 0;
}

const struct pool_program program = {.run = run_worker, .reload = reload};
static const struct pool_role companion = {
    .name = "companion", .count = 1, .run = run_companion};
const struct pool_program with_companion = {.run = run_worker,
                                            .roles = &companion,
                                            .role_count = 1,
                                            .reload = reload,
                                            .ended = note_end};

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
const struct pool_program with_roles = {
    .run = run_worker, .roles = two_roles, .role_count = ROLES, .reload = reload};

void start_master_of(const struct pool_program *what, int workers, int slots,
                     int request_timeout_ms)
{
    const struct pool_settings settings = {
        .workers = workers, .slots = slots, .request_timeout_ms = request_timeout_ms};

    master = fork();
    assert_true(master >= 0);
    if (master == 0)
        _exit(workers > 0 ? pool_run(what, NULL, &settings) : pool_run_single(what, NULL));
}

void start_master(int workers, int request_timeout_ms, enum behaviour behaviour)
{
    atomic_store(&shared->behaviour, behaviour);
    start_master_of(&program, workers, SLOTS, request_timeout_ms);
}

int make_pool(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s/test_pool.XXXXXX", unit_tmp());
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(log_path, sizeof log_path, "%s/log", directory);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    if (shared == MAP_FAILED)
        return -1;
    atomic_store(&shared->fewest_ready_at_hand_over, INT32_MAX);
    master = 0;
    return log_open(log_path, "test", NULL) == STATUS_OK ? 0 : -1;
}

int remove_pool(void **state)
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
    (void)snprintf(rotated, sizeof rotated, "%s.1", log_path);
    (void)unlink(log_path);
    (void)unlink(rotated);
    return rmdir(directory);
}

void wait_until_ready(int wanted)
{
    wait_for(&shared->ready, wanted, "workers that were ready");
}

int count_in_log(const char *part)
{
    FILE *file = fopen(log_path, "r");
    int found = 0;

    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    assert_int_equal(fclose(file), 0);
    text[len] = '\0';
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
        found++;
    return found;
}

void wait_for_log(const char *part, int wanted)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (count_in_log(part) < wanted) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("'%s' is not in the log %d times:\n%s", part, wanted, text);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

int wait_for_master(void)
{
    int wait_status = 0;

    assert_int_equal(waitpid(master, &wait_status, 0), master);
    master = 0;
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

void end_pool(int signal_number, int living)
{
    int finished = atomic_load(&shared->finished);

    assert_int_equal(kill(master, signal_number), 0);
    assert_int_equal(wait_for_master(), 0);
    assert_int_equal(atomic_load(&shared->finished), finished + living);
}

void kill_worker(int number)
{
    assert_int_equal(kill(atomic_load(&shared->pids[number]), SIGKILL), 0);
}

int init_signals(void **state)
{
    (void)state;
    signals_init();
    return 0;
}
