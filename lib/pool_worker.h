/*
 * A process of the pool, as it and its master see it. For lib/pool.c and lib/pool_worker.c
 * alone; others use lib/pool.h.
 */
#ifndef LIB_POOL_WORKER_H
#define LIB_POOL_WORKER_H

#include <stdatomic.h>
#include <stdint.h>

#include "lib/pool.h"

enum {
    POOL_LOG_FINISH_MS = 250, /* for the reader of the log, when a process ends */
};

/* Shared memory, a cache line for each process, which only that process writes, except
 * where something else is said. */
struct pool_board {
    _Alignas(64) atomic_bool ready;
    atomic_int_least64_t busy_since_ms; /* monotonic; 0: idle */
    atomic_bool leaves;                 /* it was ordered to end, and takes nothing new */
    atomic_bool lives;                  /* written by the master */
    int role;                           /* its index; behind the last one: a worker */
};

struct pool_worker {
    int master_gone_fd;
    enum pool_order order; /* the last one */
    int slot;
    struct pool_board *board;
    const struct pool_board *boards; /* of all processes; NULL without a master */
    int places, worker_role;
    struct pool_board own_board; /* without a master */
};

/* Opens the log anew; what went wrong is logged. */
void pool_worker_reopen_log(void);

#endif
