/*
 * The part of the reference about one call.
 */
#ifndef APP_API_REFERENCE_CALL_H
#define APP_API_REFERENCE_CALL_H

#include <stdio.h>

#include "app/api/call.h"

/* The title for people; the name where there is none. */
const char *reference_title(const struct call *call);

/* Writes the section of a call: text, examples, fields, answer, errors. The script of the
 * page makes the form "Try it" of the attributes data-* of the fields. */
void reference_put_call(FILE *out, const struct call *call,
                        const struct settings *settings);

#endif
