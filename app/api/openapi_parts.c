#include "app/api/openapi_parts.h"

#include <stdio.h>

#include "lib/json.h"

enum {
    REFERENCE_BYTES = 256,
};

void openapi_open(struct json_writer *out, const char *name)
{
    json_put_name(out, name);
    json_open(out, '{');
}

void openapi_open_list(struct json_writer *out, const char *name)
{
    json_put_name(out, name);
    json_open(out, '[');
}

void openapi_put_text(struct json_writer *out, const char *name, const char *text)
{
    json_put_name(out, name);
    json_put_string(out, span_of(text));
}

void openapi_put_integer(struct json_writer *out, const char *name, int64_t number)
{
    json_put_name(out, name);
    json_put_integer(out, number);
}

void openapi_put_truth(struct json_writer *out, const char *name, bool truth)
{
    openapi_put_json(out, name, truth ? "true" : "false");
}

void openapi_put_json(struct json_writer *out, const char *name, const char *json)
{
    json_put_name(out, name);
    json_put_text(out, span_of(json));
}

void openapi_put_owned(struct json_writer *out, const char *name,
                       struct json_object *object)
{
    struct span text = object != NULL ? json_text(object, true) : (struct span){NULL, 0};

    json_put_name(out, name);
    json_put_text(out, text.data != NULL ? text : span_of("{}"));
    out->failed = out->failed || text.data == NULL;
    json_object_put(object);
}

void openapi_put_reference(struct json_writer *out, const char *kind, const char *name,
                           const char *suffix)
{
    char text[REFERENCE_BYTES];

    (void)snprintf(text, sizeof text, "#/components/%s/%s%s", kind, name, suffix);
    openapi_put_text(out, "$ref", text);
}

void openapi_put_component(struct json_writer *out, const char *kind, const char *name,
                           const char *suffix)
{
    json_open(out, '{');
    openapi_put_reference(out, kind, name, suffix);
    json_close(out, '}');
}
