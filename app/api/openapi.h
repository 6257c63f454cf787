/*
 * The description of all calls as an OpenAPI 3.1 document.
 *
 * app/api/reference/openapi.json has what is the same for every table of calls; paths and
 * schemas are made of the table.
 */
#ifndef APP_API_OPENAPI_H
#define APP_API_OPENAPI_H

#include <stdio.h>

#include "app/api/call.h"

extern const struct call openapi_call;

/* Writes the document, with the limits of settings. STATUS_NO_MEMORY: it is not complete.
 * Other failures are the stream's to say (ferror). */
enum status openapi_write(FILE *out, const struct settings *settings);

/* Writes the same with a line for each value. */
enum status openapi_print(FILE *out, const struct settings *settings);

#endif
