/*
 * What the parts of the OpenAPI document are written with, beside lib/json_writer.h.
 */
#ifndef APP_API_OPENAPI_PARTS_H
#define APP_API_OPENAPI_PARTS_H

#include <json.h>

#include "lib/json_writer.h"

/* Begins a member that is an object, or an array; json_close ends it. */
void openapi_open(struct json_writer *out, const char *name);
void openapi_open_list(struct json_writer *out, const char *name);

/* Writes a member that is a string, an integer, true or false, or JSON already. */
void openapi_put_text(struct json_writer *out, const char *name, const char *text);
void openapi_put_integer(struct json_writer *out, const char *name, int64_t number);
void openapi_put_truth(struct json_writer *out, const char *name, bool truth);
void openapi_put_json(struct json_writer *out, const char *name, const char *json);

/* Writes a member that is this object (NULL: there was no memory for it), and frees it. */
void openapi_put_owned(struct json_writer *out, const char *name,
                       struct json_object *object);

/* Writes the member $ref, which refers to the component `name` and `suffix` of a kind. */
void openapi_put_reference(struct json_writer *out, const char *kind, const char *name,
                           const char *suffix);

/* Writes an object of nothing but such a member. */
void openapi_put_component(struct json_writer *out, const char *kind, const char *name,
                           const char *suffix);

#endif
