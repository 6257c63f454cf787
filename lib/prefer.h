/*
 * The request header Prefer (RFC 7240).
 */
#ifndef LIB_PREFER_H
#define LIB_PREFER_H

#include <stdbool.h>

#include "lib/span.h"

/* Whether the header (data NULL: not sent; several of them joined by commas) asks for the
 * preference `name` with this value, which is not empty. Of preferences with the same name
 * the first one counts. Names and values are compared without regard to case; parameters of
 * a preference do not count. */
bool prefer_has(struct span header, const char *name, const char *value);

#endif
