/*
 * A growing buffer. Its memory is wiped before it is freed, since it may hold a secret.
 */
#ifndef APP_CTL_BUFFER_H
#define APP_CTL_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"

/* All zero: empty. */
struct buffer {
    char *data;
    size_t len, size;
    bool failed; /* memory ran out: everything later is dropped */
};

void buffer_add(struct buffer *buffer, struct span bytes);

/* Makes it empty again, as at first. */
void buffer_free(struct buffer *buffer);

#endif
