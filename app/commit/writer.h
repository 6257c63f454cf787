/*
 * The writer: takes the commands of all workers and commits whatever is there together.
 *
 * While one batch waits for the disk, the next one gathers in the mailboxes; nothing is
 * ever delayed to make a batch larger. The writer is the only process of a pool that
 * writes, and does every checkpoint; crmnotesctl and others take turns with it by the
 * write lock.
 */
#ifndef APP_COMMIT_WRITER_H
#define APP_COMMIT_WRITER_H

#include "lib/mailbox.h"
#include "lib/pool.h"

/* Serves the boxes until told to end; returns the process's exit status. Each batch waits at
 * most lock_timeout_ms for other writers. */
int writer_run(const char *database_path, int lock_timeout_ms, struct mailboxes *boxes,
               struct pool_worker *self);

#endif
