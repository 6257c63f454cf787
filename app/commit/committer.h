/*
 * The interface to commit a command. Behind it are two ways.
 *
 * Directly: this process carries the command out at once. By mailboxes: the writer carries
 * it out together with others, and the worker serves other requests meanwhile. Both end in
 * command_apply, which makes all checks again. Made after fork; one per process.
 */
#ifndef APP_COMMIT_COMMITTER_H
#define APP_COMMIT_COMMITTER_H

#include "app/commit/command.h"
#include "app/meter.h"
#include "lib/mailbox.h"

struct committer;

/* The state of a command that is being committed. */
struct commit {
    bool done;
    /* When done is set: STATUS_OK: it is on the disk, and result is filled. STATUS_REFUSED
     * with result.refusal: a check failed in the transaction. STATUS_UNKNOWN: it may be on
     * the disk or not. Anything else: certainly not stored. */
    enum status status;
    struct command_result result;
    int64_t begin_by_ms, end_by_ms; /* monotonic deadlines */
};

/* Makes one that writes in this process, under the write lock. The database is opened when
 * it is needed, and anew after a failure, so a database that cannot be opened is no failure
 * here. Transactions are counted in meter. NULL: no memory. */
struct committer *committer_create_direct(const char *database_path,
                                          const struct command_kinds *kinds,
                                          struct meter meter);

/* Makes one that posts commands to the writer, in the mailboxes of this client. */
struct committer *committer_create_mailbox(struct mailboxes *boxes, size_t client,
                                           const struct command_kinds *kinds);

/* NULL is allowed. */
void committer_free(struct committer *committer);

/* Starts to commit. place is an index below the number of boxes, and free: no other command
 * with it is under way. The writer has to take the command within timeout_ms and to answer
 * it within twice that time. */
void committer_start(struct committer *committer, size_t place,
                     const struct command *command, int timeout_ms, struct commit *commit);

/* Checks that the files of the database are still in their places: see batch_guard. A
 * committer that writes directly needs it about once a second, also without requests.
 * False: the database is not open now. The other kind does nothing: true. */
bool committer_guard(struct committer *committer);

/* Moves the deadlines of a command that is under way to at_ms, unless they are sooner. */
void committer_hurry(struct commit *commit, int64_t at_ms);

/* Checks whether it is done, and gives it up after its deadline. */
void committer_look(struct committer *committer, size_t place, struct commit *commit);

#endif
