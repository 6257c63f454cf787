/*
 * The answers of calls, a member for each HTTP status, for the OpenAPI document.
 */
#ifndef APP_API_OPENAPI_ANSWERS_H
#define APP_API_OPENAPI_ANSWERS_H

#include "app/api/call.h"
#include "lib/json_writer.h"

/* Writes all answers that the call can give, as an object. head: those to HEAD, which have
 * no body. */
void openapi_put_answers(struct json_writer *out, const struct call *call,
                         const struct settings *settings, bool head);

#endif
