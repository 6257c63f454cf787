/*
 * The monitor: a process of its own that tells how the service is.
 *
 * It answers GET and HEAD by FastCGI, on a socket of its own, for
 *
 *     /metrics        the figures, for Prometheus
 *     /status         the state: a page for a browser, JSON for all others
 *     /status.json    the state as JSON
 *     /live           200 while the service's master lives
 *     /ready          200 when a note could be stored now, else 503 and the reason
 *
 * whatever stands in front of the last part of the path. It answers while all workers are
 * busy and while the writer is dead. It knows no key and reads no note.
 */
#ifndef APP_MONITOR_MONITOR_H
#define APP_MONITOR_MONITOR_H

#include "app/monitor/history.h"
#include "app/settings.h"
#include "app/store/key_mark.h"
#include "lib/counters.h"
#include "lib/mailbox.h"
#include "lib/pool.h"

/* What the monitor inherits from its master. */
struct monitor_context {
    const struct settings *settings;
    struct key_mark mark; /* of the key file */
    int listening;        /* its socket */
    struct counters *counters;
    struct history *history;
    struct mailboxes *boxes;
    size_t client;          /* its number among the clients of the mailboxes */
    size_t writer_role;     /* the index of the writer's role in the pool */
    bool (*outdated)(void); /* as in struct worker_context */
};

/* Serves until told to end; returns the process's exit status. */
int monitor_run(const struct monitor_context *context, struct pool_worker *self);

#endif
