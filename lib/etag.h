/*
 * Entity tags (RFC 9110 8.8.3): what a client keeps, to be told later that it is still the
 * same.
 */
#ifndef LIB_ETAG_H
#define LIB_ETAG_H

#include <stdbool.h>

#include "lib/span.h"

enum {
    ETAG_BYTES = 35, /* with both quotes and its NUL */
};

/* Makes the strong tag of these bytes: a hash of them, in quotes. */
void etag_make(char out[ETAG_BYTES], struct span bytes);

/* Whether the header If-None-Match (data NULL: not sent) names the tag, by weak comparison,
 * or is "*". Of a list that breaks the syntax, what comes before the mistake counts. */
bool etag_is_listed(struct span header, const char *etag);

#endif
