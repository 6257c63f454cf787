/*
 * Memory for one request: allocated in pieces, freed all at once.
 *
 * A build with --enable-sanitize takes every piece from malloc, so that the sanitizers see
 * each of them. Not for use by more than one thread.
 */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stddef.h>

struct arena;

/* An arena that gives at most max_bytes between two resets. NULL: no memory. */
struct arena *arena_create(size_t max_bytes);

/* NULL is allowed. */
void arena_free(struct arena *arena);

/* size bytes, aligned for any type, not set to anything; NULL when the limit is reached or
 * memory is out. Valid until the next arena_reset. */
void *arena_alloc(struct arena *arena, size_t size);

/* The bytes of all pieces since the last reset, with their padding. */
size_t arena_used_bytes(const struct arena *arena);

/* Frees all pieces and wipes their content. */
void arena_reset(struct arena *arena);

#endif
