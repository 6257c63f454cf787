/*
 * Commits one or many commands in one transaction.
 *
 * All commands of a batch together wait for the disk once. A command that is refused has
 * written nothing. A command that fails makes the transaction fail; then each command is
 * tried again, in a transaction of its own, so that the others are still stored. An item
 * has a result only when its transaction has been committed, or has certainly not been.
 */
#ifndef APP_COMMIT_BATCH_H
#define APP_COMMIT_BATCH_H

#include <stddef.h>

#include "app/commit/command.h"
#include "app/meter.h"

struct batch;

struct batch_item {
    const struct command *command; /* borrowed */
    struct command_result result;
    enum status status; /* as in struct commit */
};

/* database_path is copied. The database is opened when it is needed, and anew after a
 * failure. Transactions are counted in meter. NULL: no memory. */
struct batch *batch_create(const char *database_path, const struct command_kinds *kinds,
                           struct meter meter);

/* Opens the database unless it is open; logs why where that fails. */
void batch_open(struct batch *batch);

/* Whether the database is open: not after a fault. */
bool batch_is_open(const struct batch *batch);

/* Checks that the files of the database are still in their places, see db_guard, and about
 * once a second that it still has this program's schema. Otherwise closes it, and logs what
 * has happened. False: the database is not open now. */
bool batch_guard(struct batch *batch);

/* NULL is allowed. If no other process uses the database, its file is complete without the
 * WAL afterwards. */
void batch_free(struct batch *batch);

/* Carries out all items in their order, and fills in their result and status. Waits at most
 * timeout_ms in all for other writers. */
void batch_commit(struct batch *batch, struct batch_item *items, size_t count,
                  int timeout_ms);

/* Commits a transaction that writes but changes nothing, and so finds out whether a command
 * could be stored now: STATUS_OK, or as a command's status. Takes as long as a commit. */
enum status batch_probe(struct batch *batch, int timeout_ms);

/* Upkeep of the database that can wait until the items have been answered: see db_tidy. */
void batch_tidy(struct batch *batch);

#endif
