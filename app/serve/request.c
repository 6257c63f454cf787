#include "app/serve/request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/rules/request_id.h"
#include "app/serve/client_address.h"
#include "app/serve/exchange.h"
#include "lib/clock.h"
#include "lib/prefer.h"

/* The parameters that are used, of those that a web server sends. */
enum param {
    REQUEST_METHOD,
    SCRIPT_NAME,
    PATH_INFO,
    REMOTE_ADDR,
    CONTENT_LENGTH,
    CONTENT_ENCODING,
    X_FORWARDED_FOR,
    X_REQUEST_ID,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    PREFER,
    PARAMS,
};

static const struct span names[PARAMS] = {
    [REQUEST_METHOD] = SPAN("REQUEST_METHOD"),
    [SCRIPT_NAME] = SPAN("SCRIPT_NAME"),
    [PATH_INFO] = SPAN("PATH_INFO"),
    [REMOTE_ADDR] = SPAN("REMOTE_ADDR"),
    [CONTENT_LENGTH] = SPAN("CONTENT_LENGTH"),
    [CONTENT_ENCODING] = SPAN("HTTP_CONTENT_ENCODING"),
    [X_FORWARDED_FOR] = SPAN("HTTP_X_FORWARDED_FOR"),
    [X_REQUEST_ID] = SPAN("HTTP_X_REQUEST_ID"),
    [IDEMPOTENCY_KEY] = SPAN("HTTP_IDEMPOTENCY_KEY"),
    [IF_NONE_MATCH] = SPAN("HTTP_IF_NONE_MATCH"),
    [PREFER] = SPAN("HTTP_PREFER"),
};

/* Returns PARAMS for a name that is not used. */
static enum param param_of(struct span name)
{
    enum param param = 0;

    while (param < PARAMS && !span_equals(names[param], name))
        param++;
    return param;
}

static struct span name_of(const char *one)
{
    return (struct span){one, (size_t)(strchr(one, '=') - one)};
}

/* name: that of the same parameter. */
static struct span value_of(struct span name)
{
    return span_of(name.data + name.len + 1);
}

/* The value of an Idempotency-Key that came several times. */
static const char sent_twice[] = "";

/* Of a name that comes several times, the first value counts. data is NULL where the name
 * was not sent. Of two Idempotency-Keys none counts. */
static void find_params(struct span values[PARAMS], const char *const *sent)
{
    memset(values, 0, PARAMS * sizeof *values);
    for (; *sent != NULL; sent++) {
        struct span name = name_of(*sent);
        enum param param = param_of(name);

        if (param < PARAMS && values[param].data == NULL)
            values[param] = value_of(name);
        else if (param == IDEMPOTENCY_KEY)
            values[param] = span_of(sent_twice);
    }
}

static void set_id(char out[REQUEST_ID_BYTES], struct span wanted)
{
    struct uuid made;

    if (wanted.data != NULL && request_id_is_acceptable(wanted)) {
        memcpy(out, wanted.data, wanted.len);
        out[wanted.len] = '\0';
        return;
    }
    uuid_make(&made, clock_now_ms());
    uuid_format(&made, out);
}

/* It must be 1 to 255 printable ASCII characters. */
static enum reason fault_of_key(struct span key)
{
    if (key.data == sent_twice)
        return REASON_IDEMPOTENCY_KEY_TWICE;
    if (key.len < 1)
        return REASON_IDEMPOTENCY_KEY_EMPTY;
    if (key.len >= IDEMPOTENCY_KEY_BYTES)
        return REASON_IDEMPOTENCY_KEY_TOO_LONG;
    for (size_t i = 0; i < key.len; i++)
        if (key.data[i] < ' ' || key.data[i] > '~')
            return REASON_IDEMPOTENCY_KEY_NOT_PRINTABLE;
    return REASON_NONE;
}

static void set_idempotency_key(struct request *out, struct span key)
{
    out->idempotency_key[0] = '\0';
    if (key.data == NULL)
        return;
    out->idempotency_key_fault = fault_of_key(key);
    if (out->idempotency_key_fault == REASON_NONE) {
        memcpy(out->idempotency_key, key.data, key.len);
        out->idempotency_key[key.len] = '\0';
    }
}

/* How a web server divides the path between SCRIPT_NAME and PATH_INFO depends on its
 * configuration. */
static enum status join_path(struct span *out, struct span script, struct span info,
                             struct arena *arena)
{
    *out = script.len > 0 ? script : info;
    if (script.len == 0 || info.len == 0)
        return STATUS_OK;
    char *path = arena_alloc(arena, script.len + info.len);
    if (path == NULL)
        return STATUS_NO_MEMORY;
    memcpy(path, script.data, script.len);
    memcpy(path + script.len, info.data, info.len);
    *out = (struct span){path, script.len + info.len};
    return STATUS_OK;
}

/* The web server has decoded both parts already (RFC 3875 4.1.5, 4.1.13). Decoded once
 * more, a path could be one that the web server's access rules do not allow. */
static enum status set_path(struct request *out, const struct settings *settings,
                            const struct span values[PARAMS], struct arena *arena)
{
    struct span base = span_of(settings->base_path);
    struct span path;
    enum status status = join_path(&path, values[SCRIPT_NAME], values[PATH_INFO], arena);

    out->path = (struct span){NULL, 0};
    if (status == STATUS_OK && path.len > base.len &&
        span_equals(base, (struct span){path.data, base.len}))
        out->path = (struct span){path.data + base.len, path.len - base.len};
    return status;
}

/* Content codings are compared without regard to case (RFC 9110 8.4.1). */
static bool is_encoded(struct span coding)
{
    return coding.len > 0 && strcasecmp(coding.data, "identity") != 0;
}

static bool is_param(const char *one, enum param param)
{
    return span_equals(name_of(one), names[param]);
}

/* Joins all headers of a name to one list (RFC 9110 5.3). *out is the first of them; data
 * NULL: there is none. */
static enum status join_headers(struct span *out, enum param param, const char *const *sent,
                                struct arena *arena)
{
    size_t size = 0;

    if (out->data == NULL)
        return STATUS_OK;
    for (const char *const *each = sent; *each != NULL; each++)
        if (is_param(*each, param))
            size += value_of(name_of(*each)).len + 1;
    char *list = arena_alloc(arena, size);
    *out = (struct span){list, 0};
    if (list == NULL)
        return STATUS_NO_MEMORY;
    for (const char *const *each = sent; *each != NULL; each++) {
        if (!is_param(*each, param))
            continue;
        struct span value = value_of(name_of(*each));
        if (out->len > 0)
            list[out->len++] = ',';
        memcpy(list + out->len, value.data, value.len);
        out->len += value.len;
    }
    return STATUS_OK;
}

static enum status set_address(struct request *out, const struct settings *settings,
                               const struct span values[PARAMS], const char *const *sent,
                               struct arena *arena)
{
    struct span forwarded_for = values[X_FORWARDED_FOR];
    /* a proxy may add one of its own after those that the client has sent, and only the
     * last one can be trusted */
    enum status status = join_headers(&forwarded_for, X_FORWARDED_FOR, sent, arena);

    out->address =
        client_address(values[REMOTE_ADDR], forwarded_for, &settings->trusted_proxies);
    return status;
}

/* Sets what the client asks of the answer. */
static enum status set_wishes(struct request *out, const struct span values[PARAMS],
                              const char *const *sent, struct arena *arena)
{
    struct span prefer = values[PREFER];
    enum status status;

    out->if_none_match = values[IF_NONE_MATCH];
    status = join_headers(&out->if_none_match, IF_NONE_MATCH, sent, arena);
    if (status == STATUS_OK)
        status = join_headers(&prefer, PREFER, sent, arena);
    out->prefers_strict = prefer_has(prefer, "status", "strict");
    return status;
}

/* The announced length, if there is one; a body that is longer is refused in any case. */
static size_t room_for_body(struct span announced, size_t max_bytes)
{
    unsigned long long size = max_bytes;

    if (announced.len > 0 && announced.data[0] != '-')
        size = strtoull(announced.data, NULL, 10);
    return size < max_bytes ? (size_t)size : max_bytes;
}

static enum status set_body(struct exchange *exchange, const struct settings *settings,
                            struct fastcgi *fastcgi, struct span announced)
{
    struct request *out = &exchange->request;
    size_t size = room_for_body(announced, (size_t)settings->max_body_bytes);
    size_t len = 0;
    char *body = arena_alloc(exchange->arena, size);

    if (body == NULL)
        return STATUS_NO_MEMORY;
    out->body_status = fastcgi_read_body(fastcgi, exchange->place, body, size, &len);
    out->body = (struct span){body, len};
    return STATUS_OK;
}

enum status request_read(struct exchange *exchange, const struct settings *settings,
                         struct fastcgi *fastcgi)
{
    struct request *out = &exchange->request;
    const char *const *sent = fastcgi_params(fastcgi, exchange->place);
    struct span values[PARAMS];

    find_params(values, sent);
    set_id(out->id, values[X_REQUEST_ID]);
    set_idempotency_key(out, values[IDEMPOTENCY_KEY]);
    out->body_is_encoded = is_encoded(values[CONTENT_ENCODING]);
    out->method = values[REQUEST_METHOD];
    out->is_head = span_equals(values[REQUEST_METHOD], span_of("HEAD"));
    enum status status = set_address(out, settings, values, sent, exchange->arena);
    if (status == STATUS_OK)
        status = set_wishes(out, values, sent, exchange->arena);
    if (status == STATUS_OK)
        status = set_path(out, settings, values, exchange->arena);
    if (status == STATUS_OK)
        status = set_body(exchange, settings, fastcgi, values[CONTENT_LENGTH]);
    return status;
}
