/*
 * Answers to requests that a caller may repeat: the header Idempotency-Key.
 *
 * The answer to the first successful request is found by developer key and idempotency key.
 * It is written in the same transaction as the command, so it exists exactly when the
 * command was carried out.
 */
#ifndef APP_STORE_IDEMPOTENCY_H
#define APP_STORE_IDEMPOTENCY_H

#include "app/rules/command.h"
#include "lib/db.h"

enum {
    IDEMPOTENCY_ANSWER_BYTES = 64, /* the longest answer that is kept */
};

/* The answer to an earlier request with the same key. */
struct idempotency_answer {
    struct secret_hash fingerprint;                /* of its fields */
    unsigned char bytes[IDEMPOTENCY_ANSWER_BYTES]; /* the result of its command */
    size_t len;
};

/* STATUS_OK and *out; STATUS_NOT_FOUND: the command has no key, or it is new; else the
 * failure of the database. */
enum status idempotency_find(struct idempotency_answer *out, struct db *db,
                             const struct uuid *developer_key_id,
                             const struct command *command);

/* Keeps the answer for at least a day, if the command has a key, and deletes a few older
 * ones. Inside the transaction that carries the command out. */
enum status idempotency_keep(struct db *db, const struct uuid *developer_key_id,
                             const struct uuid *org_id, const struct command *command,
                             const void *answer, size_t len);

#endif
