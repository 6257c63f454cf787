/*
 * Committing: one or many commands in one transaction.
 *
 * However many there are, they cost one wait for the disk. One that is refused has written
 * nothing; one that fails spoils the transaction, and then each is carried out once more,
 * alone, so that it takes none of the others along. An item is answered only when the
 * transaction has been committed, or has certainly not been.
 */
#ifndef APP_COMMIT_BATCH_H
#define APP_COMMIT_BATCH_H

#include <stddef.h>

#include "app/commit/command.h"

struct batch;

struct batch_item {
    const struct command *command; /* borrowed */
    struct command_result result;
    enum status status; /* as in struct commit */
};

/* database_path is copied. The database is opened when it is needed, and again after it
 * failed. NULL: no memory. */
struct batch *batch_create(const char *database_path, const struct command_kinds *kinds);

/* Whether the connection to the database is there: not before the first commit, and not
 * after a fault. */
bool batch_is_open(const struct batch *batch);

/* NULL is allowed. Leaves a database behind that is whole by itself, if nobody else is
 * using it. */
void batch_free(struct batch *batch);

/* Carries out all items, in their order, and fills in their result and status. Waits at
 * most timeout_ms for other writers, all in all. */
void batch_commit(struct batch *batch, struct batch_item *items, size_t count,
                  int timeout_ms);

/* What can wait until those items have been answered: see db_tidy. */
void batch_tidy(struct batch *batch);

#endif
