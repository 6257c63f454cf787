/*
 * Answers to requests that a caller may repeat: the header Idempotency-Key.
 *
 * The answer to the first request that succeeded is found again by developer key and
 * idempotency key. It is written in the transaction that carries the command out, so one is
 * there exactly when the other is.
 */
#ifndef APP_STORE_IDEMPOTENCY_H
#define APP_STORE_IDEMPOTENCY_H

#include "app/rules/command.h"
#include "lib/db.h"

enum {
    IDEMPOTENCY_ANSWER_BYTES = 64, /* the longest answer that is kept */
};

/* What a former request with the same key left. */
struct idempotency_answer {
    struct secret_hash fingerprint;                /* of its fields */
    unsigned char bytes[IDEMPOTENCY_ANSWER_BYTES]; /* the result of its command */
    size_t len;
};

/* STATUS_OK and *out; STATUS_NOT_FOUND: the command has no key, or it is new; or what the
 * database said. */
enum status idempotency_find(struct idempotency_answer *out, struct db *db,
                             const struct uuid *developer_key_id,
                             const struct command *command);

/* Keeps the answer for at least a day, if the command has a key; forgets a few that are
 * older. Inside the transaction that carries the command out. */
enum status idempotency_keep(struct db *db, const struct uuid *developer_key_id,
                             const struct uuid *org_id, const struct command *command,
                             const void *answer, size_t len);

#endif
