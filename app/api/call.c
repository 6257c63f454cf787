#include "app/api/call.h"

#include <assert.h>
#include <string.h>

#include "app/api/error.h"

/* HEAD is GET without a body (RFC 9110 9.3.2). */
static bool has_method(const struct call *call, struct span method)
{
    return span_equals(method, span_of(call->method)) ||
           (span_equals(method, span_of("HEAD")) && strcmp(call->method, "GET") == 0);
}

static bool is_at(const struct call *call, struct span path, bool documents)
{
    return span_equals(path, span_of(call->path)) && (documents || call->document == NULL);
}

static void refuse_method(struct reply *reply, struct span path, bool documents)
{
    call_refuse(NULL, reply, ERROR_METHOD_NOT_ALLOWED);
    for (size_t i = 0; i < call_count; i++)
        if (is_at(calls[i], path, documents))
            reply_allow(reply, calls[i]->method);
}

const struct call *call_find(struct span method, struct span path, bool documents,
                             struct reply *reply)
{
    bool path_found = false;

    for (size_t i = 0; i < call_count; i++) {
        if (!is_at(calls[i], path, documents))
            continue;
        if (has_method(calls[i], method))
            return calls[i];
        path_found = true;
    }
    if (path_found)
        refuse_method(reply, path, documents);
    else
        call_refuse(NULL, reply, ERROR_UNKNOWN_ENDPOINT);
    return NULL;
}

const struct command_kinds *call_command_kinds(void)
{
    static const struct command_kind *list[CALLS_MAX];
    static struct command_kinds kinds = {.list = list};

    assert(call_count <= CALLS_MAX);
    for (; kinds.count < call_count; kinds.count++)
        list[kinds.count] = calls[kinds.count]->command;
    return &kinds;
}

static size_t text_bytes_of(const struct field *fields, size_t count,
                            const struct settings *settings)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += field_has_text(&fields[i])
                     ? field_max_bytes(&fields[i], settings)
                     : text_bytes_of(fields[i].fields, fields[i].field_count, settings);
    return bytes;
}

size_t call_max_text_bytes(const struct settings *settings)
{
    size_t most = 0;

    for (size_t i = 0; i < call_count; i++) {
        const struct call *call = calls[i];
        size_t bytes = text_bytes_of(call->fields, call->field_count, settings);
        if (call->command != NULL && bytes > most)
            most = bytes;
    }
    return most;
}

uint32_t call_number(const struct call *call)
{
    uint32_t number = 0;

    while (calls[number] != call)
        number++;
    return number;
}

/* The message, "when" and remedy that the call gives an error instead of the common ones;
 * NULL: none. */
static const struct call_error *own_words(const struct call *call, enum error error)
{
    for (size_t i = 0; call != NULL && i < call->error_count; i++)
        if (call->errors[i].error == error)
            return &call->errors[i];
    return NULL;
}

static struct call_error words_of(const struct call *call, enum error error)
{
    const struct call_error *own = own_words(call, error);
    const struct error_text *text = error_text(error);
    struct call_error words = {
        .error = error,
        .message = text->message,
        .when = text->when,
        .remedy = text->remedy,
    };

    if (own != NULL && own->message != NULL)
        words.message = own->message;
    if (own != NULL && own->when != NULL)
        words.when = own->when;
    if (own != NULL && own->remedy != NULL)
        words.remedy = own->remedy;
    return words;
}

bool call_error_is_guess(const struct call *call, enum error error)
{
    const struct call_error *own = own_words(call, error);

    return own == NULL || !own->is_no_guess;
}

void call_refuse(const struct call *call, struct reply *reply, enum error error)
{
    const char *message = words_of(call, error).message;

    reply_fail(reply, error);
    if (message != NULL)
        reply_add_message(reply, message);
}

void call_complain(struct reply *reply, const struct complaints *complaints)
{
    reply_fail(reply, complaints->error);
    for (size_t i = 0; i < complaints->message_count; i++)
        reply_add_message(reply, complaints->messages[i]);
}

void call_answer(const struct call *call, struct reply *reply, const void *answer)
{
    reply->fields = call->answer;
    reply->field_count = call->answer_count;
    reply->values = answer;
}

static bool always(const struct call *call)
{
    (void)call;
    return true;
}

static bool has_body(const struct call *call)
{
    return call->document == NULL;
}

static bool writes(const struct call *call)
{
    return call->command != NULL;
}

static bool needs_api_key(const struct call *call)
{
    return call->credentials == CREDENTIALS_BOTH;
}

static bool needs_secret(const struct call *call)
{
    return call->credentials != CREDENTIALS_NONE;
}

static bool needs_only_secret(const struct call *call)
{
    return call->credentials == CREDENTIALS_SECRET;
}

static bool has_required_fields(const struct call *call)
{
    for (size_t i = 0; i < call->field_count; i++)
        if (call->fields[i].required)
            return true;
    return false;
}

static bool has_fields(const struct call *call)
{
    return call->field_count > 0;
}

/* The checks that the pipeline makes before those of the call, in its order, and the errors
 * that may follow after them. */
struct step {
    enum error error;
    bool (*applies)(const struct call *call);
};

static const struct step before[] = {
    {ERROR_METHOD_NOT_ALLOWED, always},
    {ERROR_INVALID_IDEMPOTENCY_KEY, writes},
    {ERROR_BODY_TOO_LARGE, has_body},
    {ERROR_UNSUPPORTED_ENCODING, has_body},
    {ERROR_INVALID_JSON, has_body},
    {ERROR_NO_JSON_OBJECT, has_body},
    {ERROR_MISSING_API_KEY, needs_api_key},
    {ERROR_INVALID_API_KEY, needs_api_key},
    {ERROR_IP_NOT_WHITELISTED, needs_api_key},
    {ERROR_MISSING_DEVELOPER_SECRET, needs_secret},
    {ERROR_INVALID_DEVELOPER_SECRET, needs_secret},
    {ERROR_IP_NOT_WHITELISTED, needs_only_secret},
    {ERROR_RATE_LIMITED, needs_secret},
    {ERROR_MISSING_FIELDS, has_required_fields},
    {ERROR_INVALID_FIELDS, has_fields},
    {ERROR_IDEMPOTENCY_MISMATCH, writes},
};

static const struct step behind[] = {
    {ERROR_UNAVAILABLE, needs_secret},
    {ERROR_OUTCOME_UNKNOWN, writes},
    {ERROR_INTERNAL, always},
};

static bool is_in(const struct step *steps, size_t count, enum error error)
{
    for (size_t i = 0; i < count; i++)
        if (steps[i].error == error)
            return true;
    return false;
}

static size_t add_steps(const struct call *call, struct call_error *out, size_t used,
                        const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (steps[i].applies(call))
            out[used++] = words_of(call, steps[i].error);
    return used;
}

size_t call_errors(const struct call *call, struct call_error out[CALL_ERRORS_MAX])
{
    const size_t before_count = sizeof before / sizeof before[0];
    const size_t behind_count = sizeof behind / sizeof behind[0];
    size_t count = add_steps(call, out, 0, before, before_count);

    assert(before_count + call->error_count + behind_count <= CALL_ERRORS_MAX);
    for (size_t i = 0; i < call->error_count; i++) {
        enum error error = call->errors[i].error;
        if (!is_in(before, before_count, error) && !is_in(behind, behind_count, error))
            out[count++] = words_of(call, error);
    }
    return add_steps(call, out, count, behind, behind_count);
}
