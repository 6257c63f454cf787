/*
 * A pool of worker processes under a master.
 *
 * The master serves nothing and opens nothing: it forks workers, starts new ones in place
 * of those that die (with growing pauses while they die young), ends those that are busy
 * with one request for too long, and answers signals: TERM and INT let every worker finish
 * what it has in hand and end; HUP replaces all workers by new ones and lets the old ones
 * go only when the new ones are ready; USR1 has the log opened anew. When the master
 * itself dies, its workers see it and end.
 *
 * What happens is written to the log (log.h). signals_init() comes first.
 */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <stdbool.h>

#include "lib/status.h"

enum {
    POOL_WORKERS_MAX = 1024,
};

struct pool_settings {
    int workers;            /* 1 to POOL_WORKERS_MAX */
    int slots;              /* the most workers there can be at once, during a reload old
                               and new ones; at least workers. A reload cannot change it */
    int request_timeout_ms; /* a worker that is busy for longer is killed */
};

/* A worker's own view of the pool. */
struct pool_worker;

struct pool_program {
    /* The worker: runs in a new process, returns its exit status. */
    int (*run)(void *context, struct pool_worker *self);
    /* One more process that the workers rely on, or NULL. It is started before them and
     * ends after them; after a reload it is replaced, too, once it has finished. */
    int (*run_companion)(void *context, struct pool_worker *self);
    /* On HUP, in the master: renew the context for workers to come and *settings. If it
     * fails, all stays as it was; it has said why in the log. */
    enum status (*reload)(void *context, struct pool_settings *settings);
};

/* Runs the master until TERM or INT and returns the program's exit status. */
int pool_run(const struct pool_program *program, void *context,
             const struct pool_settings *settings);

/* Runs program->run in this process, without a master or a companion. */
int pool_run_single(const struct pool_program *program, void *context);

/* Which of the workers this is: from 0, below slots; no two that live at the same time
 * have the same number. */
int pool_slot(const struct pool_worker *self);

/* A descriptor that is at its end when the master is gone; -1 without a master. */
int pool_master_gone_fd(const struct pool_worker *self);

/* The worker can serve now. */
void pool_ready(struct pool_worker *self);

/* A request begins; a request has ended. Between the two the time limit counts. */
void pool_busy(struct pool_worker *self);
void pool_idle(struct pool_worker *self);

enum pool_order {
    POOL_GO_ON,
    POOL_FINISH,    /* end; the service is being stopped */
    POOL_HAND_OVER, /* end; others go on serving */
};

/* What the worker should do after it was woken. Also carries out USR1. */
enum pool_order pool_order(struct pool_worker *self);

#endif
