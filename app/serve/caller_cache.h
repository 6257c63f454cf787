/*
 * A cache of callers that were accepted recently, shared by all processes of a pool.
 *
 * It saves the look-ups for a caller that sends many requests. Only commands may rely on
 * it, because the transaction that carries them out checks the credentials again. A call
 * that only reads must not: entries are told apart by 64 bits, so a wrong caller could get
 * the answer.
 */
#ifndef APP_SERVE_CALLER_CACHE_H
#define APP_SERVE_CALLER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/caller_rules.h"

enum {
    CALLER_CACHE_MAX = 4096, /* callers; a new one may replace an old one */
    CALLER_CACHE_KEEP_MS = 60 * 1000,
};

struct caller_cache;

/* Before fork. NULL: no memory. */
struct caller_cache *caller_cache_create(void);

/* NULL is allowed. In each process, for its own view. */
void caller_cache_free(struct caller_cache *cache);

/* True when this caller was accepted within CALLER_CACHE_KEEP_MS; fills *caller. */
bool caller_cache_find(struct caller_cache *cache, const struct credentials *credentials,
                       int64_t now_monotonic_ms, struct caller *caller);

void caller_cache_put(struct caller_cache *cache, const struct credentials *credentials,
                      int64_t now_monotonic_ms, const struct caller *caller);

/* To be called when the transaction refused a caller that was found in the cache. */
void caller_cache_remove(struct caller_cache *cache, const struct credentials *credentials);

#endif
