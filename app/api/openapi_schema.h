/*
 * The fields of calls as JSON Schema (Draft 2020-12), for the OpenAPI document. The schemas
 * refer to those of app/api/reference/openapi.json.
 *
 * A request's schema allows what fields_read accepts, except that a limit in bytes is told
 * by x-maxBytes alone. An answer's schema allows what fields_render writes, and further
 * members, which may come with later versions.
 */
#ifndef APP_API_OPENAPI_SCHEMA_H
#define APP_API_OPENAPI_SCHEMA_H

#include "app/api/call.h"
#include "lib/json_writer.h"

/* Writes the schema of the body of a request. */
void openapi_put_request(struct json_writer *out, const struct call *call,
                         const struct settings *settings);

/* Writes the schema of a successful answer, envelope included. */
void openapi_put_answer(struct json_writer *out, const struct call *call);

#endif
