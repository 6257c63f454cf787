#include "lib/pool_worker.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/process_title.h"
#include "lib/signals.h"

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

int64_t pool_busy(struct pool_worker *self)
{
    int64_t now_ms = clock_monotonic_ms();

    atomic_store(&self->board->busy_since_ms, now_ms);
    return now_ms;
}

void pool_idle(struct pool_worker *self)
{
    atomic_store(&self->board->busy_since_ms, 0);
}

bool pool_is_orphan(const struct pool_worker *self)
{
    struct pollfd end = {.fd = self->master_gone_fd, .events = POLLIN};

    return self->master_gone_fd >= 0 && poll(&end, 1, 0) > 0;
}

static struct pool_count count_role(const struct pool_worker *self, int role)
{
    struct pool_count count = {.starting = 0};

    for (int i = 0; i < self->places; i++) {
        const struct pool_board *board = &self->boards[i];
        if (board->role != role || !atomic_load(&board->lives))
            continue;
        if (atomic_load(&board->leaves))
            count.leaving++;
        else if (!atomic_load(&board->ready))
            count.starting++;
        else if (atomic_load(&board->busy_since_ms) != 0)
            count.busy++;
        else
            count.idle++;
    }
    return count;
}

struct pool_count pool_count_workers(const struct pool_worker *self)
{
    return count_role(self, self->worker_role);
}

struct pool_count pool_count_role(const struct pool_worker *self, size_t role)
{
    return count_role(self, (int)role);
}

void pool_worker_reopen_log(void)
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
        pool_worker_reopen_log();
    if (signals_take_end() || pool_is_orphan(self))
        self->order = POOL_FINISH;
    else if (signals_take(SIGHUP) && self->order != POOL_FINISH)
        self->order = POOL_HAND_OVER;
    if (self->order != POOL_GO_ON)
        atomic_store(&self->board->leaves, true);
    return self->order;
}

int pool_run_single(const struct pool_program *program, void *context)
{
    struct pool_worker self = {.master_gone_fd = -1};
    struct pool_settings unused;
    struct problem logged = {""};
    int exit_status;

    process_title_set("single", -1);
    self.board = &self.own_board;
    do {
        self.order = POOL_GO_ON;
        exit_status = program->run(context, &self);
        if (self.order == POOL_HAND_OVER)
            (void)program->reload(context, &unused, &logged);
    } while (self.order == POOL_HAND_OVER);
    log_finish(POOL_LOG_FINISH_MS);
    return exit_status;
}
