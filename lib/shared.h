/*
 * Memory that processes share: by inheritance, or by the name of a file.
 *
 * It begins as zeros. A process may die at any point, so users keep atomics in it and no
 * locks.
 */
#ifndef LIB_SHARED_H
#define LIB_SHARED_H

#include <stddef.h>

#include "lib/span.h"
#include "lib/status.h"

enum {
    SHARED_FILES_MAX = 2, /* that can be open in a process at the same time */
};

/* Memory for this process and those that it forks. It is only used as far as it is written
 * to, so much may be asked for where little is needed. NULL: there is none. */
void *shared_create(size_t bytes);

/*
 * Maps the file at path, for every process that opens it. A new file is made with mode 0600
 * and begins with head, whose first mark_len bytes identify its kind. Its blocks are
 * allocated at once, so that writing to the memory later cannot fail for lack of space.
 *
 * STATUS_INVALID: the file is of another kind or size. STATUS_UNAVAILABLE: it cannot be
 * made, opened or mapped. why says what to do. If the file is truncated later, the memory
 * becomes private to this process and zero (see lib/mapped.h).
 */
enum status shared_open(void **out, const char *path, size_t bytes, struct span head,
                        size_t mark_len, struct problem *why);

/* NULL is allowed. In each process, for its own view. */
void shared_free(void *memory, size_t bytes);

#endif
