/*
 * Numbers that many processes count in shared memory.
 *
 * There are blocks of the same numbers, each on cache lines of its own. A process counts in
 * the block of its slot, and the total of a number is the sum over all blocks: so processes
 * that count do not slow each other down, and no total falls when one of them dies and
 * another takes its slot. Where processes have no slots, they share one block in a file.
 *
 * All functions may be called at any time by any process, and none waits. What is read is
 * no snapshot: two numbers may be some nanoseconds apart.
 */
#ifndef LIB_COUNTERS_H
#define LIB_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/span.h"
#include "lib/status.h"

struct counters;

/* For this process and those that it forks; all numbers begin at 0. NULL: no memory. */
struct counters *counters_create(size_t blocks, size_t count);

/* One block in a file, for every process that opens it; see shared_open, also for failures.
 * mark identifies what the numbers mean: a file with another mark or count is refused. */
enum status counters_open(struct counters **out, const char *path, size_t count,
                          struct span mark, struct problem *why);

/* NULL is allowed. In each process, for its own view. */
void counters_free(struct counters *counters);

/* Adds n, which may be a negative number in two's complement. block and number count from
 * 0. */
void counters_add(struct counters *counters, size_t block, size_t number, uint64_t n);

/* For a number that is no counter: replaces it in this block. */
void counters_set(struct counters *counters, size_t block, size_t number, uint64_t value);

/* The sum over all blocks. */
uint64_t counters_sum(const struct counters *counters, size_t number);

#endif
