#include "autoconfig.h"

#include "lib/arena.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
#ifdef ARENA_MALLOC
    CHUNK_BYTES = 0, /* no piece fits, so each gets a chunk of exactly its size */
#else
    CHUNK_BYTES = 65536,
#endif
    ALIGNMENT = alignof(max_align_t),
    WIPE_BYTES = 1024,
};

struct chunk {
    struct chunk *next;
    size_t size; /* bytes in data */
    size_t used; /* bytes of them in use */
    alignas(max_align_t) unsigned char data[];
};

struct arena {
    size_t max_bytes;
    size_t used_bytes;   /* all pieces with their padding, at most max_bytes */
    struct chunk *small; /* pieces come from the head; the last survives arena_reset */
    struct chunk *large; /* of one piece each */
};

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static struct chunk *chunk_create(size_t size, struct chunk *next)
{
    if (size > SIZE_MAX - sizeof(struct chunk))
        return NULL;
    struct chunk *chunk = malloc(sizeof *chunk + size);

    if (chunk != NULL)
        *chunk = (struct chunk){.next = next, .size = size};
    return chunk;
}

struct arena *arena_create(size_t max_bytes)
{
    struct arena *arena = malloc(sizeof *arena);
    struct chunk *chunk = chunk_create(smaller(max_bytes, CHUNK_BYTES), NULL);

    if (arena == NULL || chunk == NULL) {
        free(arena);
        free(chunk);
        return NULL;
    }
    *arena = (struct arena){.max_bytes = max_bytes, .small = chunk};
    return arena;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    arena_reset(arena);
    free(arena->small);
    free(arena);
}

/* size and the padding that aligns the next piece, but at most what is available. */
static size_t padded(size_t size, size_t available)
{
    size_t padding = (ALIGNMENT - size % ALIGNMENT) % ALIGNMENT;

    return size + smaller(padding, available - size);
}

/* A chunk with room for size bytes. A large piece gets a chunk of its own, so that the rest
 * of the current chunk can still be used. */
static struct chunk *chunk_for(struct arena *arena, size_t size)
{
    struct chunk **list = &arena->small;
    bool is_large = size > CHUNK_BYTES / 4;

    if (size <= arena->small->size - arena->small->used)
        return arena->small;
    if (is_large)
        list = &arena->large;
    struct chunk *chunk = chunk_create(is_large ? size : CHUNK_BYTES, *list);
    if (chunk != NULL)
        *list = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t available = arena->max_bytes - arena->used_bytes;

    if (size == 0)
        size = 1;
    if (size > available)
        return NULL;
    struct chunk *chunk = chunk_for(arena, size);
    if (chunk == NULL)
        return NULL;
    void *piece = chunk->data + chunk->used;
    chunk->used += padded(size, chunk->size - chunk->used);
    arena->used_bytes += padded(size, available);
    return piece;
}

size_t arena_used_bytes(const struct arena *arena)
{
    return arena->used_bytes;
}

/* Wipes what was used of a chunk, in pieces for which memset(3) does not take the string
 * instructions of the processor, which start slowly. */
static void wipe(struct chunk *chunk)
{
    for (size_t at = 0; at < chunk->used; at += WIPE_BYTES)
        explicit_bzero(chunk->data + at, smaller(chunk->used - at, WIPE_BYTES));
}

/* Wipes and frees the chunks of a list before last. */
static void free_until(struct chunk **list, const struct chunk *last)
{
    while (*list != last) {
        struct chunk *chunk = *list;

        *list = chunk->next;
        wipe(chunk);
        free(chunk);
    }
}

void arena_reset(struct arena *arena)
{
    struct chunk *last = arena->small;

    while (last->next != NULL)
        last = last->next;
    free_until(&arena->small, last);
    free_until(&arena->large, NULL);
    wipe(last);
    last->used = 0;
    arena->used_bytes = 0;
}
