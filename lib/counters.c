#include "lib/counters.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/shared.h"

enum {
    CACHE_LINE_BYTES = 64,
    PER_LINE = CACHE_LINE_BYTES / sizeof(uint64_t),
};

struct counters {
    size_t blocks, count;
    size_t stride; /* numbers from one block to the next: whole cache lines */
    void *memory;
    size_t bytes;
    _Atomic uint64_t *numbers; /* within memory, at the begin of a cache line */
};

_Static_assert(sizeof(_Atomic uint64_t) == sizeof(uint64_t), "no lock beside the number");

static size_t whole_lines(size_t numbers)
{
    return (numbers + PER_LINE - 1) / PER_LINE * PER_LINE;
}

/* Of a given number of bytes in front of the blocks. */
static struct counters *lay_out(size_t blocks, size_t count, size_t head_bytes)
{
    struct counters *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->blocks = blocks;
    c->count = count;
    c->stride = whole_lines(count);
    c->bytes = head_bytes + blocks * c->stride * sizeof(uint64_t);
    return c;
}

struct counters *counters_create(size_t blocks, size_t count)
{
    struct counters *c = lay_out(blocks, count, 0);

    if (c == NULL)
        return NULL;
    c->memory = shared_create(c->bytes);
    if (c->memory == NULL) {
        free(c);
        return NULL;
    }
    c->numbers = c->memory;
    return c;
}

enum status counters_open(struct counters **out, const char *path, size_t count,
                          struct span mark, struct problem *why)
{
    struct counters *c = lay_out(1, count, CACHE_LINE_BYTES);

    *out = NULL;
    if (c == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    enum status status = shared_open(&c->memory, path, c->bytes, mark, mark.len, why);
    if (status != STATUS_OK) {
        free(c);
        return status;
    }
    c->numbers = (void *)((char *)c->memory + CACHE_LINE_BYTES);
    *out = c;
    return STATUS_OK;
}

void counters_free(struct counters *c)
{
    if (c == NULL)
        return;
    shared_free(c->memory, c->bytes);
    free(c);
}

static _Atomic uint64_t *place(const struct counters *c, size_t block, size_t number)
{
    return &c->numbers[block * c->stride + number];
}

void counters_add(struct counters *c, size_t block, size_t number, uint64_t n)
{
    atomic_fetch_add_explicit(place(c, block, number), n, memory_order_relaxed);
}

void counters_set(struct counters *c, size_t block, size_t number, uint64_t value)
{
    atomic_store_explicit(place(c, block, number), value, memory_order_relaxed);
}

uint64_t counters_sum(const struct counters *c, size_t number)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < c->blocks; i++)
        sum += atomic_load_explicit(place(c, i, number), memory_order_relaxed);
    return sum;
}
