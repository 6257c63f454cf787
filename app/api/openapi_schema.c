#include "app/api/openapi_schema.h"

#include "app/api/help.h"
#include "app/api/openapi_parts.h"
#include "app/rules/text_rules.h"

static void put_words(struct json_writer *out, const struct field *field)
{
    openapi_open_list(out, "enum");
    for (size_t i = 0; field->words[i] != NULL; i++)
        json_put_string(out, span_of(field->words[i]));
    json_close(out, ']');
}

/* ---- What is sent ---- */

static void put_string(struct json_writer *out, const char *format)
{
    openapi_put_text(out, "type", "string");
    openapi_put_integer(out, "minLength", 1);
    openapi_put_text(out, "format", format);
}

static void take_id(struct json_writer *out, const struct field *field,
                    const struct settings *settings)
{
    (void)field;
    (void)settings;
    put_string(out, "uuid");
}

/* The component for texts that keep the rule of the field. */
static const char *text_of(const struct field *field)
{
    if (field->rule == NULL)
        return "Text";
    return field->rule == text_rules_email ? "Email" : "Line";
}

static void take_text(struct json_writer *out, const struct field *field,
                      const struct settings *settings)
{
    size_t max_bytes = field_max_bytes(field, settings);

    openapi_put_reference(out, "schemas", text_of(field), "");
    if (max_bytes != SIZE_MAX)
        openapi_put_integer(out, "x-maxBytes", (int64_t)max_bytes);
}

static void take_flag(struct json_writer *out, const struct field *field,
                      const struct settings *settings)
{
    (void)field;
    (void)settings;
    openapi_put_reference(out, "schemas", "Flag", "");
}

static void take_boolean(struct json_writer *out, const struct field *field,
                         const struct settings *settings)
{
    (void)field;
    (void)settings;
    openapi_put_reference(out, "schemas", "Boolean", "");
}

static void take_integer(struct json_writer *out, const struct field *field,
                         const struct settings *settings)
{
    (void)settings;
    openapi_put_text(out, "type", "integer");
    openapi_put_integer(out, "minimum", field->min);
    openapi_put_integer(out, "maximum", field->max);
}

static void take_word(struct json_writer *out, const struct field *field,
                      const struct settings *settings)
{
    (void)settings;
    openapi_put_text(out, "type", "string");
    put_words(out, field);
}

static void take_fields(struct json_writer *out, const struct field *fields, size_t count,
                        const struct settings *settings);

static void put_required(struct json_writer *out, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].required)
            json_put_string(out, span_of(fields[i].name));
}

static void take_object(struct json_writer *out, const struct field *field,
                        const struct settings *settings)
{
    openapi_put_text(out, "type", "object");
    openapi_open_list(out, "required");
    put_required(out, field->fields, field->field_count);
    json_close(out, ']');
    openapi_open(out, "properties");
    take_fields(out, field->fields, field->field_count, settings);
    json_close(out, '}');
}

static void take_secret(struct json_writer *out, const struct field *field,
                        const struct settings *settings)
{
    (void)field;
    (void)settings;
    put_string(out, "password");
}

static void (*const takes[])(struct json_writer *out, const struct field *field,
                             const struct settings *settings) = {
    [FIELD_ID] = take_id,           [FIELD_TEXT] = take_text,
    [FIELD_FLAG] = take_flag,       [FIELD_INTEGER] = take_integer,
    [FIELD_WORD] = take_word,       [FIELD_OBJECT] = take_object,
    [FIELD_SECRET] = take_secret,   [FIELD_CHANGE] = take_text,
    [FIELD_BOOLEAN] = take_boolean,
};

/* What a schema says besides the values that it allows. */
static void put_notes(struct json_writer *out, const struct field *field)
{
    if (field->description != NULL)
        openapi_put_text(out, "description", field->description);
    if (field->fallback != NULL)
        openapi_put_json(out, "default", field->fallback);
    if (field->example != NULL) {
        openapi_open_list(out, "examples");
        json_put_text(out, span_of(field->example));
        json_close(out, ']');
    }
    openapi_put_truth(out, "x-published", !field->ours);
}

/* A field that is not required may also be "" or null; to a text that is changed these are
 * values. */
static void take_optional(struct json_writer *out, const struct field *field,
                          const struct settings *settings)
{
    openapi_open_list(out, "anyOf");
    json_open(out, '{');
    takes[field->type](out, field, settings);
    json_close(out, '}');
    openapi_put_component(out, "schemas",
                          field->type == FIELD_CHANGE ? "Cleared" : "NotSent", "");
    json_close(out, ']');
}

static void take_fields(struct json_writer *out, const struct field *fields, size_t count,
                        const struct settings *settings)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];

        openapi_open(out, field->name);
        put_notes(out, field);
        (field->required ? takes[field->type] : take_optional)(out, field, settings);
        json_close(out, '}');
    }
}

void openapi_put_request(struct json_writer *out, const struct call *call,
                         const struct settings *settings)
{
    size_t count;
    const struct field *credentials = help_credentials(call, &count);

    json_open(out, '{');
    openapi_put_text(out, "type", "object");
    openapi_put_integer(out, "x-maxBytes", settings->max_body_bytes);
    openapi_open_list(out, "required");
    put_required(out, credentials, count);
    put_required(out, call->fields, call->field_count);
    json_close(out, ']');
    openapi_open(out, "properties");
    take_fields(out, credentials, count, settings);
    take_fields(out, call->fields, call->field_count, settings);
    json_close(out, '}');
    json_close(out, '}');
}

/* ---- What is answered ---- */

static void put_type(struct json_writer *out, const struct field *field, const char *type)
{
    json_put_name(out, "type");
    if (field->nullable)
        json_open(out, '[');
    json_put_string(out, span_of(type));
    if (!field->nullable)
        return;
    json_put_string(out, span_of("null"));
    json_close(out, ']');
}

static void give_id(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "string");
    openapi_put_text(out, "format", "uuid");
}

static void give_text(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "string");
}

static void give_time(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "string");
    openapi_put_text(out, "format", "date-time");
}

static void give_flag(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "integer");
    openapi_put_json(out, "enum", "[0,1]");
}

static void give_integer(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "integer");
}

static void give_word(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "string");
    put_words(out, field);
}

static void give_fields(struct json_writer *out, const struct field *fields, size_t count);

static void give_object(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "object");
    give_fields(out, field->fields, field->field_count);
}

static void give_list(struct json_writer *out, const struct field *field)
{
    put_type(out, field, "array");
    openapi_open(out, "items");
    openapi_put_text(out, "type", "object");
    give_fields(out, field->fields, field->field_count);
    json_close(out, '}');
}

static void (*const gives[])(struct json_writer *out, const struct field *field) = {
    [FIELD_ID] = give_id,           [FIELD_TEXT] = give_text, [FIELD_FLAG] = give_flag,
    [FIELD_INTEGER] = give_integer, [FIELD_WORD] = give_word, [FIELD_OBJECT] = give_object,
    [FIELD_LIST] = give_list,       [FIELD_TIME] = give_time,
};

/* Fields are always there, unless something in the request shows them. */
static void give_fields(struct json_writer *out, const struct field *fields, size_t count)
{
    openapi_open_list(out, "required");
    for (size_t i = 0; i < count; i++)
        if (fields[i].shown_by == 0)
            json_put_string(out, span_of(fields[i].name));
    json_close(out, ']');
    openapi_open(out, "properties");
    for (size_t i = 0; i < count; i++) {
        openapi_open(out, fields[i].name);
        put_notes(out, &fields[i]);
        gives[fields[i].type](out, &fields[i]);
        json_close(out, '}');
    }
    json_close(out, '}');
}

void openapi_put_answer(struct json_writer *out, const struct call *call)
{
    json_open(out, '{');
    openapi_put_text(out, "type", "object");
    openapi_put_json(out, "required", "[\"data\",\"status\"]");
    openapi_open(out, "properties");
    openapi_open(out, "data");
    openapi_put_text(out, "type", "object");
    give_fields(out, call->answer, call->answer_count);
    json_close(out, '}');
    openapi_put_json(out, "status", "{\"type\":\"string\",\"const\":\"success\"}");
    json_close(out, '}');
    json_close(out, '}');
}
