/*
 * Memory that processes share: by inheritance, or by the name of a file.
 *
 * It begins as zeros. Whatever is kept there must be sound after any process died at any
 * point, so it holds atomics and no locks.
 */
#ifndef LIB_SHARED_H
#define LIB_SHARED_H

#include <stddef.h>

#include "lib/span.h"
#include "lib/status.h"

/* Memory for this process and those that it forks. It is only used as far as it is written
 * to, so much may be asked for where little is needed. NULL: there is none. */
void *shared_create(size_t bytes);

/*
 * The memory of the file at path, for every process that opens it; a file that is new is
 * made with mode 0600 and begins with head, whose first mark_len bytes tell its kind. Its
 * blocks are taken at once, so that writing to it cannot fill the disk.
 *
 * STATUS_INVALID: the file is of another kind or size. STATUS_UNAVAILABLE: it cannot be
 * made, opened or mapped. why says what to do. Should somebody cut the file off later, the
 * memory goes on as this process's own, with zeros. For that it handles SIGBUS; so at most
 * one file can be open in a process.
 */
enum status shared_open(void **out, const char *path, size_t bytes, struct span head,
                        size_t mark_len, struct problem *why);

/* NULL is allowed. In each process, for its own view. */
void shared_free(void *memory, size_t bytes);

#endif
