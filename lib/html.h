/*
 * Writes text into HTML, so that none of it is taken for markup. Whether writing failed is
 * the stream's to say (ferror).
 */
#ifndef LIB_HTML_H
#define LIB_HTML_H

#include <stdio.h>

#include "lib/span.h"

/* Text, in an element or between double quotes. */
void html_put(FILE *out, struct span text);

/* The same for a text of our own, whose `code` becomes elements. */
void html_put_prose(FILE *out, const char *text);

#endif
