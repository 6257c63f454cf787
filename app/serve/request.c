#include "app/serve/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/serve/client_address.h"
#include "app/serve/exchange.h"
#include "lib/clock.h"
#include "lib/hex.h"

static bool is_acceptable_id(struct span id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789._-";

    if (id.len < 1 || id.len >= REQUEST_ID_BYTES)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (memchr(allowed, id.data[i], sizeof allowed - 1) == NULL)
            return false;
    return true;
}

static void set_id(char out[REQUEST_ID_BYTES], struct span wanted)
{
    struct uuid made;

    if (is_acceptable_id(wanted)) {
        memcpy(out, wanted.data, wanted.len);
        out[wanted.len] = '\0';
        return;
    }
    uuid_make(&made, clock_now_ms());
    uuid_format(&made, out);
}

/* 1 to 255 printable ASCII characters. */
static void set_idempotency_key(struct request *out, const char *header)
{
    struct span key = span_of(header);
    bool acceptable = key.len >= 1 && key.len < sizeof out->idempotency_key;

    for (size_t i = 0; acceptable && i < key.len; i++)
        acceptable = key.data[i] >= ' ' && key.data[i] <= '~';
    out->idempotency_key[0] = '\0';
    out->idempotency_key_invalid = header != NULL && !acceptable;
    if (acceptable)
        (void)snprintf(out->idempotency_key, sizeof out->idempotency_key, "%s", header);
}

/* Decodes %XX in place; anything else stays as it is. */
static size_t percent_decode(char *text, size_t len)
{
    size_t out = 0;

    for (size_t in = 0; in < len; in++) {
        int high = in + 2 < len && text[in] == '%' ? hex_value(text[in + 1]) : -1;
        int low = high >= 0 ? hex_value(text[in + 2]) : -1;
        if (low >= 0) {
            text[out++] = (char)(high << 4 | low);
            in += 2;
        } else {
            text[out++] = text[in];
        }
    }
    return out;
}

/* Where the parameters of a request come from. */
struct source {
    struct fastcgi *fastcgi;
    size_t place;
};

static const char *param(const struct source *source, const char *name)
{
    return fastcgi_param(source->fastcgi, source->place, name);
}

static const char *param_nth(const struct source *source, const char *name, size_t index)
{
    return fastcgi_param_nth(source->fastcgi, source->place, name, index);
}

/* Joins SCRIPT_NAME and PATH_INFO: how a web server divides the path between the two
 * depends on its configuration. */
static enum status set_path(struct request *out, const struct settings *settings,
                            const struct source *source, struct arena *arena)
{
    struct span script = span_of(param(source, "SCRIPT_NAME"));
    struct span info = span_of(param(source, "PATH_INFO"));
    struct span base = span_of(settings->base_path);
    char *path = arena_alloc(arena, script.len + info.len + 1);

    out->path = (struct span){NULL, 0};
    if (path == NULL)
        return STATUS_NO_MEMORY;
    (void)snprintf(path, script.len + info.len + 1, "%s%s",
                   script.len > 0 ? script.data : "", info.len > 0 ? info.data : "");
    size_t len = percent_decode(path, strcspn(path, "?"));
    if (span_equals(base, (struct span){path, base.len < len ? base.len : len}))
        out->path = (struct span){path + base.len, len - base.len};
    return STATUS_OK;
}

/* Joins all headers of that name to one list: a proxy may add one of its own after those
 * that the client has sent, and only the last one can be trusted. */
static enum status join_params(const char **out, const struct source *source,
                               const char *name, struct arena *arena)
{
    const char *one;
    size_t len = 0, used = 0;

    *out = NULL;
    for (size_t i = 0; (one = param_nth(source, name, i)) != NULL; i++)
        len += strlen(one) + 1;
    if (len == 0)
        return STATUS_OK;
    char *all = arena_alloc(arena, len);
    if (all == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; (one = param_nth(source, name, i)) != NULL; i++)
        used += (size_t)snprintf(all + used, len - used, "%s%s", i > 0 ? "," : "", one);
    *out = all;
    return STATUS_OK;
}

static enum status set_address(struct request *out, const struct settings *settings,
                               const struct source *source, struct arena *arena)
{
    const char *forwarded_for;
    enum status status = join_params(&forwarded_for, source, "HTTP_X_FORWARDED_FOR", arena);

    out->address = client_address(param(source, "REMOTE_ADDR"), forwarded_for,
                                  &settings->trusted_proxies);
    return status;
}

/* The announced length; a body that is longer is refused in any case. */
static size_t room_for_body(const struct source *source, size_t max_bytes)
{
    const char *announced = param(source, "CONTENT_LENGTH");
    unsigned long long size = max_bytes;

    if (announced != NULL && announced[0] != '\0')
        size = strtoull(announced, NULL, 10);
    return size < max_bytes ? (size_t)size : max_bytes;
}

static enum status set_body(struct request *out, const struct settings *settings,
                            const struct source *source, struct arena *arena)
{
    size_t size = room_for_body(source, (size_t)settings->max_body_bytes);
    size_t len = 0;
    char *body = arena_alloc(arena, size);

    if (body == NULL)
        return STATUS_NO_MEMORY;
    out->body_status = fastcgi_read_body(source->fastcgi, source->place, body, size, &len);
    out->body = (struct span){body, len};
    return STATUS_OK;
}

enum status request_read(struct exchange *exchange, const struct settings *settings,
                         struct fastcgi *fastcgi)
{
    struct request *out = &exchange->request;
    const struct source source = {fastcgi, exchange->place};

    set_id(out->id, span_of(param(&source, "HTTP_X_REQUEST_ID")));
    set_idempotency_key(out, param(&source, "HTTP_IDEMPOTENCY_KEY"));
    out->method = span_of(param(&source, "REQUEST_METHOD"));
    enum status status = set_address(out, settings, &source, exchange->arena);
    if (status == STATUS_OK)
        status = set_path(out, settings, &source, exchange->arena);
    if (status == STATUS_OK)
        status = set_body(out, settings, &source, exchange->arena);
    return status;
}
