/*
 * A worker: takes requests from the web server, answers them, and logs them.
 */
#ifndef APP_SERVE_WORKER_H
#define APP_SERVE_WORKER_H

#include "app/meter.h"
#include "app/serve/caller_cache.h"
#include "app/settings.h"
#include "lib/fastcgi.h"
#include "lib/mailbox.h"
#include "lib/pool.h"
#include "lib/secret.h"
#include "lib/throttle.h"

/* What a worker inherits from its master. */
struct worker_context {
    const struct settings *settings;
    const struct secret_key *key;
    struct caller_cache *caller_cache;
    struct throttle *throttle; /* see limits.h */
    int listening;             /* the socket to accept from */
    int give, take;            /* the hand-over socket, or -1 */
    struct counters *counters; /* see app/meter.h */
    struct mailboxes *boxes;   /* to the writer; NULL: write in this process */
    bool (*outdated)(void);    /* whether the database was replaced, or a geo file is out of
                                  reach now, so that this process should make room for
                                  another */
};

/* Serves until told to end; returns the process's exit status. */
int worker_run(const struct worker_context *context, struct pool_worker *self);

#endif
