#include "app/serve/response.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/api/error.h"
#include "lib/json.h"
#include "lib/status.h"

enum {
    HEADER_MAX_BYTES = 1024,
    LAST_RESORT_BYTES = 512,
    UNAVAILABLE_RETRY_AFTER_S = 1,
};

static const char *reason_phrase(int http_status)
{
    static const struct {
        int http_status;
        const char *phrase;
    } table[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].http_status == http_status)
            return table[i].phrase;
    assert(!"an error table with a status that has no phrase");
    return "";
}

static struct json_object *body_of(struct reply *reply)
{
    struct json_object *body = json_object_new_object();
    struct json_object *data = reply->data;

    reply->data = NULL;
    if (reply->error != ERROR_NONE) {
        json_object_put(data);
        data = json_object_new_array_ext((int)reply->message_count);
        for (size_t i = 0; data != NULL && i < reply->message_count; i++)
            (void)json_object_array_add(data, json_object_new_string(reply->messages[i]));
    }
    const char *word = reply->error == ERROR_NONE ? "success" : "error";
    json_add(body, "data", data);
    json_add(body, "status", json_object_new_string(word));
    return body;
}

struct header {
    char text[HEADER_MAX_BYTES];
    size_t len;
};

static void put_line(struct header *header, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Every header fits: of all its parts a caller chooses only the request id, whose length is
 * limited. */
static void put_line(struct header *header, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(header->text + header->len, sizeof header->text - header->len,
                        format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < sizeof header->text - header->len);
    header->len += (size_t)len;
}

static void put_quota(struct header *header, const struct reply_quota *quota)
{
    if (quota->count == 0)
        return;
    put_line(header, "RateLimit-Policy: \"default\";q=%" PRId64 ";w=%" PRId64 "\r\n",
             quota->count, quota->time_s);
    put_line(header, "RateLimit: \"default\";r=%" PRId64 ";t=%" PRId64 "\r\n", quota->left,
             quota->reset_s);
}

/* The headers that only some answers have. */
static void put_rare_lines(struct header *header, const struct reply *reply)
{
    if (reply->error != ERROR_NONE)
        put_line(header, "X-Error-Code: %s\r\n", reply->code);
    if (reply->error == ERROR_RATE_LIMITED)
        put_line(header, "Retry-After: %" PRId64 "\r\n", reply->retry_after_s);
    else if (reply->http_status == 503)
        put_line(header, "Retry-After: %d\r\n", UNAVAILABLE_RETRY_AFTER_S);
    if (reply->replayed)
        put_line(header, "Idempotency-Replayed: true\r\n");
    if (reply->allow[0] != '\0')
        put_line(header, "Allow: %s\r\n", reply->allow);
    put_quota(header, &reply->quota);
}

static const char *content_type_of(const struct reply *reply)
{
    bool is_document = reply->error == ERROR_NONE && reply->document.content_type != NULL;

    return is_document ? reply->document.content_type : "application/json";
}

/* Every line of the CGI header, and the empty line after it. */
static void render_header(struct header *out, const struct reply *reply,
                          const char *request_id, size_t body_len)
{
    out->len = 0;
    put_line(out,
             "Status: %d %s\r\n"
             "Content-Type: %s\r\n"
             "Content-Length: %zu\r\n"
             "Cache-Control: no-store\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Request-Id: %s\r\n",
             reply->http_status, reason_phrase(reply->http_status), content_type_of(reply),
             body_len, request_id);
    put_rare_lines(out, reply);
    put_line(out, "\r\n");
}

/* Joins header and body. For HEAD the body counts in Content-Length only. */
static enum status join(struct span *out, struct reply *reply, const char *request_id,
                        struct arena *arena, struct span body)
{
    struct header header;
    size_t sent = reply->head ? 0 : body.len;

    render_header(&header, reply, request_id, body.len);
    char *all = arena_alloc(arena, header.len + sent);
    if (all == NULL)
        return STATUS_NO_MEMORY;
    memcpy(all, header.text, header.len);
    if (sent > 0)
        memcpy(all + header.len, body.data, sent);
    *out = (struct span){all, header.len + sent};
    return STATUS_OK;
}

static enum status render(struct span *out, struct reply *reply, const char *request_id,
                          struct arena *arena)
{
    if (reply->error == ERROR_NONE && reply->document.content_type != NULL)
        return join(out, reply, request_id, arena, reply->document.bytes);
    struct json_object *body = body_of(reply);
    struct span text = json_text(body, reply->has_nulls);
    enum status status =
        text.data == NULL ? STATUS_NO_MEMORY : join(out, reply, request_id, arena, text);
    json_object_put(body);
    return status;
}

struct span response_render(struct reply *reply, const char *request_id,
                            struct arena *arena, enum error without_memory)
{
    struct span answer;

    if (render(&answer, reply, request_id, arena) == STATUS_OK)
        return answer;
    reply_fail(reply, without_memory);
    return response_last_resort(without_memory, reply->head);
}

struct span response_last_resort(enum error error, bool head)
{
    static char answer[LAST_RESORT_BYTES];
    const struct error_text *text = error_text(error);
    int len = snprintf(answer, sizeof answer,
                       "Status: %d %s\r\n"
                       "Content-Type: application/json\r\n"
                       "Cache-Control: no-store\r\n"
                       "X-Content-Type-Options: nosniff\r\n"
                       "X-Error-Code: %s\r\n"
                       "\r\n",
                       text->http_status, reason_phrase(text->http_status), text->code);

    if (!head) /* neither message needs an escape */
        len += snprintf(answer + len, sizeof answer - (size_t)len,
                        "{\"data\":[\"%s\"],\"status\":\"error\"}", text->message);
    assert((size_t)len < sizeof answer);
    return (struct span){answer, (size_t)len};
}
