/*
 * The writer: takes the commands of all workers, and commits all that are queued in one
 * transaction.
 *
 * While one batch waits for the disk, the next one is queued in the mailboxes. No command
 * is delayed to make a batch larger. The writer is the only process of a pool that writes,
 * and makes every checkpoint. crmnotesctl and other programs take turns with it by the
 * write lock.
 */
#ifndef APP_COMMIT_WRITER_H
#define APP_COMMIT_WRITER_H

#include "app/commit/command.h"
#include "app/meter.h"
#include "lib/mailbox.h"
#include "lib/pool.h"

/* What the writer inherits from its master. */
struct writer_context {
    const char *database_path;
    int lock_timeout_ms; /* how long a batch waits for other writers */
    struct mailboxes *boxes;
    const struct command_kinds *kinds;
    struct meter meter; /* the writer's */
    bool (*outdated)(
        void); /* whether the database was replaced, so that this process should make
                               room for another */
};

/* Serves the mailboxes until it is ordered to end; returns the process's exit status. */
int writer_run(const struct writer_context *context, struct pool_worker *self);

#endif
