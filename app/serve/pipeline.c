#include "app/serve/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "app/api/help.h"
#include "app/rules/caller_rules.h"
#include "app/serve/input.h"
#include "app/serve/limits.h"
#include "app/store/key_facts.h"
#include "lib/clock.h"
#include "lib/geo.h"
#include "lib/json.h"
#include "lib/log.h"

struct pipeline {
    const struct settings *settings;
    const struct secret_key *key;
    struct reader *reader;
    struct committer *committer;
    struct caller_cache *caller_cache;
    struct limits limits;
    struct geo *geo;
};

static void complain_about_geo(const char *path, const char *sentence)
{
    LOG(LEVEL_WARNING, "geoip_unusable", LOG_TEXT("path", path),
        LOG_TEXT("message", sentence));
}

struct pipeline *pipeline_create(const struct settings *settings,
                                 const struct secret_key *key,
                                 struct caller_cache *caller_cache,
                                 struct throttle *throttle, struct reader *reader,
                                 struct committer *committer)
{
    const struct geo_paths paths = {settings->geoip_country, settings->geoip_city,
                                    settings->geoip_asn};
    struct pipeline *p = calloc(1, sizeof *p);

    if (p == NULL) {
        reader_free(reader);
        committer_free(committer);
        return NULL;
    }
    p->settings = settings;
    p->key = key;
    p->committer = committer;
    p->caller_cache = caller_cache;
    p->limits = (struct limits){.throttle = throttle, .settings = settings};
    p->reader = reader;
    p->geo = geo_create(&paths, complain_about_geo);
    if (p->committer == NULL || p->reader == NULL || p->geo == NULL) {
        pipeline_free(p);
        return NULL;
    }
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    geo_free(p->geo);
    committer_free(p->committer);
    reader_free(p->reader);
    free(p);
}

/* For a failure that is no refusal. */
static void reply_to_failure(struct exchange *x, enum status status)
{
    enum error error = ERROR_UNAVAILABLE;

    if (status == STATUS_UNKNOWN)
        error = ERROR_OUTCOME_UNKNOWN;
    else if (status == STATUS_INTERNAL || status == STATUS_INVALID ||
             status == STATUS_EXISTS)
        error = ERROR_INTERNAL;
    call_refuse(x->call, &x->reply, error);
}

/* Checks header and body, and parses the body. ERROR_NONE: both are in order. */
static enum error parse(struct exchange *x)
{
    const struct request *request = &x->request;
    enum json_kind kind = JSON_BROKEN;

    if (request->idempotency_key_invalid && x->call->command != NULL)
        return ERROR_INVALID_IDEMPOTENCY_KEY;
    if (request->body_status == STATUS_TOO_LARGE)
        return ERROR_BODY_TOO_LARGE;
    if (request->body_status == STATUS_OK)
        kind = json_parse(&x->body, request->body, x->arena);
    if (kind == JSON_OBJECT)
        return ERROR_NONE;
    if (kind == JSON_NO_MEMORY)
        return ERROR_INTERNAL;
    return kind == JSON_OTHER ? ERROR_NO_JSON_OBJECT : ERROR_INVALID_JSON;
}

/* Checks 1 to 6. */
static enum status identify(enum error *refusal, struct exchange *x, struct db *db)
{
    const enum credentials_needed needed = x->call->credentials;
    struct key_facts facts;
    enum status status = key_facts_read(&facts, db, &x->credentials, needed, x->now_ms);

    if (status != STATUS_OK)
        return status;
    x->caller = facts.caller;
    *refusal = caller_judge(&facts, &x->credentials, needed);
    x->identified = *refusal == ERROR_NONE;
    return x->identified ? STATUS_OK : STATUS_REFUSED;
}

/* A request that is repeated by its Idempotency-Key gets its answer even when the quota is
 * used up: sent as a new request, it would be stored a second time. */
static bool was_answered(const struct exchange *x, struct db *db)
{
    return x->command != NULL && x->complaints.error == ERROR_NONE &&
           command_was_answered(x->call->command, db, &x->caller, x->command);
}

static enum status charge(enum error *refusal, struct pipeline *p, struct exchange *x,
                          struct db *db)
{
    if (limits_charge(&p->limits, x) || was_answered(x, db))
        return STATUS_OK;
    *refusal = ERROR_RATE_LIMITED;
    return STATUS_REFUSED;
}

static enum status read_answer(enum error *refusal, struct pipeline *p, struct exchange *x,
                               struct db *db)
{
    const struct reading reading = {
        .db = db,
        .caller = &x->caller,
        .settings = p->settings,
        .arena = x->arena,
        .now_ms = x->now_ms,
    };
    void *answer = arena_alloc(x->arena, x->call->answer_size);

    if (answer == NULL)
        return STATUS_NO_MEMORY;
    memset(answer, 0, x->call->answer_size);
    enum status status = x->call->read(answer, refusal, &reading, x->input);
    if (status != STATUS_OK)
        return status;
    if (*refusal != ERROR_NONE)
        return STATUS_REFUSED;
    call_answer(x->call, &x->reply, answer);
    return STATUS_OK;
}

/* The checks of the call itself and, for a call that reads, its answer. */
static enum status judge(enum error *refusal, struct pipeline *p, struct exchange *x,
                         struct db *db)
{
    if (x->complaints.error != ERROR_NONE) {
        call_complain(&x->reply, &x->complaints);
        return STATUS_REFUSED;
    }
    if (x->command == NULL)
        return read_answer(refusal, p, x, db);
    return command_judge(refusal, x->call->command, db, &x->caller, x->command);
}

/* Makes all checks in their order, in one reading transaction. */
static enum status check_all(struct pipeline *p, struct exchange *x, struct db *db)
{
    enum error refusal = ERROR_NONE;
    enum status status = identify(&refusal, x, db);

    if (status == STATUS_OK)
        status = charge(&refusal, p, x, db);
    if (status == STATUS_OK)
        status = judge(&refusal, p, x, db);
    if (status == STATUS_REFUSED && refusal != ERROR_NONE)
        limits_refuse(&p->limits, x, refusal);
    return status;
}

static enum status check_by_database(struct pipeline *p, struct exchange *x)
{
    struct db *db;
    enum status status = reader_begin(p->reader, &db);

    if (status == STATUS_OK)
        status = check_all(p, x, db);
    reader_end(p->reader, status);
    return status;
}

/* True: the cache knows the caller, and the command goes to the transaction at once, which
 * checks everything. If the fields are wrong or the quota is used up, the order of the
 * checks matters, and the database is read. */
static bool is_good_by_cache(struct pipeline *p, struct exchange *x, int64_t now_ms)
{
    x->identified = caller_cache_find(p->caller_cache, &x->credentials, now_ms, &x->caller);
    return x->identified && x->complaints.error == ERROR_NONE &&
           limits_charge(&p->limits, x);
}

static enum status check(struct pipeline *p, struct exchange *x)
{
    int64_t now_ms = clock_monotonic_ms();

    if (x->command != NULL && is_good_by_cache(p, x, now_ms))
        return STATUS_OK;
    enum status status = check_by_database(p, x);
    if (status == STATUS_OK && x->command != NULL)
        caller_cache_put(p->caller_cache, &x->credentials, now_ms, &x->caller);
    return status;
}

static void start_commit(struct pipeline *p, struct exchange *x)
{
    struct command *command = x->command;

    uuid_make(&command->new_id, command->now_ms);
    geo_lookup(p->geo, &x->request.address, clock_monotonic_ms(), &command->tags);
    committer_start(p->committer, x->place, command,
                    settings_commit_timeout_ms(p->settings), &x->commit);
    x->committing = true;
}

static void serve(struct pipeline *p, struct exchange *x)
{
    int64_t began_us = clock_monotonic_us();
    enum status status = input_read(x, p->settings, p->key);

    if (status == STATUS_OK)
        status = check(p, x);
    if (status == STATUS_OK && x->command != NULL)
        start_commit(p, x);
    else if (status != STATUS_OK && status != STATUS_REFUSED)
        reply_to_failure(x, status);
    if (!x->committing)
        limits_settle(&p->limits, x);
    x->db_us = clock_monotonic_us() - began_us;
}

static void serve_document(struct pipeline *p, struct exchange *x)
{
    enum status status = x->call->document(&x->reply.document, p->settings, x->arena);

    if (status != STATUS_OK)
        reply_to_failure(x, status);
}

static void serve_body(struct pipeline *p, struct exchange *x)
{
    enum error error = parse(x);

    if (error != ERROR_NONE)
        call_refuse(x->call, &x->reply, error);
    else if (help_is_wanted(x->body))
        help_answer(&x->reply, x->call, p->settings);
    else
        serve(p, x);
}

void pipeline_begin(struct pipeline *p, struct exchange *x)
{
    x->reply.head = span_equals(x->request.method, span_of("HEAD"));
    x->call = call_find(x->request.method, x->request.path, &x->reply);
    if (x->call == NULL)
        return;
    if (x->call->document != NULL)
        serve_document(p, x);
    else
        serve_body(p, x);
}

/* The transaction refused a caller that was found in the cache. The writer knows no key
 * file: it may have found no key because the service uses a wrong one, which is no fault of
 * the caller. */
static void reply_to_late_refusal(struct pipeline *p, struct exchange *x)
{
    enum error refusal = x->commit.result.refusal;

    caller_cache_remove(p->caller_cache, &x->credentials);
    if (refusal == ERROR_INVALID_API_KEY && !reader_knows_keys(p->reader))
        reply_to_failure(x, STATUS_UNAVAILABLE);
    else
        limits_refuse(&p->limits, x, refusal);
}

static void present(struct exchange *x)
{
    void *answer = arena_alloc(x->arena, x->call->answer_size);

    if (answer == NULL)
        return; /* response_render fails without data */
    memset(answer, 0, x->call->answer_size);
    x->call->present(answer, x->command, x->commit.result.value);
    call_answer(x->call, &x->reply, answer);
}

static void end(struct pipeline *p, struct exchange *x)
{
    const struct commit *commit = &x->commit;

    /* a caller from the cache may be older than a rotation */
    if (commit->status == STATUS_OK || commit->status == STATUS_REFUSED)
        x->caller.former = commit->result.former;
    if (commit->status == STATUS_OK) {
        x->reply.replayed = commit->result.replayed;
        present(x);
    } else if (commit->status == STATUS_REFUSED) {
        reply_to_late_refusal(p, x);
    } else {
        reply_to_failure(x, commit->status);
    }
    limits_settle(&p->limits, x);
}

bool pipeline_look(struct pipeline *p, struct exchange *x)
{
    committer_look(p->committer, x->place, &x->commit);
    if (!x->commit.done)
        return false;
    x->committing = false;
    x->db_us = clock_monotonic_us() - x->began_us;
    end(p, x);
    return true;
}
