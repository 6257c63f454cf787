#include "app/api/openapi_answers.h"

#include <stdio.h>

#include "app/api/error.h"
#include "app/api/help.h"
#include "app/api/openapi_parts.h"

enum {
    TEXTS_MAX = 128,
    TEXT_BYTES = 1024,
};

/* The answers with one HTTP status. */
struct answers {
    const struct call *call;
    const struct settings *settings;
    bool head;
    int http_status;
    struct call_error errors[CALL_ERRORS_MAX + 1];
    size_t count; /* of errors */
};

/* Texts, each of them once. */
struct texts {
    const char *list[TEXTS_MAX];
    size_t count;
};

static const struct {
    int http_status;
    const char *description;
} statuses[] = {
    {200,
     "The answer to the call, to `{\"help\":true}`, or an error of the published API."},
    {304, "The client has this version of the document."},
    {400, "The request is not in order."},
    {401, "A key is missing or not valid; only with real status codes."},
    {403, "The caller may not do this; only with real status codes."},
    {404, "There is no such path; with real status codes also: no such record."},
    {405, "The path has another method."},
    {409, "What is there already does not fit the request; only with real status codes."},
    {413, "The body is too large."},
    {415, "The body is compressed."},
    {422, "The `Idempotency-Key` belongs to another request."},
    {429, "Too many requests."},
    {500, "A fault of the server."},
    {503, "The server cannot do this now, or does not know whether it has done it."},
};

static bool is_document(const struct call *call)
{
    return call->document != NULL;
}

/* With http_status = strict no error has its published status. */
static bool may_have(const struct answers *answers, enum error error)
{
    const struct error_text *text = error_text(error);

    return text->strict_status == answers->http_status ||
           (!answers->settings->strict_status && text->http_status == answers->http_status);
}

/* Keeps the errors with the status. That the path is unknown is an error of every call. */
static void choose_errors(struct answers *answers)
{
    struct call_error all[CALL_ERRORS_MAX + 1];
    const struct error_text *unknown = error_text(ERROR_UNKNOWN_ENDPOINT);
    size_t count = call_errors(answers->call, all);

    all[count++] = (struct call_error){.error = ERROR_UNKNOWN_ENDPOINT,
                                       .message = unknown->message,
                                       .when = unknown->when,
                                       .remedy = unknown->remedy};
    for (size_t i = 0; i < count; i++)
        if (may_have(answers, all[i].error))
            answers->errors[answers->count++] = all[i];
}

static bool have(const struct answers *answers, enum error error)
{
    for (size_t i = 0; i < answers->count; i++)
        if (answers->errors[i].error == error)
            return true;
    return false;
}

static void add_text(struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->list[i], text) == 0)
            return;
    if (text != NULL && texts->count < TEXTS_MAX)
        texts->list[texts->count++] = text;
}

static void add_field_messages(struct texts *texts, const struct field *fields,
                               size_t count, enum error error)
{
    for (size_t i = 0; i < count; i++) {
        const char *message =
            error == ERROR_MISSING_FIELDS ? fields[i].missing : fields[i].invalid;
        if (message != NULL)
            add_text(texts, message);
        add_field_messages(texts, fields[i].fields, fields[i].field_count, error);
    }
}

/* The fields have the messages of MISSING_FIELDS and INVALID_FIELDS. */
static void add_messages(struct texts *texts, const struct call *call,
                         const struct call_error *error)
{
    if (error->message != NULL)
        add_text(texts, error->message);
    else
        add_field_messages(texts, call->fields, call->field_count, error->error);
}

static void put_texts(struct json_writer *out, const struct texts *texts)
{
    openapi_open_list(out, "enum");
    for (size_t i = 0; i < texts->count; i++)
        json_put_string(out, span_of(texts->list[i]));
    json_close(out, ']');
}

/* ---- Headers ---- */

static void put_header(struct json_writer *out, const char *name)
{
    json_put_name(out, name);
    openapi_put_component(out, "headers", name, "");
}

static void put_error_code(struct json_writer *out, const struct answers *answers)
{
    struct texts codes = {.count = 0};

    for (size_t i = 0; i < answers->count; i++)
        add_text(&codes, error_text(answers->errors[i].error)->code);
    openapi_open(out, "X-Error-Code");
    openapi_put_text(out, "description", "The error, where the answer is one.");
    openapi_put_truth(out, "required", answers->http_status != 200);
    openapi_open(out, "schema");
    openapi_put_text(out, "type", "string");
    put_texts(out, &codes);
    json_close(out, '}');
    json_close(out, '}');
}

static void put_headers(struct json_writer *out, const struct answers *answers)
{
    const struct call *call = answers->call;
    bool fine = answers->http_status < 400;

    put_header(out, "X-Request-Id");
    if (answers->count > 0)
        put_error_code(out, answers);
    if (is_document(call) && fine)
        put_header(out, "ETag");
    else
        put_header(out, "Preference-Applied");
    if (call->credentials != CREDENTIALS_NONE) {
        put_header(out, "RateLimit-Policy");
        put_header(out, "RateLimit");
    }
    if (call->command != NULL && answers->http_status == 200)
        put_header(out, "Idempotency-Replayed");
    if (have(answers, ERROR_IP_NOT_WHITELISTED))
        put_header(out, "X-Client-Address");
    if (answers->http_status == 405)
        put_header(out, "Allow");
    if (answers->http_status == 429 || answers->http_status == 503)
        put_header(out, "Retry-After");
}

/* ---- Bodies ---- */

static void put_error_schema(struct json_writer *out, const struct answers *answers)
{
    struct texts messages = {.count = 0};

    for (size_t i = 0; i < answers->count; i++)
        add_messages(&messages, answers->call, &answers->errors[i]);
    openapi_open_list(out, "allOf");
    openapi_put_component(out, "schemas", "Error", "");
    json_open(out, '{');
    openapi_open(out, "properties");
    openapi_open(out, "data");
    openapi_open(out, "items");
    put_texts(out, &messages);
    json_close(out, '}');
    json_close(out, '}');
    json_close(out, '}');
    json_close(out, '}');
    json_close(out, ']');
}

/* A success, help, or one of the errors that the published API answers with 200. */
static void put_any_schema(struct json_writer *out, const struct answers *answers)
{
    openapi_open_list(out, "anyOf");
    openapi_put_component(out, "schemas", answers->call->name, "Answer");
    openapi_put_component(out, "schemas", "Help", "Answer");
    if (answers->count > 0) {
        json_open(out, '{');
        put_error_schema(out, answers);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_schema(struct json_writer *out, const struct answers *answers)
{
    openapi_open(out, "schema");
    if (answers->http_status >= 400)
        put_error_schema(out, answers);
    else if (is_document(answers->call))
        openapi_put_text(out, "type", "object");
    else
        put_any_schema(out, answers);
    json_close(out, '}');
}

/* ---- Examples ---- */

static void put_success(struct json_writer *out, const struct call *call)
{
    openapi_open(out, "success");
    openapi_put_text(out, "summary", "Success");
    openapi_put_owned(out, "value", help_answer_example(call));
    json_close(out, '}');
}

static void put_error_value(struct json_writer *out, const char *message)
{
    openapi_open(out, "value");
    openapi_open_list(out, "data");
    json_put_string(out, span_of(message));
    json_close(out, ']');
    openapi_put_text(out, "status", "error");
    json_close(out, '}');
}

/* Several errors may have one code, but examples must have different names. */
static void put_example_name(struct json_writer *out, const struct answers *answers,
                             size_t number)
{
    const char *code = error_text(answers->errors[number].error)->code;
    char name[TEXT_BYTES];
    size_t same = 1;

    for (size_t i = 0; i < number; i++)
        same += strcmp(error_text(answers->errors[i].error)->code, code) == 0;
    if (same == 1)
        (void)snprintf(name, sizeof name, "%s", code);
    else
        (void)snprintf(name, sizeof name, "%s-%zu", code, same);
    openapi_open(out, name);
}

static void put_example(struct json_writer *out, const struct answers *answers,
                        size_t number)
{
    const struct call_error *error = &answers->errors[number];
    struct texts messages = {.count = 0};
    char text[TEXT_BYTES];

    add_messages(&messages, answers->call, error);
    put_example_name(out, answers, number);
    openapi_put_text(out, "summary", error_text(error->error)->code);
    (void)snprintf(text, sizeof text, "%s %s", error->when, error->remedy);
    openapi_put_text(out, "description", text);
    put_error_value(out, messages.list[0]);
    json_close(out, '}');
}

static void put_examples(struct json_writer *out, const struct answers *answers)
{
    openapi_open(out, "examples");
    if (answers->http_status == 200)
        put_success(out, answers->call);
    for (size_t i = 0; i < answers->count; i++)
        put_example(out, answers, i);
    json_close(out, '}');
}

static void put_content(struct json_writer *out, const struct answers *answers)
{
    const struct call *call = answers->call;
    bool fine = answers->http_status < 400;

    if (answers->head || answers->http_status == 304)
        return;
    openapi_open(out, "content");
    openapi_open(out, is_document(call) && fine ? call->media_type : "application/json");
    put_schema(out, answers);
    if (!is_document(call) || !fine)
        put_examples(out, answers);
    json_close(out, '}');
    json_close(out, '}');
}

static void put_answer(struct json_writer *out, const struct answers *answers,
                       const char *description)
{
    char status[sizeof "200"];
    bool document = is_document(answers->call) && answers->http_status == 200;

    (void)snprintf(status, sizeof status, "%d", answers->http_status);
    openapi_open(out, status);
    openapi_put_text(out, "description", document ? "The document." : description);
    openapi_open(out, "headers");
    put_headers(out, answers);
    json_close(out, '}');
    put_content(out, answers);
    json_close(out, '}');
}

void openapi_put_answers(struct json_writer *out, const struct call *call,
                         const struct settings *settings, bool head)
{
    json_open(out, '{');
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct answers answers = {.call = call,
                                  .settings = settings,
                                  .head = head,
                                  .http_status = statuses[i].http_status};
        choose_errors(&answers);
        bool fine =
            answers.http_status == 200 || (answers.http_status == 304 && is_document(call));
        if (fine || answers.count > 0)
            put_answer(out, &answers, statuses[i].description);
    }
    json_close(out, '}');
}
