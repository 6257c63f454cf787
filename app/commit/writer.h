/*
 * The writer: takes the commands of all workers and commits whatever is there together.
 *
 * While one batch waits for the disk, the next one gathers in the mailboxes; nothing is
 * delayed to make a batch larger. The writer is the only process of a pool that writes, and
 * does every checkpoint; crmnotesctl and others take turns with it by the write lock.
 */
#ifndef APP_COMMIT_WRITER_H
#define APP_COMMIT_WRITER_H

#include "app/commit/command.h"
#include "lib/mailbox.h"
#include "lib/pool.h"

/* What the writer inherits from its master. */
struct writer_context {
    const char *database_path;
    int lock_timeout_ms; /* how long a batch waits for other writers */
    struct mailboxes *boxes;
    const struct command_kinds *kinds;
    bool (*outdated)(
        void); /* whether the database was replaced, so that this process should make
                               room for another */
};

/* Serves the boxes until told to end; returns the process's exit status. */
int writer_run(const struct writer_context *context, struct pool_worker *self);

#endif
