#include "app/serve/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "app/api/help.h"
#include "app/rules/caller_rules.h"
#include "app/serve/documents.h"
#include "app/serve/explain.h"
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
    bool missed_geo; /* a file of it could not be used */
    struct documents *documents;
};

static void complain_about_geo(void *arg, const char *path, const char *sentence)
{
    struct pipeline *p = arg;

    p->missed_geo = true;
    /* an outdated process ends, and says so */
    if (p->reader == NULL || !reader_is_outdated(p->reader))
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
    p->geo = geo_create(&paths, complain_about_geo, p);
    p->documents = documents_create();
    if (p->committer == NULL || p->reader == NULL || p->geo == NULL ||
        p->documents == NULL) {
        pipeline_free(p);
        return NULL;
    }
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (p == NULL)
        return;
    documents_free(p->documents);
    geo_free(p->geo);
    committer_free(p->committer);
    reader_free(p->reader);
    free(p);
}

bool pipeline_missed_geo(struct pipeline *p)
{
    bool missed = p->missed_geo;

    p->missed_geo = false;
    return missed;
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
    explain_failure(x, status);
    call_refuse(x->call, &x->reply, error);
}

/* Makes the exchange end with this error. */
static enum status refuse(struct exchange *x, enum error error)
{
    x->refusal = error;
    return error == ERROR_NONE ? STATUS_OK : STATUS_REFUSED;
}

static enum status find_call(struct pipeline *p, struct exchange *x)
{
    x->call = call_find(x->request.method, x->request.path, p->settings->developer_docs,
                        &x->reply);
    x->answered = x->call == NULL;
    return STATUS_OK;
}

static enum status answer_document(struct pipeline *p, struct exchange *x)
{
    x->answered = x->call->document != NULL;
    return x->answered ? documents_answer(&x->reply, p->documents, x->call, p->settings,
                                          x->request.if_none_match)
                       : STATUS_OK;
}

static enum status check_header(struct pipeline *p, struct exchange *x)
{
    const struct request *request = &x->request;

    (void)p;
    if (request->idempotency_key_fault != REASON_NONE && x->call->command != NULL) {
        x->reason = request->idempotency_key_fault;
        return refuse(x, ERROR_INVALID_IDEMPOTENCY_KEY);
    }
    if (request->body_status == STATUS_TOO_LARGE)
        return refuse(x, ERROR_BODY_TOO_LARGE);
    return refuse(x, request->body_is_encoded ? ERROR_UNSUPPORTED_ENCODING : ERROR_NONE);
}

static enum status parse_body(struct pipeline *p, struct exchange *x)
{
    static const enum error errors[] = {
        [JSON_OBJECT] = ERROR_NONE,
        [JSON_OTHER] = ERROR_NO_JSON_OBJECT,
        [JSON_BROKEN] = ERROR_INVALID_JSON,
        [JSON_NO_MEMORY] = ERROR_INTERNAL,
    };
    static const enum reason faults[JSON_FAULTS] = {
        [JSON_FAULT_SYNTAX] = REASON_JSON_SYNTAX,
        [JSON_FAULT_UTF8] = REASON_JSON_NOT_UTF8,
        [JSON_FAULT_NAME_TWICE] = REASON_JSON_NAME_TWICE,
        [JSON_FAULT_DEPTH] = REASON_JSON_TOO_DEEP,
        [JSON_FAULT_SIZE] = REASON_JSON_TOO_LARGE,
    };
    struct json_findings findings;

    (void)p;
    if (x->request.body_status != STATUS_OK) {
        x->reason = REASON_BODY_INCOMPLETE;
        return refuse(x, ERROR_INVALID_JSON);
    }
    enum json_kind kind =
        json_parse_telling(&x->body, x->request.body, x->arena, &findings);
    x->broken_at = findings.offset;
    x->reason = kind == JSON_BROKEN  ? faults[findings.fault]
                : kind == JSON_OTHER ? REASON_JSON_NO_OBJECT
                                     : REASON_NONE;
    return refuse(x, errors[kind]);
}

static enum status answer_help(struct pipeline *p, struct exchange *x)
{
    x->answered = help_is_wanted(x->body);
    return x->answered ? help_answer(&x->reply, x->call, p->settings, x->arena) : STATUS_OK;
}

static enum status read_input(struct pipeline *p, struct exchange *x)
{
    return input_read(x, p->settings, p->key);
}

/* Checks 1 to 6. */
static enum status identify(struct pipeline *p, struct exchange *x, struct db *db)
{
    const enum credentials_needed needed = x->call->credentials;
    struct key_facts facts;
    enum status status = key_facts_read(&facts, db, &x->credentials, needed, x->now_ms);

    (void)p;
    if (status != STATUS_OK)
        return status;
    x->caller = facts.caller;
    status = refuse(x, caller_judge(&facts, &x->credentials, needed));
    x->identified = status == STATUS_OK;
    return status;
}

/* A request that is repeated by its Idempotency-Key gets its answer even when the quota is
 * used up: sent as a new request, it would be stored a second time. */
static bool was_answered(const struct exchange *x, struct db *db)
{
    return x->command != NULL && x->complaints.error == ERROR_NONE &&
           command_was_answered(x->call->command, db, &x->caller, x->command);
}

static enum status charge(struct pipeline *p, struct exchange *x, struct db *db)
{
    bool may_go_on = limits_charge(&p->limits, x) || was_answered(x, db);

    if (may_go_on)
        x->reply.retry_after_s = 0;
    return refuse(x, may_go_on ? ERROR_NONE : ERROR_RATE_LIMITED);
}

/* Checks 7 and 8, whose complaints were found when the fields were read. */
static enum status check_fields(struct pipeline *p, struct exchange *x, struct db *db)
{
    (void)p;
    (void)db;
    return refuse(x, x->complaints.error);
}

/* The call's struct of answer fields, of zeros; NULL: no memory. */
static void *make_answer(struct exchange *x)
{
    void *answer = arena_alloc(x->arena, x->call->answer_size);

    if (answer != NULL)
        memset(answer, 0, x->call->answer_size);
    return answer;
}

static void set_answer(struct exchange *x, const void *answer)
{
    x->answer = answer;
    call_answer(x->call, &x->reply, answer);
}

static enum status read_answer(struct pipeline *p, struct exchange *x, struct db *db)
{
    const struct reading reading = {
        .db = db,
        .caller = &x->caller,
        .settings = p->settings,
        .key = p->key,
        .arena = x->arena,
        .now_ms = x->now_ms,
    };
    void *answer = make_answer(x);
    enum error refusal = ERROR_NONE;

    if (answer == NULL)
        return STATUS_NO_MEMORY;
    enum status status = x->call->read(answer, &refusal, &reading, x->input);
    if (status == STATUS_OK)
        status = refuse(x, refusal);
    if (status == STATUS_OK)
        set_answer(x, answer);
    x->answered = status == STATUS_OK;
    return status;
}

/* The checks of the call itself and, for a call that reads, its answer. */
static enum status judge(struct pipeline *p, struct exchange *x, struct db *db)
{
    if (x->command == NULL)
        return read_answer(p, x, db);
    return command_judge(&x->refusal, x->call->command, db, &x->caller, x->command);
}

/* What is checked in one reading transaction, in this order. */
static enum status (*const checks[])(struct pipeline *p, struct exchange *x,
                                     struct db *db) = {
    identify,
    charge,
    check_fields,
    judge,
};

static enum status check_by_database(struct pipeline *p, struct exchange *x)
{
    struct db *db;
    enum status status = reader_begin(p->reader, &db);

    for (size_t i = 0; status == STATUS_OK && i < sizeof checks / sizeof checks[0]; i++)
        status = checks[i](p, x, db);
    if (status == STATUS_REFUSED)
        explain_refusal(x, p->settings, db);
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
    int64_t now_us = clock_monotonic_us();
    enum status status = check_by_database(p, x);
    if (status == STATUS_OK && x->command != NULL)
        caller_cache_put(p->caller_cache, &x->credentials, now_ms, &x->caller);
    x->db_us = clock_monotonic_us() - now_us;
    return status;
}

static enum status start_commit(struct pipeline *p, struct exchange *x)
{
    struct command *command = x->command;

    uuid_make(&command->new_id, command->now_ms);
    geo_lookup(p->geo, &x->request.address, x->began_us / 1000, &command->tags);
    committer_start(p->committer, x->place, command,
                    settings_commit_timeout_ms(p->settings), &x->commit);
    x->committing = true;
    return STATUS_OK;
}

/* A reading call goes on when the worker has the time. */
static enum status put_off_reading(struct pipeline *p, struct exchange *x)
{
    (void)p;
    x->to_read = x->command == NULL;
    return STATUS_OK;
}

/* The way of a request until the reply is there or its commit has been started. */
static enum status (*const steps[])(struct pipeline *p, struct exchange *x) = {
    find_call,  answer_document, check_header, parse_body,   answer_help,
    read_input, put_off_reading, check,        start_commit,
};

/* Makes a reply of a step that went wrong. */
static void reply_to(struct pipeline *p, struct exchange *x, enum status status)
{
    if (status == STATUS_REFUSED && x->refusal == x->complaints.error)
        call_complain(&x->reply, &x->complaints);
    else if (status == STATUS_REFUSED)
        limits_refuse(&p->limits, x, x->refusal);
    else if (status != STATUS_OK)
        reply_to_failure(x, status);
    if (x->reply.error == ERROR_IP_NOT_WHITELISTED)
        x->reply.client_address = &x->request.address;
}

/* Makes the reply, where there is none yet and no commit brings it. */
static void conclude(struct pipeline *p, struct exchange *x, enum status status)
{
    reply_to(p, x, status);
    if (!x->committing)
        limits_settle(&p->limits, x);
}

static void begin_reply(const struct pipeline *p, struct exchange *x)
{
    x->reply = (struct reply){
        .http_status = 200,
        .code = "OK",
        .head = x->request.is_head,
        .strict = p->settings->strict_status || x->request.prefers_strict,
        .prefers_strict = x->request.prefers_strict,
    };
}

void pipeline_refuse(struct pipeline *p, struct exchange *x, int64_t retry_after_s)
{
    begin_reply(p, x);
    enum status status = find_call(p, x);
    if (status == STATUS_OK && !x->answered)
        status = answer_document(p, x);
    if (status == STATUS_OK && x->answered)
        return;
    x->reason = REASON_OVERLOADED;
    call_refuse(x->call, &x->reply, ERROR_UNAVAILABLE);
    x->reply.retry_after_s = retry_after_s;
}

void pipeline_begin(struct pipeline *p, struct exchange *x)
{
    const size_t count = sizeof steps / sizeof steps[0];
    enum status status = STATUS_OK;

    begin_reply(p, x);
    for (size_t i = 0; i < count && status == STATUS_OK && !x->answered && !x->to_read; i++)
        status = steps[i](p, x);
    if (!x->to_read)
        conclude(p, x, status);
}

void pipeline_read(struct pipeline *p, struct exchange *x)
{
    x->to_read = false;
    conclude(p, x, check(p, x));
}

/* The transaction refused a caller that was found in the cache, and tells the error alone,
 * so the reason is looked for anew. */
static void explain_late(struct pipeline *p, struct exchange *x)
{
    struct db *db;
    enum status status = reader_begin(p->reader, &db);

    if (status == STATUS_OK)
        explain_refusal(x, p->settings, db);
    reader_end(p->reader, status);
}

/* The writer knows no key file: it may have found no key because the service uses a wrong
 * one, which is no fault of the caller. */
static enum status refuse_late(struct pipeline *p, struct exchange *x)
{
    caller_cache_remove(p->caller_cache, &x->credentials);
    x->refusal = x->commit.result.refusal;
    if (x->refusal == ERROR_INVALID_API_KEY && !reader_knows_keys(p->reader)) {
        x->reason = REASON_KEY_FILE_WRONG;
        return STATUS_UNAVAILABLE;
    }
    explain_late(p, x);
    return STATUS_REFUSED;
}

static void present(struct exchange *x)
{
    void *answer = make_answer(x);

    if (answer == NULL)
        return; /* response_render sends a failure then */
    x->call->present(answer, x->command, x->commit.result.value);
    set_answer(x, answer);
}

static void end(struct pipeline *p, struct exchange *x)
{
    enum status status = x->commit.status;

    /* a caller from the cache may be older than a rotation */
    if (status == STATUS_OK || status == STATUS_REFUSED)
        x->caller.former = x->commit.result.former;
    if (status == STATUS_OK) {
        x->reply.replayed = x->commit.result.replayed;
        present(x);
    } else if (status == STATUS_REFUSED) {
        status = refuse_late(p, x);
    } else {
        x->identified = false; /* no transaction has checked a caller from the cache */
    }
    reply_to(p, x, status);
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
