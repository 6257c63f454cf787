#include "lib/pool.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/signals.h"

enum {
    COMPANION, /* its slot; workers follow */
    FIRST_WORKER,
    YOUNG_MS = 2000, /* who dies younger makes the next one wait */
    PAUSE_MIN_MS = 100,
    PAUSE_MAX_MS = 10000,
    READY_TIMEOUT_MS = 10000, /* for new workers of a reload to come up */
    STOP_MARGIN_MS = 5000,    /* beyond the request timeout, when stopping */
    LOOK_MS = 500,            /* how often busy workers are looked at */
    LOG_FINISH_MS = 250,      /* for the reader of the log, when a process ends */
    READY_LOOK_MS = 10,       /* how often new workers of a reload are */
};

/* Shared memory, a cache line for each worker; only the worker writes there. */
struct board {
    _Alignas(64) atomic_bool ready;
    atomic_int_least64_t busy_since_ms; /* monotonic; 0: idle */
};

struct slot {
    pid_t pid; /* 0: free */
    int generation;
    int64_t born_ms;
};

/* Between two starts of processes that die young. */
struct pause {
    int ms;
    int64_t until_ms;
};

struct pool {
    const struct pool_program *program;
    void *context;
    struct pool_settings settings;
    int places;           /* slots of both kinds */
    struct board *boards; /* one for each slot, shared */
    struct slot *slots;
    int generation;
    int alive[2]; /* the master holds [1]; workers see its end in [0] */
    struct pause pause, companion_pause;
    int64_t ready_until_ms; /* 0: no reload is going on */
    bool stopping;
    int64_t stop_until_ms;
};

struct pool_worker {
    int master_gone_fd;
    enum pool_order order; /* the last one */
    int slot;
    struct board *board;
    struct board own_board; /* without a master */
};

int pool_slot(const struct pool_worker *self)
{
    return self->slot;
}

int pool_master_gone_fd(const struct pool_worker *self)
{
    return self->master_gone_fd;
}

void pool_ready(struct pool_worker *self)
{
    atomic_store(&self->board->ready, true);
}

void pool_busy(struct pool_worker *self)
{
    atomic_store(&self->board->busy_since_ms, clock_monotonic_ms());
}

void pool_idle(struct pool_worker *self)
{
    atomic_store(&self->board->busy_since_ms, 0);
}

static bool master_is_gone(const struct pool_worker *self)
{
    struct pollfd end = {.fd = self->master_gone_fd, .events = POLLIN};

    return self->master_gone_fd >= 0 && poll(&end, 1, 0) > 0;
}

static void reopen_log(void)
{
    struct problem why = {""};

    if (log_reopen(&why) != STATUS_OK)
        LOG(LEVEL_ERROR, "log_not_reopened", LOG_TEXT("message", why.text));
}

enum pool_order pool_order(struct pool_worker *self)
{
    signals_let_in();
    log_flush();
    if (signals_take(SIGUSR1))
        reopen_log();
    if (signals_take(SIGTERM) || signals_take(SIGINT) || master_is_gone(self))
        self->order = POOL_FINISH;
    else if (signals_take(SIGHUP) && self->order != POOL_FINISH)
        self->order = POOL_HAND_OVER;
    return self->order;
}

int pool_run_single(const struct pool_program *program, void *context)
{
    struct pool_worker self = {.master_gone_fd = -1};
    struct pool_settings unused;
    int exit_status;

    self.board = &self.own_board;
    do {
        self.order = POOL_GO_ON;
        exit_status = program->run(context, &self);
        if (self.order == POOL_HAND_OVER)
            (void)program->reload(context, &unused);
    } while (self.order == POOL_HAND_OVER);
    log_finish(LOG_FINISH_MS);
    return exit_status;
}

static _Noreturn void be_child(struct pool *pool, int i)
{
    struct pool_worker self = {.master_gone_fd = pool->alive[0],
                               .slot = i - FIRST_WORKER,
                               .board = &pool->boards[i]};

    (void)close(pool->alive[1]);
    signals_forget();
    log_after_fork();
    int exit_status = i == COMPANION ? pool->program->run_companion(pool->context, &self)
                                     : pool->program->run(pool->context, &self);
    log_finish(LOG_FINISH_MS);
    _exit(exit_status);
}

static int free_slot(const struct pool *pool)
{
    int i = FIRST_WORKER;

    while (i < pool->places && pool->slots[i].pid != 0)
        i++;
    return i;
}

/* Those that die together have one pause together. */
static void slow_down(struct pause *pause)
{
    if (clock_monotonic_ms() < pause->until_ms)
        return;
    pause->ms = pause->ms == 0 ? PAUSE_MIN_MS : 2 * pause->ms;
    if (pause->ms > PAUSE_MAX_MS)
        pause->ms = PAUSE_MAX_MS;
    pause->until_ms = clock_monotonic_ms() + pause->ms;
}

static bool spawn(struct pool *pool, int i, struct pause *pause)
{
    atomic_store(&pool->boards[i].ready, false);
    atomic_store(&pool->boards[i].busy_since_ms, 0);
    pid_t pid = fork();
    if (pid == 0)
        be_child(pool, i);
    if (pid < 0) {
        LOG(LEVEL_ERROR, "fork_failed", LOG_TEXT("message", strerror(errno)));
        slow_down(pause);
        return false;
    }
    pool->slots[i] = (struct slot){pid, pool->generation, clock_monotonic_ms()};
    return true;
}

static int count(const struct pool *pool, int generation, bool only_ready)
{
    int n = 0;

    for (int i = FIRST_WORKER; i < pool->places; i++)
        n += pool->slots[i].pid != 0 && pool->slots[i].generation == generation &&
             (!only_ready || atomic_load(&pool->boards[i].ready));
    return n;
}

static int count_all(const struct pool *pool)
{
    int n = 0;

    for (int i = FIRST_WORKER; i < pool->places; i++)
        n += pool->slots[i].pid != 0;
    return n;
}

static void fill_up(struct pool *pool)
{
    int64_t now_ms = clock_monotonic_ms();
    int n = count(pool, pool->generation, false);

    if (pool->stopping || now_ms < pool->pause.until_ms)
        return;
    for (; n < pool->settings.workers; n++) {
        int i = free_slot(pool);
        if (i == pool->places || !spawn(pool, i, &pool->pause))
            return;
    }
}

/* While workers live, they need it, even when all is being stopped. */
static void keep_companion(struct pool *pool)
{
    if (pool->program->run_companion == NULL || pool->slots[COMPANION].pid != 0 ||
        clock_monotonic_ms() < pool->companion_pause.until_ms ||
        (pool->stopping && count_all(pool) == 0))
        return;
    (void)spawn(pool, COMPANION, &pool->companion_pause);
}

static void end_companion(struct pool *pool)
{
    if (pool->slots[COMPANION].pid != 0)
        (void)kill(pool->slots[COMPANION].pid, SIGTERM);
}

/* To all workers of the present generation, or of all others. */
static void send_signal(struct pool *pool, int signal_number, bool present)
{
    for (int i = FIRST_WORKER; i < pool->places; i++)
        if (pool->slots[i].pid != 0 &&
            (pool->slots[i].generation == pool->generation) == present)
            (void)kill(pool->slots[i].pid, signal_number);
}

static void stop(struct pool *pool)
{
    if (pool->stopping)
        return;
    LOG(LEVEL_INFO, "stopping", LOG_NUMBER("workers", count_all(pool)));
    pool->stopping = true;
    pool->ready_until_ms = 0;
    pool->stop_until_ms =
        clock_monotonic_ms() + pool->settings.request_timeout_ms + STOP_MARGIN_MS;
    send_signal(pool, SIGTERM, true);
    send_signal(pool, SIGTERM, false);
}

static void reload(struct pool *pool)
{
    struct pool_settings settings = pool->settings;

    if (pool->stopping)
        return;
    if (pool->program->reload(pool->context, &settings) != STATUS_OK)
        return;
    assert(settings.workers >= 1 && settings.workers <= pool->settings.slots);
    if (pool->ready_until_ms != 0) /* nobody waits for those that were coming up any more */
        send_signal(pool, SIGHUP, true);
    pool->settings = settings;
    pool->generation++;
    pool->pause = (struct pause){0, 0};
    pool->ready_until_ms = clock_monotonic_ms() + READY_TIMEOUT_MS;
    LOG(LEVEL_INFO, "reloading", LOG_NUMBER("workers", settings.workers));
}

/* The old ones go when all of the new ones can serve. Should the new ones not come up, the
 * old ones stay, and the log tells the operator. */
static void finish_reload(struct pool *pool)
{
    if (pool->ready_until_ms == 0)
        return;
    if (count(pool, pool->generation, true) >= pool->settings.workers) {
        pool->ready_until_ms = 0;
        send_signal(pool, SIGHUP, false);
        end_companion(pool); /* the next one has the new settings */
        LOG(LEVEL_INFO, "reloaded", LOG_NUMBER("workers", pool->settings.workers));
    } else if (clock_monotonic_ms() >= pool->ready_until_ms) {
        pool->ready_until_ms = clock_monotonic_ms() + READY_TIMEOUT_MS;
        LOG(LEVEL_ERROR, "reload_waits",
            LOG_TEXT("message", "the new workers are not ready; the old ones go on"));
    }
}

static void end_stuck_workers(struct pool *pool)
{
    int64_t now_ms = clock_monotonic_ms();

    for (int i = 0; i < pool->places; i++) {
        if (pool->slots[i].pid == 0)
            continue;
        int64_t since_ms = atomic_load(&pool->boards[i].busy_since_ms);
        if (since_ms == 0 || now_ms - since_ms <= pool->settings.request_timeout_ms)
            continue;
        LOG(LEVEL_ERROR, "worker_timed_out", LOG_NUMBER("worker", pool->slots[i].pid),
            LOG_NUMBER("busy_ms", now_ms - since_ms));
        (void)kill(pool->slots[i].pid, SIGKILL);
    }
}

static void log_death(const struct slot *slot, int wait_status, int64_t age_ms)
{
    bool killed = WIFSIGNALED(wait_status);

    if (!killed && WEXITSTATUS(wait_status) == EXIT_SUCCESS)
        return;
    LOG(LEVEL_ERROR, "worker_died", LOG_NUMBER("worker", slot->pid),
        LOG_NUMBER(killed ? "signal" : "exit_status",
                   killed ? WTERMSIG(wait_status) : WEXITSTATUS(wait_status)),
        LOG_NUMBER("age_ms", age_ms));
}

static void bury(struct pool *pool, int i, int wait_status)
{
    struct slot *slot = &pool->slots[i];
    struct pause *pause = i == COMPANION ? &pool->companion_pause : &pool->pause;
    int64_t age_ms = clock_monotonic_ms() - slot->born_ms;
    bool ended_well = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == EXIT_SUCCESS;
    bool missed = i == COMPANION ? !ended_well : slot->generation == pool->generation;

    log_death(slot, wait_status, age_ms);
    slot->pid = 0;
    if (missed && age_ms < YOUNG_MS)
        slow_down(pause);
    else if (missed)
        *pause = (struct pause){0, 0};
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
        reopen_log();
        send_signal(pool, SIGUSR1, true);
        send_signal(pool, SIGUSR1, false);
        if (pool->slots[COMPANION].pid != 0)
            (void)kill(pool->slots[COMPANION].pid, SIGUSR1);
    }
    if (signals_take(SIGTERM) || signals_take(SIGINT))
        stop(pool);
    if (signals_take(SIGHUP))
        reload(pool);
}

/* Who has not ended by now will not. */
static void kill_what_stays(struct pool *pool)
{
    if (pool->stopping && clock_monotonic_ms() >= pool->stop_until_ms) {
        send_signal(pool, SIGKILL, true);
        send_signal(pool, SIGKILL, false);
        if (count_all(pool) == 0 && pool->slots[COMPANION].pid != 0)
            (void)kill(pool->slots[COMPANION].pid, SIGKILL);
    }
}

/* Signals end the wait early. */
static int64_t waiting_ms(const struct pool *pool)
{
    int64_t until_ms[] = {pool->pause.until_ms, pool->companion_pause.until_ms};
    int64_t now_ms = clock_monotonic_ms();
    int64_t wait_ms = pool->ready_until_ms != 0 ? READY_LOOK_MS : LOOK_MS;

    for (size_t i = 0; i < sizeof until_ms / sizeof until_ms[0]; i++)
        if (until_ms[i] > now_ms && until_ms[i] - now_ms < wait_ms)
            wait_ms = until_ms[i] - now_ms;
    return wait_ms;
}

static bool prepare(struct pool *pool)
{
    pool->slots = calloc((size_t)pool->places, sizeof *pool->slots);
    pool->boards = mmap(NULL, (size_t)pool->places * sizeof *pool->boards,
                        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pool->boards == MAP_FAILED) {
        pool->boards = NULL;
        return false;
    }
    return pool->slots != NULL && pipe2(pool->alive, O_CLOEXEC) == 0;
}

/* The companion goes last: workers may still need it. */
static bool is_over(struct pool *pool)
{
    if (!pool->stopping || count_all(pool) > 0)
        return false;
    if (pool->slots[COMPANION].pid == 0)
        return true;
    end_companion(pool);
    return false;
}

static void loop(struct pool *pool)
{
    for (;;) {
        handle_signals(pool);
        keep_companion(pool);
        fill_up(pool);
        finish_reload(pool);
        end_stuck_workers(pool);
        kill_what_stays(pool);
        if (is_over(pool))
            return;
        log_flush();
        int64_t wait_ms = waiting_ms(pool);
        (void)ppoll(NULL, 0, &(struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000},
                    signals_waiting_mask());
    }
}

int pool_run(const struct pool_program *program, void *context,
             const struct pool_settings *settings)
{
    struct pool *pool = calloc(1, sizeof *pool);
    int exit_status = EXIT_FAILURE;

    if (pool == NULL)
        return exit_status;
    pool->program = program;
    pool->context = context;
    pool->settings = *settings;
    pool->places = FIRST_WORKER + settings->slots;
    if (prepare(pool)) {
        LOG(LEVEL_INFO, "started", LOG_NUMBER("workers", settings->workers));
        loop(pool);
        LOG(LEVEL_INFO, "stopped", LOG_NUMBER("workers", 0));
        exit_status = EXIT_SUCCESS;
    } else {
        LOG(LEVEL_ERROR, "start_failed", LOG_TEXT("message", strerror(errno)));
    }
    log_finish(LOG_FINISH_MS);
    if (pool->boards != NULL)
        (void)munmap(pool->boards, (size_t)pool->places * sizeof *pool->boards);
    free(pool->slots);
    free(pool);
    return exit_status;
}
