/*
 * A cache of facts in memory: values of a fixed size, found by keys of a fixed size.
 *
 * All facts can be forgotten at once, in constant time. A new fact may replace an old one.
 */
#ifndef LIB_FACT_CACHE_H
#define LIB_FACT_CACHE_H

#include <stdbool.h>
#include <stddef.h>

/* The shape of a cache; one constant for each kind of fact. */
struct fact_kind {
    size_t key_bytes; /* a multiple of 8 */
    size_t value_bytes;
    size_t count; /* a power of two, at least 4: of facts that have room */
};

struct fact_cache;

/* kind is borrowed, and identifies the cache. Memory is used only as facts come. NULL: no
 * memory. */
struct fact_cache *fact_cache_create(const struct fact_kind *kind);

/* NULL is allowed. */
void fact_cache_free(struct fact_cache *cache);

const struct fact_kind *fact_cache_kind(const struct fact_cache *cache);

/* Copies the value of key to value; false: it is not known. */
bool fact_cache_find(struct fact_cache *cache, const void *key, void *value);

/* Replaces the value that key has, if it has one. */
void fact_cache_put(struct fact_cache *cache, const void *key, const void *value);

void fact_cache_forget(struct fact_cache *cache);

#endif
