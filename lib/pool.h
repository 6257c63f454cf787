/*
 * A pool of worker processes under a master, with processes of other roles beside them.
 *
 * The master takes no request and opens no file. It forks processes, replaces those that
 * die (with a growing pause while they die young) and kills those that are busy with one
 * request for longer than the limit. TERM and INT let every process finish its requests and
 * end. HUP starts new workers and, when they are ready, ends the old ones and replaces the
 * other roles. USR1 has the log opened anew. When the master dies, its children notice and
 * end.
 *
 * Events are logged (log.h), and the supervisor learns how it goes (notify.h): ready when
 * the workers are and every other role is up, or after ten seconds when at least one worker
 * is; and a sign of life from the master's loop. signals_init() comes first.
 */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/status.h"

enum {
    POOL_WORKERS_MAX = 1024,
};

struct pool_settings {
    int workers;            /* 1 to POOL_WORKERS_MAX */
    int slots;              /* the most workers there can be at once, during a reload old
                               and new ones; at least workers. A reload cannot change it */
    int request_timeout_ms; /* a process that is busy for longer is killed */
};

/* The pool, as a process of any role uses it. */
struct pool_worker;

/* Processes that run beside the workers. */
struct pool_role {
    const char *name; /* in the log and in the process's title */
    int count;        /* how many there are to be */
    /* Runs in a new process and returns its exit status. */
    int (*run)(void *context, struct pool_worker *self);
};

/* Why a process ended without having been told to. */
enum pool_end {
    POOL_DIED,      /* by itself with a failure, or by a signal */
    POOL_TIMED_OUT, /* it was busy for longer than the limit, and was killed */
};

struct pool_program {
    int (*run)(void *context, struct pool_worker *self); /* of the workers */
    /* Started in this order before the workers, and ended in the reverse order after them.
     * A reload replaces each process once it has finished what it has in hand. */
    const struct pool_role *roles;
    size_t role_count;
    /* On HUP, in the master: renews the context for processes to come, and *settings. On
     * failure everything stays as it was, and the function has logged why and filled it. */
    enum status (*reload)(void *context, struct pool_settings *settings,
                          struct problem *why);
    /* In the master, when a process has ended; slot: as pool_slot, role: NULL for workers.
     * NULL: nothing. */
    void (*ended)(void *context, const struct pool_role *role, int slot, enum pool_end how);
    /* In the master, about twice a second; NULL: nothing. Takes no time. */
    void (*watch)(void *context);
};

/* Runs the master until TERM or INT and returns the program's exit status. */
int pool_run(const struct pool_program *program, void *context,
             const struct pool_settings *settings);

/* Runs program->run in this process, without a master or other roles. */
int pool_run_single(const struct pool_program *program, void *context);

/* The number of this process within its role: from 0, below count or, of a worker, below
 * slots. No two that live at the same time have the same one. */
int pool_slot(const struct pool_worker *self);

/* A descriptor that is at its end when the master is gone; -1 without a master. */
int pool_master_gone_fd(const struct pool_worker *self);

/* Whether the master is gone. */
bool pool_is_orphan(const struct pool_worker *self);

/* How many processes of a role there are, for any process of the pool. */
struct pool_count {
    int starting; /* not ready to serve yet */
    int idle, busy;
    int leaving; /* were ordered to end, and finish what they have in hand */
};

/* Counts the workers, those of former generations included. */
struct pool_count pool_count_workers(const struct pool_worker *self);

/* Counts the processes of the role with this index in the table. */
struct pool_count pool_count_role(const struct pool_worker *self, size_t role);

/* Reports that this process can serve now. */
void pool_ready(struct pool_worker *self);

/* A request begins; a request has ended. In between the time limit counts, for every
 * role. pool_busy returns the time, in monotonic milliseconds. */
int64_t pool_busy(struct pool_worker *self);
void pool_idle(struct pool_worker *self);

enum pool_order {
    POOL_GO_ON,
    POOL_FINISH,    /* end; the service is being stopped */
    POOL_HAND_OVER, /* end; others go on serving */
};

/* The order for this process; to be called whenever it was woken. Also opens the log anew
 * on USR1, and writes its queued lines. */
enum pool_order pool_order(struct pool_worker *self);

#endif
