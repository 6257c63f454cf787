#include "app/api/help.h"

#include <string.h>

#include "app/api/error.h"
#include "lib/json.h"

static const struct field credential_fields[] = {
    {.name = "api_key",
     .type = FIELD_SECRET,
     .required = true,
     .description = "The API key of a member of the organization.",
     .example = "\"YOUR_API_KEY\""},
    {.name = "developer_secret",
     .type = FIELD_SECRET,
     .required = true,
     .description = "The secret of your program's developer key.",
     .example = "\"YOUR_DEVELOPER_SECRET\""},
};

static const char *const type_names[] = {
    [FIELD_ID] = "string",       [FIELD_TEXT] = "string",   [FIELD_FLAG] = "integer",
    [FIELD_INTEGER] = "integer", [FIELD_WORD] = "string",   [FIELD_OBJECT] = "object",
    [FIELD_LIST] = "array",      [FIELD_SECRET] = "string", [FIELD_CHANGE] = "string",
    [FIELD_BOOLEAN] = "boolean", [FIELD_TIME] = "string",
};

const struct field *help_credentials(const struct call *call, size_t *count)
{
    *count = call->credentials == CREDENTIALS_BOTH     ? 2
             : call->credentials == CREDENTIALS_SECRET ? 1
                                                       : 0;
    return call->credentials == CREDENTIALS_SECRET ? &credential_fields[1]
                                                   : credential_fields;
}

bool help_is_wanted(struct json_object *body)
{
    struct json_object *value = NULL;

    return json_object_object_length(body) == 1 &&
           json_object_object_get_ex(body, "help", &value) &&
           json_object_is_type(value, json_type_boolean) && json_object_get_boolean(value);
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        json_add(object, name, json_object_new_string(text));
}

/* text is JSON from the tables. */
static void add_json(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        json_add(object, name, json_tokener_parse(text));
}

static struct json_object *words_of(const struct field *field)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array != NULL && field->words[i] != NULL; i++)
        (void)json_object_array_add(array, json_object_new_string(field->words[i]));
    return array;
}

static struct json_object *describe_all(const struct field *fields, size_t count,
                                        const struct settings *settings);

static void add_limits(struct json_object *object, const struct field *field,
                       const struct settings *settings)
{
    if (field_has_text(field) && field_max_bytes(field, settings) != SIZE_MAX)
        json_add(object, "maximum",
                 json_object_new_int64((int64_t)field_max_bytes(field, settings)));
    if (field->type == FIELD_INTEGER)
        json_add(object, "maximum", json_object_new_int64(field->max));
    if (field->type == FIELD_WORD)
        json_add(object, "values", words_of(field));
    if (field->field_count > 0)
        json_add(object, "parameters",
                 describe_all(field->fields, field->field_count, settings));
}

static struct json_object *describe(const struct field *field,
                                    const struct settings *settings)
{
    struct json_object *object = json_object_new_object();

    add_text(object, "name", field->name);
    add_text(object, "type", type_names[field->type]);
    json_add(object, "required", json_object_new_boolean(field->required));
    add_text(object, "description", field->description);
    add_json(object, "default", field->fallback);
    add_limits(object, field, settings);
    add_json(object, "example", field->example);
    return object;
}

static void add_descriptions(struct json_object *array, const struct field *fields,
                             size_t count, const struct settings *settings)
{
    for (size_t i = 0; array != NULL && i < count; i++)
        (void)json_object_array_add(array, describe(&fields[i], settings));
}

static struct json_object *describe_all(const struct field *fields, size_t count,
                                        const struct settings *settings)
{
    struct json_object *array = json_object_new_array();

    add_descriptions(array, fields, count, settings);
    return array;
}

static struct json_object *parameters_of(const struct call *call,
                                         const struct settings *settings)
{
    size_t count;
    const struct field *credentials = help_credentials(call, &count);
    struct json_object *array = describe_all(credentials, count, settings);

    add_descriptions(array, call->fields, call->field_count, settings);
    return array;
}

/* Takes ownership of value. */
static struct json_object *list_of(struct json_object *value)
{
    struct json_object *array = json_object_new_array();

    if (array == NULL || json_object_array_add(array, value) != 0)
        json_object_put(value);
    return array;
}

static void add_example(struct json_object *object, const struct field *field);

static void add_examples(struct json_object *object, const struct field *fields,
                         size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_example(object, &fields[i]);
}

/* Objects and lists without an example of their own have those of their fields. */
static void add_example(struct json_object *object, const struct field *field)
{
    if (field->example != NULL || field->field_count == 0) {
        add_json(object, field->name, field->example);
        return;
    }
    struct json_object *inside = json_object_new_object();
    add_examples(inside, field->fields, field->field_count);
    json_add(object, field->name, field->type == FIELD_LIST ? list_of(inside) : inside);
}

struct json_object *help_example(const struct call *call)
{
    struct json_object *object = json_object_new_object();
    size_t count;
    const struct field *credentials = help_credentials(call, &count);

    add_examples(object, credentials, count);
    for (size_t i = 0; i < call->field_count; i++)
        if (call->fields[i].required || call->fields[i].fallback != NULL)
            add_examples(object, &call->fields[i], 1);
    return object;
}

struct json_object *help_answer_example(const struct call *call)
{
    struct json_object *object = json_object_new_object();
    struct json_object *data = json_object_new_object();

    add_examples(data, call->answer, call->answer_count);
    json_add(object, "data", data);
    add_text(object, "status", "success");
    return object;
}

static struct json_object *describe_error(const struct call_error *error,
                                          const char *message,
                                          const struct settings *settings)
{
    struct json_object *object = json_object_new_object();
    const struct error_text *text = error_text(error->error);

    add_text(object, "code", text->code);
    json_add(object, "http_status",
             json_object_new_int(settings->strict_status ? text->strict_status
                                                         : text->http_status));
    add_text(object, "message", message);
    add_text(object, "resolution", error->remedy);
    return object;
}

static const char *message_about(const struct field *field, enum error error)
{
    return error == ERROR_MISSING_FIELDS ? field->missing : field->invalid;
}

/* The fields have the messages of MISSING_FIELDS and INVALID_FIELDS. */
static void add_field_errors(struct json_object *array, const struct field *fields,
                             size_t count, const struct call_error *error,
                             const struct settings *settings)
{
    for (size_t i = 0; i < count; i++) {
        const char *message = message_about(&fields[i], error->error);
        if (message != NULL)
            (void)json_object_array_add(array, describe_error(error, message, settings));
        add_field_errors(array, fields[i].fields, fields[i].field_count, error, settings);
    }
}

static struct json_object *errors_of(const struct call *call,
                                     const struct settings *settings)
{
    struct call_error errors[CALL_ERRORS_MAX];
    size_t count = call_errors(call, errors);
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array != NULL && i < count; i++)
        if (errors[i].message == NULL)
            add_field_errors(array, call->fields, call->field_count, &errors[i], settings);
        else
            (void)json_object_array_add(
                array, describe_error(&errors[i], errors[i].message, settings));
    return array;
}

static struct json_object *describe_call(const struct call *call,
                                         const struct settings *settings)
{
    struct json_object *data = json_object_new_object();

    add_text(data, "method", call->method);
    add_text(data, "path", call->path);
    add_text(data, "summary", call->summary);
    json_add(data, "parameters", parameters_of(call, settings));
    json_add(data, "example", help_example(call));
    json_add(data, "answer", help_answer_example(call));
    json_add(data, "errors", errors_of(call, settings));
    return data;
}

enum status help_answer(struct reply *reply, const struct call *call,
                        const struct settings *settings, struct arena *arena)
{
    struct json_object *body = json_object_new_object();

    json_add(body, "data", describe_call(call, settings));
    add_text(body, "status", "success");
    struct span text = body != NULL ? json_text(body, true) : (struct span){NULL, 0};
    char *copy = text.data != NULL ? arena_alloc(arena, text.len) : NULL;
    if (copy != NULL)
        memcpy(copy, text.data, text.len);
    json_object_put(body);
    reply->document = (struct reply_document){.content_type = "application/json",
                                              .bytes = {copy, text.len}};
    return copy != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
