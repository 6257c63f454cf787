#include "app/api/reference_call.h"

#include "app/api/error.h"
#include "app/api/help.h"
#include "app/api/reference_examples.h"
#include "lib/html.h"

const char *reference_title(const struct call *call)
{
    return call->title != NULL ? call->title : call->name;
}

/* Fields */

/* What the fields of a table are written with. */
struct describing {
    const struct settings *settings;
    /* Of fields that are taken: the example of their object, whose values Try it begins
     * with. NULL: there is none. */
    struct json_object *example;
    bool taken;
};

static void put_text_limit(FILE *out, const struct field *field,
                           const struct describing *how)
{
    const size_t max = field_max_bytes(field, how->settings);

    if (how->taken && max != SIZE_MAX)
        (void)fprintf(out, ", at most %zu bytes of UTF-8", max);
}

static void put_range(FILE *out, const struct field *field, const struct describing *how)
{
    if (how->taken)
        (void)fprintf(out, ", %lld to %lld", (long long)field->min, (long long)field->max);
}

static void put_words(FILE *out, const struct field *field, const struct describing *how)
{
    (void)how;
    for (size_t i = 0; field->words[i] != NULL; i++)
        (void)fprintf(out, "%s <code>%s</code>", i > 0 ? "," : "", field->words[i]);
}

static const struct {
    const char *name;  /* for the script */
    const char *title; /* for people */
    void (*put_limit)(FILE *out, const struct field *field, const struct describing *how);
} types[] = {
    [FIELD_ID] = {"id", "UUID", NULL},
    [FIELD_TEXT] = {"text", "string", put_text_limit},
    [FIELD_FLAG] = {"flag", "0 or 1", NULL},
    [FIELD_INTEGER] = {"integer", "integer", put_range},
    [FIELD_WORD] = {"word", "one of", put_words},
    [FIELD_CHANGE] = {"change", "string", put_text_limit},
    [FIELD_BOOLEAN] = {"boolean", "boolean", NULL},
    [FIELD_TIME] = {"time", "RFC 3339 time", NULL},
    [FIELD_OBJECT] = {"object", "object", NULL},
    [FIELD_LIST] = {"list", "list of objects", NULL},
    [FIELD_SECRET] = {"secret", "string", NULL},
};

static void put_words_attribute(FILE *out, const struct field *field)
{
    (void)fputs(" data-words=\"", out);
    for (size_t i = 0; field->words[i] != NULL; i++)
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", field->words[i]);
    (void)fputc('"', out);
}

static void put_attributes(FILE *out, const struct field *field,
                           const struct describing *how)
{
    const size_t max = field_max_bytes(field, how->settings);
    const bool filled = json_object_object_get_ex(how->example, field->name, NULL);

    if (!how->taken)
        return;
    (void)fprintf(out, " data-name=\"%s\" data-type=\"%s\"%s%s", field->name,
                  types[field->type].name, field->required ? " data-required" : "",
                  filled ? " data-filled" : "");
    if (field_has_text(field) && max != SIZE_MAX)
        (void)fprintf(out, " data-max=\"%zu\"", max);
    if (field->type == FIELD_INTEGER)
        (void)fprintf(out, " data-min=\"%lld\" data-max=\"%lld\"", (long long)field->min,
                      (long long)field->max);
    if (field->type == FIELD_WORD)
        put_words_attribute(out, field);
}

static void put_term(FILE *out, const struct field *field, const struct describing *how)
{
    (void)fprintf(out, "<dt><code>%s</code> <span>%s", field->name,
                  types[field->type].title);
    if (types[field->type].put_limit != NULL)
        types[field->type].put_limit(out, field, how);
    (void)fputs(field->nullable ? " or null</span>" : "</span>", out);
    if (how->taken)
        (void)fputs(field->required ? " <b>required</b>" : " <span>optional</span>", out);
    if (field->ours)
        (void)fputs(" <i>extension</i>", out);
    (void)fputs("</dt>\n", out);
}

static void put_json(FILE *out, const char *title, const char *class, const char *json)
{
    if (json == NULL)
        return;
    (void)fprintf(out, " %s: <code%s>", title, class);
    html_put(out, span_of(json));
    (void)fputs("</code>", out);
}

/* The values that explain a field; those of credentials would not. */
static void put_values(FILE *out, const struct field *field, const struct describing *how)
{
    const char *fallback = how->taken ? field->fallback : NULL;

    if (field->type == FIELD_SECRET || (fallback == NULL && field->example == NULL))
        return;
    (void)fputs("<span class=\"more\">", out);
    put_json(out, "Default", "", fallback);
    put_json(out, "Example", " class=\"value\"", field->example);
    (void)fputs("</span>", out);
}

static void put_fields(FILE *out, const struct field *fields, size_t count,
                       const struct describing *how);

static void put_definition(FILE *out, const struct field *field,
                           const struct describing *how)
{
    struct json_object *inside = NULL;
    (void)json_object_object_get_ex(how->example, field->name, &inside);
    const bool has_members = json_object_is_type(inside, json_type_object);
    const struct describing nested = {how->settings, has_members ? inside : NULL,
                                      how->taken};

    (void)fputs("<dd>", out);
    html_put_prose(out, field->description != NULL ? field->description : "");
    if (field->field_count == 0)
        put_values(out, field, how);
    else
        put_fields(out, field->fields, field->field_count, &nested);
    (void)fputs("</dd>\n", out);
}

static void put_rows(FILE *out, const struct field *fields, size_t count,
                     const struct describing *how)
{
    for (size_t i = 0; i < count; i++) {
        (void)fputs("<div", out);
        put_attributes(out, &fields[i], how);
        (void)fputs(">", out);
        put_term(out, &fields[i], how);
        put_definition(out, &fields[i], how);
        (void)fputs("</div>\n", out);
    }
}

static void put_fields(FILE *out, const struct field *fields, size_t count,
                       const struct describing *how)
{
    (void)fputs("\n<dl class=\"fields\">\n", out);
    put_rows(out, fields, count, how);
    (void)fputs("</dl>\n", out);
}

static void put_taken(FILE *out, const struct call *call, const struct settings *settings)
{
    size_t count;
    const struct field *credentials = help_credentials(call, &count);
    struct json_object *example = help_example(call);
    const struct describing how = {settings, example, true};

    (void)fputs("<h3>Fields</h3>\n<dl class=\"fields\">\n", out);
    put_rows(out, credentials, count, &how);
    put_rows(out, call->fields, call->field_count, &how);
    (void)fputs("</dl>\n", out);
    json_object_put(example);
}

static void put_answer(FILE *out, const struct call *call, const struct settings *settings)
{
    const struct describing how = {settings, NULL, false};

    (void)fputs("<h3>Answer, in <code>data</code></h3>", out);
    put_fields(out, call->answer, call->answer_count, &how);
}

/* Errors */

static void put_message(FILE *out, const char *message)
{
    if (message == NULL)
        return;
    (void)fputs("<q>", out);
    html_put(out, span_of(message));
    (void)fputs("</q>\n", out);
}

/* MISSING_FIELDS and INVALID_FIELDS have a message for each field. */
static void put_field_messages(FILE *out, const struct field *fields, size_t count,
                               enum error error)
{
    for (size_t i = 0; i < count; i++) {
        put_message(out,
                    error == ERROR_MISSING_FIELDS ? fields[i].missing : fields[i].invalid);
        put_field_messages(out, fields[i].fields, fields[i].field_count, error);
    }
}

static void put_error(FILE *out, const struct call *call, const struct call_error *error,
                      bool anchor, bool strict)
{
    const struct error_text *text = error_text(error->error);

    (void)fputs("<li", out);
    if (anchor)
        (void)fprintf(out, " id=\"%s-%s\"", call->name, text->code);
    (void)fprintf(out, "><code>%s</code> <span>HTTP %d", text->code,
                  strict ? text->strict_status : text->http_status);
    if (!strict && text->strict_status != text->http_status)
        (void)fprintf(out, ", strict %d", text->strict_status);
    (void)fputs("</span>\n", out);
    if (error->message != NULL)
        put_message(out, error->message);
    else
        put_field_messages(out, call->fields, call->field_count, error->error);
    (void)fputs("<p>", out);
    html_put_prose(out, error->when);
    (void)fputs(" <b>", out);
    html_put_prose(out, error->remedy);
    (void)fputs("</b></p></li>\n", out);
}

/* Several errors may have one code; the first has the anchor. */
static bool is_first_of_code(const struct call_error *errors, size_t i)
{
    const char *code = error_text(errors[i].error)->code;

    for (size_t k = 0; k < i; k++)
        if (strcmp(error_text(errors[k].error)->code, code) == 0)
            return false;
    return true;
}

static void put_errors(FILE *out, const struct call *call, const struct settings *settings)
{
    struct call_error errors[CALL_ERRORS_MAX];
    const size_t count = call_errors(call, errors);

    (void)fputs("<h3>Errors</h3>\n<p>In the order of the checks; the first that fails "
                "answers.</p>\n<ol class=\"errors\">\n",
                out);
    for (size_t i = 0; i < count; i++)
        put_error(out, call, &errors[i], is_first_of_code(errors, i),
                  settings->strict_status);
    (void)fputs("</ol>\n", out);
}

/* The section */

static void put_head(FILE *out, const struct call *call)
{
    (void)fprintf(out, "<div class=\"head\">\n<h2>%s</h2>\n", reference_title(call));
    (void)fprintf(out, "<p class=\"path\"><b>%s</b> <code>%s</code>%s</p>\n<p>",
                  call->method, call->path, call->ours ? " <i>extension</i>" : "");
    html_put_prose(out, call->summary);
    (void)fputs("</p>\n</div>\n", out);
}

void reference_put_call(FILE *out, const struct call *call, const struct settings *settings)
{
    (void)fprintf(out, "<section class=\"call\" id=\"%s\"%s>\n", call->name,
                  call->command != NULL ? " data-writes" : "");
    put_head(out, call);
    (void)fputs("<div class=\"side\">\n", out);
    reference_put_requests(out, call, settings);
    reference_put_answers(out, call, settings);
    (void)fputs("</div>\n<div class=\"details\">\n", out);
    put_taken(out, call, settings);
    put_answer(out, call, settings);
    put_errors(out, call, settings);
    (void)fputs("</div>\n</section>\n", out);
}
