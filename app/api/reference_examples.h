/*
 * The examples of the reference: a request in each language, and answers.
 */
#ifndef APP_API_REFERENCE_EXAMPLES_H
#define APP_API_REFERENCE_EXAMPLES_H

#include <stdio.h>

#include "app/api/call.h"

/* Writes where the API is. The script of the page replaces it by where the page is. */
void reference_put_base(FILE *out, const struct settings *settings);

/* Writes the requests, of which the page shows one at a time. */
void reference_put_requests(FILE *out, const struct call *call,
                            const struct settings *settings);

/* Writes an answer of success and one of an error. */
void reference_put_answers(FILE *out, const struct call *call,
                           const struct settings *settings);

#endif
