/*
 * The commit seam: a command goes in; whether it is on the disk comes out.
 *
 * There are two ways: the command is carried out in this process at once, or sent to the
 * writer, which commits many commands together, and the worker does other things until it
 * is done. Both end in command_apply, which checks everything anew. Made after fork; one
 * per process.
 */
#ifndef APP_COMMIT_COMMITTER_H
#define APP_COMMIT_COMMITTER_H

#include "app/commit/command.h"
#include "lib/mailbox.h"

struct committer;

/* A command on its way. */
struct commit {
    bool done;
    /* When it is done: STATUS_OK: it is on the disk, and result says what came of it.
     * STATUS_REFUSED with result.refusal: not allowed (any more). STATUS_UNKNOWN: it may be
     * on the disk or not. Anything else: certainly not stored. */
    enum status status;
    struct command_result result;
    int64_t begin_by_ms, end_by_ms; /* monotonic */
};

/* One that writes in this process, under the write lock. The database is opened when it is
 * needed, and again after it failed, so this never fails for the database's sake. NULL: no
 * memory. */
struct committer *committer_create_direct(const char *database_path,
                                          const struct command_kinds *kinds);

/* One that sends commands to the writer from this client's boxes. */
struct committer *committer_create_mailbox(struct mailboxes *boxes, size_t client,
                                           const struct command_kinds *kinds);

/* NULL is allowed. */
void committer_free(struct committer *committer);

/* Starts to commit. place tells apart the commands that are on their way at once, and is
 * below the number of boxes. The work has to begin within timeout_ms and to end within
 * twice that. */
void committer_start(struct committer *committer, size_t place,
                     const struct command *command, int timeout_ms, struct commit *commit);

/* Looks whether it is done, and gives it up when its time is over. */
void committer_look(struct committer *committer, size_t place, struct commit *commit);

#endif
