#include "app/serve/reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"

enum {
    HEADER_MAX_BYTES = 1024,
    UNAVAILABLE_RETRY_AFTER_S = 1,
};

void reply_fail(struct reply *reply, enum error error)
{
    reply->error = error;
    reply->message_count = 0;
    if (error_text(error)->message != NULL)
        reply_add_message(reply, error_text(error)->message, NULL);
}

void reply_add_message(struct reply *reply, const char *message, const char *field)
{
    assert(reply->message_count < REPLY_MESSAGES_MAX);
    reply->fields[reply->message_count] = field;
    reply->messages[reply->message_count++] = message;
}

int reply_http_status(const struct reply *reply)
{
    return reply->error == ERROR_NONE ? 200 : error_text(reply->error)->http_status;
}

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

/* The longest header fits: callers decide about the request id only, and its length is
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

/* What only some answers have. */
static void put_rare_lines(struct header *header, const struct reply *reply)
{
    if (reply->error != ERROR_NONE)
        put_line(header, "X-Error-Code: %s\r\n", error_text(reply->error)->code);
    if (reply->error == ERROR_RATE_LIMITED)
        put_line(header, "Retry-After: %" PRId64 "\r\n", reply->retry_after_s);
    else if (reply_http_status(reply) == 503)
        put_line(header, "Retry-After: %d\r\n", UNAVAILABLE_RETRY_AFTER_S);
    if (reply->replayed)
        put_line(header, "Idempotency-Replayed: true\r\n");
    if (reply->allow != NULL)
        put_line(header, "Allow: %s\r\n", reply->allow);
    put_quota(header, &reply->quota);
}

/* Every line of the CGI header, and the empty one behind it. */
static void render_header(struct header *out, const struct reply *reply,
                          const char *request_id, size_t body_len)
{
    int status = reply_http_status(reply);

    out->len = 0;
    put_line(out,
             "Status: %d %s\r\n"
             "Content-Type: application/json\r\n"
             "Content-Length: %zu\r\n"
             "Cache-Control: no-store\r\n"
             "X-Content-Type-Options: nosniff\r\n"
             "X-Request-Id: %s\r\n",
             status, reason_phrase(status), body_len, request_id);
    put_rare_lines(out, reply);
    put_line(out, "\r\n");
}

enum status reply_render(struct reply *reply, const char *request_id, struct arena *arena,
                         struct span *out)
{
    struct header header;
    struct json_object *body = body_of(reply);
    struct span text = json_text(body, false);

    *out = (struct span){NULL, 0};
    render_header(&header, reply, request_id, text.len);
    char *all = text.data != NULL ? arena_alloc(arena, header.len + text.len) : NULL;
    if (all != NULL) {
        memcpy(all, header.text, header.len);
        memcpy(all + header.len, text.data, text.len);
        *out = (struct span){all, header.len + text.len};
    }
    json_object_put(body);
    return all != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}
