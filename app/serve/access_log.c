#include "app/serve/access_log.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

/* Writes the names of the fields that an error is about, separated by commas. */
static void list_fields(char out[LOG_FIELD_BYTES], const struct reply *reply)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < reply->message_count && used < LOG_FIELD_BYTES; i++)
        if (reply->fields[i] != NULL)
            used += (size_t)snprintf(out + used, LOG_FIELD_BYTES - used, "%s%s",
                                     used > 0 ? "," : "", reply->fields[i]);
}

/* Logs that a former secret was used, which works until until_ms; 0: it was not a former
 * one. */
static void warn_of_former(const struct exchange *x, const char *key_name,
                           const struct uuid *key_id, int64_t until_ms)
{
    if (until_ms == 0)
        return;
    LOG(LEVEL_WARNING, "former_secret_used", LOG_TEXT("request_id", x->request.id),
        LOG_ADDRESS("remote_addr", &x->request.address), LOG_UUID(key_name, key_id),
        LOG_TIME("until", until_ms));
}

static void warn_of_former_secrets(const struct exchange *x)
{
    const struct caller *caller = &x->caller;

    warn_of_former(x, "apikey_id", &caller->api_key_id, caller->former.api_key_until_ms);
    warn_of_former(x, "devkey_id", &caller->developer_key_id,
                   caller->former.secret_until_ms);
}

/* A question mark that the client has encoded is in the path, and what follows may be meant
 * as a query, which may hold keys. */
static struct span without_query(struct span path)
{
    const char *mark = path.len > 0 ? memchr(path.data, '?', path.len) : NULL;

    return (struct span){path.data, mark != NULL ? (size_t)(mark - path.data) : path.len};
}

static void log_request(const struct exchange *x, size_t bytes)
{
    const struct request *request = &x->request;
    const struct reply *reply = &x->reply;
    char fields[LOG_FIELD_BYTES];

    list_fields(fields, reply);
    LOG(reply->http_status < 500 ? LEVEL_INFO : LEVEL_ERROR, "request",
        LOG_TEXT("request_id", request->id), LOG_ADDRESS("remote_addr", &request->address),
        LOG_SPAN("method", request->method), LOG_SPAN("path", without_query(request->path)),
        LOG_UUID("org_id", &x->caller.org_id),
        LOG_UUID("devkey_id", &x->caller.developer_key_id), LOG_TEXT("code", reply->code),
        LOG_TEXT("instead_of", reply->hidden_code), LOG_TEXT("fields", fields),
        LOG_NUMBER("http_status", reply->http_status), LOG_NUMBER("bytes", (int64_t)bytes),
        LOG_NUMBER("dur_us", clock_monotonic_us() - x->began_us),
        LOG_NUMBER("db_us", x->db_us));
}

void access_log_write(const struct exchange *x, size_t bytes)
{
    warn_of_former_secrets(x);
    log_request(x, bytes);
}
