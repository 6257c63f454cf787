#include "app/serve/response.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "app/api/error.h"
#include "app/api/field.h"
#include "lib/decimal.h"
#include "lib/json_writer.h"

enum {
    HEADER_MAX_BYTES = 1536,
    LAST_RESORT_BYTES = 512,
    RETRY_AFTER_S = 1, /* where nobody knows better */
};

static struct span status_line(int http_status)
{
    static const struct {
        int http_status;
        struct span line;
    } table[] = {
        {200, SPAN("Status: 200 OK\r\n")},
        {304, SPAN("Status: 304 Not Modified\r\n")},
        {308, SPAN("Status: 308 Permanent Redirect\r\n")},
        {400, SPAN("Status: 400 Bad Request\r\n")},
        {401, SPAN("Status: 401 Unauthorized\r\n")},
        {403, SPAN("Status: 403 Forbidden\r\n")},
        {404, SPAN("Status: 404 Not Found\r\n")},
        {405, SPAN("Status: 405 Method Not Allowed\r\n")},
        {409, SPAN("Status: 409 Conflict\r\n")},
        {413, SPAN("Status: 413 Content Too Large\r\n")},
        {415, SPAN("Status: 415 Unsupported Media Type\r\n")},
        {422, SPAN("Status: 422 Unprocessable Content\r\n")},
        {429, SPAN("Status: 429 Too Many Requests\r\n")},
        {500, SPAN("Status: 500 Internal Server Error\r\n")},
        {503, SPAN("Status: 503 Service Unavailable\r\n")},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].http_status == http_status)
            return table[i].line;
    assert(!"an error table with a status that has no line");
    return (struct span){"", 0};
}

struct header {
    char text[HEADER_MAX_BYTES];
    size_t len;
};

/* Every header fits: of all its parts a caller chooses only the request id, whose length is
 * limited, and constants are short. */
static inline void put(struct header *header, struct span text)
{
    assert(text.len <= sizeof header->text - header->len);
    memcpy(header->text + header->len, text.data, text.len);
    header->len += text.len;
}

static void put_number(struct header *header, int64_t number)
{
    char digits[DECIMAL_BYTES];

    put(header, decimal(digits, number));
}

static void put_line(struct header *header, struct span name, struct span value)
{
    put(header, name);
    put(header, value);
    put(header, span_of("\r\n"));
}

static void put_number_line(struct header *header, struct span name, int64_t number)
{
    char digits[DECIMAL_BYTES];

    put_line(header, name, decimal(digits, number));
}

static void put_quota(struct header *header, const struct reply_quota *quota)
{
    if (quota->count == 0)
        return;
    put(header, span_of("RateLimit-Policy: \"default\";q="));
    put_number(header, quota->count);
    put_number_line(header, span_of(";w="), quota->time_s);
    put(header, span_of("RateLimit: \"default\";r="));
    put_number(header, quota->left);
    put_number_line(header, span_of(";t="), quota->reset_s);
}

/* The address that the caller has to have allowed. */
static void put_client_address(struct header *header, const struct address *address)
{
    char text[ADDRESS_TEXT_BYTES];
    size_t len = address != NULL ? address_format(address, text) : 0;

    if (len > 0)
        put_line(header, span_of("X-Client-Address: "), (struct span){text, len});
}

static int64_t retry_after_s(const struct reply *reply)
{
    return reply->retry_after_s > 0 ? reply->retry_after_s : RETRY_AFTER_S;
}

/* The headers that only some answers have. */
static void put_rare_lines(struct header *header, const struct reply *reply)
{
    if (reply->error != ERROR_NONE)
        put_line(header, span_of("X-Error-Code: "), span_of(reply->code));
    if (reply->error == ERROR_RATE_LIMITED || reply->http_status == 503)
        put_number_line(header, span_of("Retry-After: "), retry_after_s(reply));
    if (reply->replayed)
        put(header, span_of("Idempotency-Replayed: true\r\n"));
    if (reply->allow[0] != '\0')
        put_line(header, span_of("Allow: "), span_of(reply->allow));
    if (reply->prefers_strict && reply->document.etag == NULL)
        put(header, span_of("Preference-Applied: status=strict\r\n"));
    put_client_address(header, reply->client_address);
    put_quota(header, &reply->quota);
}

static bool is_document(const struct reply *reply)
{
    return reply->error == ERROR_NONE && reply->document.content_type != NULL;
}

static struct span content_type_of(const struct reply *reply)
{
    return is_document(reply) ? span_of(reply->document.content_type)
                              : span_of("application/json");
}

/* A client that keeps a document asks each time whether it is still the same. */
static struct span caching_of(const struct reply *reply)
{
    return is_document(reply) && reply->document.etag != NULL ? span_of("no-cache")
                                                              : span_of("no-store");
}

static void put_document_lines(struct header *header, const struct reply_document *document)
{
    if (document->etag != NULL)
        put_line(header, span_of("ETag: "), span_of(document->etag));
    if (document->location != NULL)
        put_line(header, span_of("Location: "), span_of(document->location));
    if (document->policy != NULL) {
        put_line(header, span_of("Content-Security-Policy: "), span_of(document->policy));
        put(header, span_of("Referrer-Policy: no-referrer\r\n"));
    }
}

/* Every line of the CGI header, and the empty line after it. 304 has no body whose type and
 * length it could tell. */
static void render_header(struct header *out, const struct reply *reply,
                          const char *request_id, size_t body_len)
{
    out->len = 0;
    put(out, status_line(reply->http_status));
    if (reply->http_status != 304) {
        put_line(out, span_of("Content-Type: "), content_type_of(reply));
        put_number_line(out, span_of("Content-Length: "), (int64_t)body_len);
    }
    put_line(out, span_of("Cache-Control: "), caching_of(reply));
    put(out, span_of("X-Content-Type-Options: nosniff\r\n"));
    put_line(out, span_of("X-Request-Id: "), span_of(request_id));
    put_rare_lines(out, reply);
    if (is_document(reply))
        put_document_lines(out, &reply->document);
    put(out, span_of("\r\n"));
}

static void put_messages(struct json_writer *out, const struct reply *reply)
{
    json_open(out, '[');
    for (size_t i = 0; i < reply->message_count; i++)
        json_put_string(out, span_of(reply->messages[i]));
    json_close(out, ']');
}

/* The envelope, with HEADER_MAX_BYTES in front of it. data is NULL without memory, also
 * where there was none for the values. */
static struct span render_body(const struct reply *reply, struct arena *arena)
{
    bool failed = reply->error != ERROR_NONE;
    struct json_writer out;

    if (!failed && reply->values == NULL)
        return (struct span){NULL, 0};
    json_begin(&out, arena, HEADER_MAX_BYTES);
    json_open(&out, '{');
    json_put_name(&out, "data");
    if (failed)
        put_messages(&out, reply);
    else
        fields_render(&out, reply->values, reply->fields, reply->field_count);
    json_put_name(&out, "status");
    json_put_plain(&out, failed ? span_of("error") : span_of("success"));
    json_close(&out, '}');
    return json_written(&out);
}

/* Puts the header in front of the body. For HEAD the body counts in Content-Length only. */
static struct span join(char *body, size_t len, const struct reply *reply,
                        const char *request_id)
{
    struct header header;

    render_header(&header, reply, request_id, len);
    memcpy(body - header.len, header.text, header.len);
    return (struct span){body - header.len, header.len + (reply->head ? 0 : len)};
}

/* The body is copied only where it is sent. */
static struct span render_document(const struct reply *reply, const char *request_id,
                                   struct arena *arena)
{
    struct span body = reply->document.bytes;
    size_t sent = reply->head || reply->http_status == 304 ? 0 : body.len;
    struct header header;
    render_header(&header, reply, request_id, body.len);
    char *all = arena_alloc(arena, header.len + sent);

    if (all == NULL)
        return (struct span){NULL, 0};
    memcpy(all, header.text, header.len);
    if (sent > 0)
        memcpy(all + header.len, body.data, sent);
    return (struct span){all, header.len + sent};
}

static struct span render(const struct reply *reply, const char *request_id,
                          struct arena *arena)
{
    if (is_document(reply))
        return render_document(reply, request_id, arena);
    struct span body = render_body(reply, arena);
    return body.data == NULL
               ? body
               : join((char *)(uintptr_t)body.data, body.len, reply, request_id);
}

struct span response_render(struct reply *reply, const char *request_id,
                            struct arena *arena, enum error without_memory)
{
    struct span answer = render(reply, request_id, arena);

    if (answer.data != NULL)
        return answer;
    reply_fail(reply, without_memory);
    return response_last_resort(without_memory, reply->head);
}

struct span response_last_resort(enum error error, bool head)
{
    static char answers[2][2][LAST_RESORT_BYTES];
    char *answer = answers[error == ERROR_OUTCOME_UNKNOWN][head];
    const struct error_text *text = error_text(error);
    int len = snprintf(answer, LAST_RESORT_BYTES,
                       "%s"
                       "Content-Type: application/json\r\n"
                       "Cache-Control: no-store\r\n"
                       "X-Content-Type-Options: nosniff\r\n"
                       "X-Error-Code: %s\r\n"
                       "\r\n",
                       status_line(text->http_status).data, text->code);

    if (!head) /* neither message needs an escape */
        len += snprintf(answer + len, LAST_RESORT_BYTES - (size_t)len,
                        "{\"data\":[\"%s\"],\"status\":\"error\"}", text->message);
    assert(len < LAST_RESORT_BYTES);
    return (struct span){answer, (size_t)len};
}
