/*
 * The connection over which a worker reads the database.
 *
 * It is opened when it is needed, and closed after a fault, so that the next request starts
 * with a new one.
 */
#ifndef APP_SERVE_READER_H
#define APP_SERVE_READER_H

#include <stdbool.h>

#include "app/settings.h"
#include "lib/db.h"
#include "lib/secret.h"

struct reader;

/* Whether this process can no longer use its files, because others took their place. */
typedef bool reader_outdated(void);

/* settings and key must outlive it. outdated is asked before the log complains about a
 * database that cannot be opened; NULL: such a complaint is always logged. Answers NULL
 * without memory. */
struct reader *reader_create(const struct settings *settings, const struct secret_key *key,
                             reader_outdated *outdated);

/* NULL is allowed. */
void reader_free(struct reader *reader);

/* Opens the connection if it is closed; logs why where that fails. */
void reader_open(struct reader *reader);

/* Closes the connection if files of the database were removed or replaced since. */
void reader_leave_moved(struct reader *reader);

/* Begins a reading transaction: STATUS_OK and *db; else STATUS_UNAVAILABLE or the failure
 * of the database. */
enum status reader_begin(struct reader *reader, struct db **db);

/* Ends it. status: the result of reading; after a fault the connection is closed. */
void reader_end(struct reader *reader, enum status status);

/* Until reader_release, all that is read shares the first transaction, and so one state of
 * the database: for requests that have arrived already, since a caller sees what was
 * answered before it sent its request. */
void reader_hold(struct reader *reader);

void reader_release(struct reader *reader);

/* Whether the database that is at its path now can be read, and belongs to this key
 * file. */
bool reader_knows_keys(struct reader *reader);

/* What the function says that was given as outdated; false without one. */
bool reader_is_outdated(const struct reader *reader);

/* Whether the connection was opened anew, or that failed, since the last call of this
 * function. */
bool reader_was_renewed(struct reader *reader);

#endif
