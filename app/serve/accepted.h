/*
 * A memory of callers that were accepted a moment ago, shared by all processes of a pool.
 *
 * It saves the look-ups for a caller who sends many requests. Nothing depends on it being
 * right: whatever it lets pass is checked again inside the transaction that writes.
 */
#ifndef APP_SERVE_ACCEPTED_H
#define APP_SERVE_ACCEPTED_H

#include <stdbool.h>
#include <stdint.h>

#include "app/store/access.h"

enum {
    ACCEPTED_MAX = 4096, /* callers; a new one may push out an old one */
    ACCEPTED_FOR_MS = 60 * 1000,
};

struct accepted;

/* Before fork. NULL: no memory. */
struct accepted *accepted_create(void);

/* NULL is allowed. In each process, for its own view. */
void accepted_free(struct accepted *accepted);

/* True when this caller was accepted within ACCEPTED_FOR_MS; fills *caller. */
bool accepted_find(struct accepted *accepted, const struct credentials *credentials,
                   int64_t now_monotonic_ms, struct caller *caller);

void accepted_remember(struct accepted *accepted, const struct credentials *credentials,
                       int64_t now_monotonic_ms, const struct caller *caller);

/* To be called when the transaction refused what the memory had let pass. */
void accepted_forget(struct accepted *accepted, const struct credentials *credentials);

#endif
