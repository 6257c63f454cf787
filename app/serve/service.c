#include "app/serve/service.h"

#include <stdlib.h>

#include "app/api/call.h"
#include "app/process/containment.h"
#include "app/store/key_mark.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/log.h"

static void complain_about_geo(const char *path, const char *sentence)
{
    LOG(LEVEL_WARNING, "geoip_unusable", LOG_TEXT("path", path),
        LOG_TEXT("message", sentence));
}

struct service *service_create(const struct settings *settings,
                               const struct secret_key *key,
                               struct caller_cache *caller_cache, struct throttle *throttle,
                               struct committer *committer)
{
    const struct geo_paths paths = {settings->geoip_country, settings->geoip_city,
                                    settings->geoip_asn};
    struct service *service = calloc(1, sizeof *service);

    if (service == NULL) {
        committer_free(committer);
        return NULL;
    }
    service->committer = committer;
    service->settings = settings;
    service->key = key;
    service->geo = geo_create(&paths, complain_about_geo);
    service->caller_cache = caller_cache;
    service->throttle = throttle;
    if (service->committer == NULL || service->geo == NULL) {
        service_free(service);
        return NULL;
    }
    return service;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    geo_free(service->geo);
    committer_free(service->committer);
    db_close(service->reader);
    free(service);
}

/* With another key file nobody's key would be found: then it is the database that fails,
 * and not the caller. */
static enum status open_reader(struct service *service, struct problem *why)
{
    const struct settings *settings = service->settings;
    const struct key_mark ours =
        key_mark_of(service->key, settings->secret_key_file, settings->database);
    enum status status = schema_open(&service->reader, settings->database, DB_READ, why);

    if (status != STATUS_OK)
        return status;
    status = key_mark_check(service->reader, &ours, why);
    if (status != STATUS_OK) {
        db_close(service->reader);
        service->reader = NULL;
    }
    return status;
}

struct db *service_reader(struct service *service)
{
    struct problem why = {""};

    if (service->reader != NULL)
        return service->reader;
    service->reader_renewed = true;
    /* outdated: the owner ends, and says so */
    if (open_reader(service, &why) != STATUS_OK && !containment_outdated())
        LOG(LEVEL_ERROR, "database_unavailable", LOG_TEXT("message", why.text));
    return service->reader;
}

void service_read_ended(struct service *service, enum status status)
{
    if (status == STATUS_OK || status == STATUS_REFUSED || status == STATUS_BUSY ||
        service->reader == NULL)
        return;
    LOG(LEVEL_ERROR, "read_failed", LOG_TEXT("status", status_name(status)),
        LOG_TEXT("message", db_message(service->reader)));
    db_close(service->reader);
    service->reader = NULL;
}

bool service_knows_keys(struct service *service)
{
    struct db *db = service_reader(service);

    if (db == NULL)
        return false;
    enum status status = db_read_begin(db);
    if (status == STATUS_OK)
        db_read_end(db);
    service_read_ended(service, status);
    return service_reader(service) != NULL;
}

/* False: the reply says what is wrong with header or body. */
static bool parse_body(struct exchange *x)
{
    const struct request *request = &x->request;
    enum json_kind kind = JSON_BROKEN;

    if (request->idempotency_key_invalid) {
        reply_fail(&x->reply, ERROR_INVALID_IDEMPOTENCY_KEY);
        return false;
    }
    if (request->body_status == STATUS_TOO_LARGE) {
        reply_fail(&x->reply, ERROR_BODY_TOO_LARGE);
        return false;
    }
    if (request->body_status == STATUS_OK)
        kind = json_parse(&x->body, request->body, x->arena);
    if (kind == JSON_NO_MEMORY)
        reply_fail(&x->reply, ERROR_INTERNAL);
    else if (kind != JSON_OBJECT)
        reply_fail(&x->reply,
                   kind == JSON_OTHER ? ERROR_NO_JSON_OBJECT : ERROR_INVALID_JSON);
    return kind == JSON_OBJECT;
}

void service_begin(struct service *service, struct exchange *x)
{
    x->call = call_find(x->request.method, x->request.path, &x->reply);
    if (x->call == NULL || !parse_body(x))
        return;
    int64_t began_us = clock_monotonic_us();
    x->call->begin(service, x);
    x->db_us = clock_monotonic_us() - began_us;
}

bool service_look(struct service *service, struct exchange *x)
{
    committer_look(service->committer, x->place, &x->commit);
    if (!x->commit.done)
        return false;
    x->committing = false;
    x->db_us = clock_monotonic_us() - x->began_us;
    x->call->end(service, x);
    return true;
}
