/*
 * Texts with gaps.
 *
 * {{NAME}} is a gap, which a function fills. {{?NAME}} leaves out the rest of its line, and
 * the whole line if it stands at the begin of it, unless a function says that NAME holds.
 */
#ifndef LIB_TEMPLATE_H
#define LIB_TEMPLATE_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/span.h"

struct template
{
    void (*text)(FILE * out, struct span text); /* writes what is between the gaps */
    void (*fill)(FILE * out, struct span name, const void *from);
    bool (*holds)(struct span name, const void *from);
};

/* Writes text, a constant that is well formed, and hands `from` to the functions. Whether
 * writing failed is the stream's to say (ferror). */
void template_write(FILE *out, const struct template *how, const char *text,
                    const void *from);

/* As it is: for struct template. */
void template_plain(FILE *out, struct span text);

#endif
