/*
 * Requests that a caller may repeat: the header Idempotency-Key.
 *
 * The answer to the first request that succeeded is found again by developer key and
 * idempotency key. It was written in the transaction that wrote the note, so one is there
 * exactly when the other is.
 */
#ifndef APP_STORE_IDEMPOTENCY_H
#define APP_STORE_IDEMPOTENCY_H

#include "app/store/note_write.h"

/*
 * Looks for the command's key. STATUS_NOT_FOUND: it has none, or it is new. STATUS_OK: it was
 * used with the same fields, and *result is what was answered, marked as replayed.
 * STATUS_REFUSED with *refusal: it was used with other fields.
 */
enum status idempotency_find(struct note_result *result, enum error *refusal, struct db *db,
                             const struct caller *caller,
                             const struct note_command *command);

/* Keeps the answer for at least a day, if the command has a key; forgets a few that are
 * older. Inside the transaction that writes the note. */
enum status idempotency_keep(struct db *db, const struct caller *caller,
                             const struct note_command *command,
                             const struct note_result *result);

/* Sets the command's fingerprint: a hash of everything that makes it another request. The
 * forms in which a field may be written count as one. */
void idempotency_set_fingerprint(struct note_command *command);

#endif
