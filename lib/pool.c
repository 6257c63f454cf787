#include "lib/pool_worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/process_title.h"
#include "lib/shared.h"
#include "lib/signals.h"

enum {
    YOUNG_MS = 2000, /* a process that dies younger delays the start of the next one */
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 10000,
    READY_TIMEOUT_MS = 10000, /* for workers of a start or a reload to come up */
    STOP_MARGIN_MS = 5000,    /* beyond the request timeout, when stopping */
    LOOK_MS = 500,            /* how often busy processes are checked */
    READY_LOOK_MS = 10,       /* how often new workers are checked */
};

/* The back-off between two starts of processes that die young. */
struct pause {
    int ms;
    int64_t until_ms;
};

/* A row of the program's table or, after those, the workers. */
struct role {
    struct pool_role row;
    int first, end; /* its slots: first <= i < end */
    struct pause pause;
};

struct slot {
    pid_t pid; /* 0: free */
    int generation;
    int64_t born_ms;
    bool timed_out; /* it was killed because it had been busy for too long */
    struct role *role;
};

struct pool {
    const struct pool_program *program;
    void *context;
    struct pool_settings settings;
    struct role *roles, *workers; /* workers is the last of the roles */
    int places;                   /* slots of all roles */
    struct pool_board *boards;    /* one for each slot, shared */
    struct slot *slots;
    int generation;         /* of workers */
    int alive[2];           /* the master holds [1]; other processes see its end in [0] */
    int64_t ready_until_ms; /* deadline for new workers; 0: no reload is going on */
    bool serves;            /* it has become ready once, and the supervisor knows it */
    int64_t serves_late_ms; /* the time after which one worker is enough for that */
    bool stopping;
    int64_t stop_until_ms;
};

static _Noreturn void be_child(struct pool *pool, int i)
{
    const struct role *role = pool->slots[i].role;
    struct pool_worker self = {.master_gone_fd = pool->alive[0],
                               .slot = i - role->first,
                               .board = &pool->boards[i],
                               .boards = pool->boards,
                               .places = pool->places,
                               .worker_role = (int)pool->program->role_count};

    (void)close(pool->alive[1]);
    notify_close();
    signals_forget();
    log_after_fork();
    bool is_only_one = role != pool->workers && role->row.count == 1;
    process_title_set(role->row.name, is_only_one ? -1 : self.slot);
    int exit_status = role->row.run(pool->context, &self);
    log_finish(POOL_LOG_FINISH_MS);
    _exit(exit_status);
}

static int free_slot(const struct pool *pool, const struct role *role)
{
    int i = role->first;

    while (i < role->end && pool->slots[i].pid != 0)
        i++;
    return i;
}

/* Several processes that die at the same time delay the next ones once. */
static void slow_down(struct pause *pause)
{
    if (clock_monotonic_ms() < pause->until_ms)
        return;
    pause->ms = pause->ms == 0 ? PAUSE_MIN_MS : 2 * pause->ms;
    if (pause->ms > PAUSE_MAX_MS)
        pause->ms = PAUSE_MAX_MS;
    pause->until_ms = clock_monotonic_ms() + pause->ms;
}

static bool spawn(struct pool *pool, int i)
{
    struct slot *slot = &pool->slots[i];

    atomic_store(&pool->boards[i].ready, false);
    atomic_store(&pool->boards[i].busy_since_ms, 0);
    atomic_store(&pool->boards[i].leaves, false);
    pid_t pid = fork();
    if (pid == 0)
        be_child(pool, i);
    if (pid < 0) {
        LOG(LEVEL_ERROR, "fork_failed", LOG_TEXT("message", strerror(errno)));
        slow_down(&slot->role->pause);
        return false;
    }
    atomic_store(&pool->boards[i].lives, true);
    slot->pid = pid;
    slot->timed_out = false;
    slot->generation = pool->generation;
    slot->born_ms = clock_monotonic_ms();
    return true;
}

/* The number of workers of a generation. */
static int count_workers(const struct pool *pool, int generation, bool only_ready)
{
    int n = 0;

    for (int i = pool->workers->first; i < pool->workers->end; i++)
        n += pool->slots[i].pid != 0 && pool->slots[i].generation == generation &&
             (!only_ready || atomic_load(&pool->boards[i].ready));
    return n;
}

static int count_all(const struct pool *pool, const struct role *role)
{
    int n = 0;

    for (int i = role->first; i < role->end; i++)
        n += pool->slots[i].pid != 0;
    return n;
}

/* Starts processes until the role has `wanted`, of which it has n. */
static void fill_up(struct pool *pool, struct role *role, int n, int wanted)
{
    if (clock_monotonic_ms() < role->pause.until_ms)
        return;
    for (; n < wanted; n++) {
        int i = free_slot(pool, role);
        if (i == role->end || !spawn(pool, i))
            return;
    }
}

/* Roles before workers. A role is kept up until the last worker has ended, as workers that
 * are finishing still need it. */
static void start_missing(struct pool *pool)
{
    bool over = pool->stopping && count_all(pool, pool->workers) == 0;

    for (struct role *role = pool->roles; role < pool->workers && !over; role++)
        fill_up(pool, role, count_all(pool, role), role->row.count);
    if (!pool->stopping)
        fill_up(pool, pool->workers, count_workers(pool, pool->generation, false),
                pool->settings.workers);
}

static void signal_role(const struct pool *pool, const struct role *role, int signal_number)
{
    for (int i = role->first; i < role->end; i++)
        if (pool->slots[i].pid != 0)
            (void)kill(pool->slots[i].pid, signal_number);
}

/* Signals the workers of the present generation, or those of all others. */
static void signal_workers(struct pool *pool, int signal_number, bool present)
{
    for (int i = pool->workers->first; i < pool->workers->end; i++)
        if (pool->slots[i].pid != 0 &&
            (pool->slots[i].generation == pool->generation) == present)
            (void)kill(pool->slots[i].pid, signal_number);
}

/* Tells the supervisor that the pool serves, and in `more` what else is to be known. */
static void tell_serving(struct pool *pool, const char *more)
{
    char status[NOTIFY_TEXT_BYTES];

    (void)snprintf(status, sizeof status, "serving, %d worker%s%s", pool->settings.workers,
                   pool->settings.workers == 1 ? "" : "s", more);
    pool->serves = true;
    notify_ready(status);
}

static bool roles_are_ready(const struct pool *pool)
{
    for (int i = 0; i < pool->workers->first; i++)
        if (pool->slots[i].pid == 0 || !atomic_load(&pool->boards[i].ready))
            return false;
    return true;
}

/* Where not all workers come up, for instance because of a limit on processes, those that
 * do serve: the supervisor must not end them. */
static void finish_start(struct pool *pool)
{
    if (pool->serves || pool->stopping || !roles_are_ready(pool))
        return;
    int ready = count_workers(pool, pool->generation, true);
    if (ready >= pool->settings.workers)
        tell_serving(pool, "");
    else if (ready > 0 && clock_monotonic_ms() >= pool->serves_late_ms)
        tell_serving(pool, ", of which some do not come up");
}

static void stop(struct pool *pool)
{
    if (pool->stopping)
        return;
    LOG(LEVEL_INFO, "stopping", LOG_NUMBER("workers", count_all(pool, pool->workers)));
    notify_stopping("finishing the requests in hand");
    pool->stopping = true;
    pool->ready_until_ms = 0;
    pool->stop_until_ms =
        clock_monotonic_ms() + pool->settings.request_timeout_ms + STOP_MARGIN_MS;
    signal_role(pool, pool->workers, SIGTERM);
}

static void reload(struct pool *pool)
{
    struct pool_settings settings = pool->settings;
    struct problem why = {""};

    if (pool->stopping)
        return;
    if (pool->serves)
        notify_reloading();
    if (pool->program->reload(pool->context, &settings, &why) != STATUS_OK) {
        problem_prefix(&why, "; reload refused");
        if (pool->serves)
            tell_serving(pool, why.text);
        return;
    }
    assert(settings.workers >= 1 && settings.workers <= pool->settings.slots);
    if (pool->ready_until_ms != 0) /* those that were starting are outdated, too */
        signal_workers(pool, SIGHUP, true);
    pool->settings = settings;
    pool->generation++;
    pool->workers->pause = (struct pause){0, 0};
    pool->ready_until_ms = clock_monotonic_ms() + READY_TIMEOUT_MS;
    LOG(LEVEL_INFO, "reloading", LOG_NUMBER("workers", settings.workers));
}

/* Ends the old workers when all of the new ones can serve. If the new ones do not become
 * ready, the old ones stay, and `reload_waits` is logged. */
static void finish_reload(struct pool *pool)
{
    if (pool->ready_until_ms == 0)
        return;
    if (count_workers(pool, pool->generation, true) >= pool->settings.workers) {
        pool->ready_until_ms = 0;
        signal_workers(pool, SIGHUP, false);
        for (struct role *role = pool->roles; role < pool->workers; role++)
            signal_role(pool, role, SIGTERM); /* the next ones have the new settings */
        LOG(LEVEL_INFO, "reloaded", LOG_NUMBER("workers", pool->settings.workers));
        tell_serving(pool, "");
    } else if (clock_monotonic_ms() >= pool->ready_until_ms) {
        pool->ready_until_ms = clock_monotonic_ms() + READY_TIMEOUT_MS;
        LOG(LEVEL_ERROR, "reload_waits",
            LOG_TEXT("message", "the new workers are not ready; the old ones go on"));
        if (pool->serves)
            tell_serving(pool, "; the new ones are not ready, the old ones go on");
    }
}

static void kill_stuck(struct pool *pool)
{
    int64_t now_ms = clock_monotonic_ms();

    for (int i = 0; i < pool->places; i++) {
        struct slot *slot = &pool->slots[i];
        int64_t since_ms = atomic_load(&pool->boards[i].busy_since_ms);
        if (slot->pid == 0 || since_ms == 0 ||
            now_ms - since_ms <= pool->settings.request_timeout_ms)
            continue;
        LOG(LEVEL_ERROR, "worker_timed_out", LOG_TEXT("role", slot->role->row.name),
            LOG_NUMBER("worker", slot->pid), LOG_NUMBER("busy_ms", now_ms - since_ms));
        slot->timed_out = true;
        (void)kill(slot->pid, SIGKILL);
    }
}

static void log_death(const struct slot *slot, int wait_status, int64_t age_ms)
{
    bool killed = WIFSIGNALED(wait_status);

    if (!killed && WEXITSTATUS(wait_status) == EXIT_SUCCESS)
        return;
    LOG(LEVEL_ERROR, "worker_died", LOG_TEXT("role", slot->role->row.name),
        LOG_NUMBER("worker", slot->pid),
        LOG_NUMBER(killed ? "signal" : "exit_status",
                   killed ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status)),
        LOG_NUMBER("age_ms", age_ms));
}

/* The program may want to know of a process that ended without having been told to. */
static void tell_program(struct pool *pool, int i, bool ended_well)
{
    const struct slot *slot = &pool->slots[i];
    const struct role *role = slot->role;

    if (ended_well || pool->program->ended == NULL)
        return;
    pool->program->ended(pool->context, role == pool->workers ? NULL : &role->row,
                         i - role->first, slot->timed_out ? POOL_TIMED_OUT : POOL_DIED);
}

static void bury(struct pool *pool, int i, int wait_status)
{
    struct slot *slot = &pool->slots[i];
    struct role *role = slot->role;
    int64_t age_ms = clock_monotonic_ms() - slot->born_ms;
    bool ended_well = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_SUCCESS;
    /* whether its place is to be filled: an old worker that fails delays no new ones */
    bool missed =
        role == pool->workers ? slot->generation == pool->generation : !ended_well;

    log_death(slot, wait_status, age_ms);
    tell_program(pool, i, ended_well);
    atomic_store(&pool->boards[i].lives, false);
    slot->pid = 0;
    if (missed && age_ms < YOUNG_MS)
        slow_down(&role->pause);
    else if (missed)
        role->pause = (struct pause){0, 0};
}

static void reap(struct pool *pool)
{
    int wait_status;
    pid_t pid;

    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0)
        for (int i = 0; i < pool->places; i++)
            if (pool->slots[i].pid == pid)
                bury(pool, i, wait_status);
}

static void handle_signals(struct pool *pool)
{
    if (signals_take(SIGCHLD))
        reap(pool);
    if (signals_take(SIGUSR1)) {
        pool_worker_reopen_log();
        for (struct role *role = pool->roles; role <= pool->workers; role++)
            signal_role(pool, role, SIGUSR1);
    }
    if (signals_take_end())
        stop(pool);
    if (signals_take(SIGHUP))
        reload(pool);
}

/* The last role that still has processes; NULL: none has. Roles end one after another, in
 * the reverse order of their start, as a process may need those that started before it. */
static const struct role *next_to_end(const struct pool *pool)
{
    for (size_t i = pool->program->role_count + 1; i-- > 0;)
        if (count_all(pool, &pool->roles[i]) > 0)
            return &pool->roles[i];
    return NULL;
}

/* True: all processes have ended. */
static bool is_over(struct pool *pool)
{
    const struct role *role = next_to_end(pool);

    if (!pool->stopping || role == NULL)
        return pool->stopping;
    if (clock_monotonic_ms() >= pool->stop_until_ms)
        signal_role(pool, role, SIGKILL);
    else if (role != pool->workers) /* those were told once, in stop */
        signal_role(pool, role, SIGTERM);
    return false;
}

/* Signals end the wait early. */
static int64_t waiting_ms(const struct pool *pool, int64_t sign_of_life_ms)
{
    int64_t now_ms = clock_monotonic_ms();
    bool coming = pool->ready_until_ms != 0 || !pool->serves;
    int64_t wait_ms = coming ? READY_LOOK_MS : LOOK_MS;

    if (sign_of_life_ms < wait_ms)
        wait_ms = sign_of_life_ms;
    for (const struct role *role = pool->roles; role <= pool->workers; role++)
        if (role->pause.until_ms > now_ms && role->pause.until_ms - now_ms < wait_ms)
            wait_ms = role->pause.until_ms - now_ms;
    return wait_ms;
}

/* The table's rows and, behind them, the workers, with slots for each. */
static void lay_out(struct pool *pool)
{
    const struct pool_program *program = pool->program;
    const struct pool_role workers = {
        .name = "worker", .count = pool->settings.slots, .run = program->run};
    int next = 0;

    for (size_t i = 0; i <= program->role_count; i++) {
        struct role *role = &pool->roles[i];
        role->row = i < program->role_count ? program->roles[i] : workers;
        role->first = next;
        next = role->end = next + role->row.count;
    }
    pool->workers = &pool->roles[program->role_count];
    pool->places = next;
}

static bool prepare(struct pool *pool)
{
    pool->roles = calloc(pool->program->role_count + 1, sizeof *pool->roles);
    if (pool->roles == NULL)
        return false;
    lay_out(pool);
    pool->slots = calloc((size_t)pool->places, sizeof *pool->slots);
    pool->boards = shared_create((size_t)pool->places * sizeof *pool->boards);
    if (pool->slots == NULL || pool->boards == NULL || pipe2(pool->alive, O_CLOEXEC) != 0)
        return false;
    for (struct role *role = pool->roles; role <= pool->workers; role++)
        for (int i = role->first; i < role->end; i++) {
            pool->slots[i].role = role;
            pool->boards[i].role = (int)(role - pool->roles);
        }
    return true;
}

static void loop(struct pool *pool)
{
    for (;;) {
        handle_signals(pool);
        start_missing(pool);
        finish_start(pool);
        finish_reload(pool);
        kill_stuck(pool);
        if (pool->program->watch != NULL)
            pool->program->watch(pool->context);
        if (is_over(pool))
            return;
        log_flush();
        int64_t wait_ms = waiting_ms(pool, notify_alive());
        (void)ppoll(NULL, 0, &(struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000},
                    signals_waiting_mask());
    }
}

int pool_run(const struct pool_program *program, void *context,
             const struct pool_settings *settings)
{
    struct pool pool = {.program = program, .context = context, .settings = *settings};
    int exit_status = EXIT_FAILURE;

    process_title_set("master", -1);
    pool.serves_late_ms = clock_monotonic_ms() + READY_TIMEOUT_MS;
    if (prepare(&pool)) {
        LOG(LEVEL_INFO, "started", LOG_NUMBER("workers", settings->workers));
        loop(&pool);
        LOG(LEVEL_INFO, "stopped", LOG_NUMBER("workers", 0));
        exit_status = EXIT_SUCCESS;
    } else {
        LOG(LEVEL_ERROR, "start_failed", LOG_TEXT("message", strerror(errno)));
    }
    log_finish(POOL_LOG_FINISH_MS);
    shared_free(pool.boards, (size_t)pool.places * sizeof *pool.boards);
    free(pool.slots);
    free(pool.roles);
    return exit_status;
}
