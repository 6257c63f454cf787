#include "app/serve/limits.h"

#include <assert.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/db_files.h"
#include "lib/log.h"

enum {
    US_PER_S = 1000000,
    KEY_BYTES = 1 + ADDRESS_MAX_BYTES,
};

/* Networks have a table of their own, so that requests from very many networks cannot push
 * out the counters of developer keys. */
enum table { TABLE_NETWORKS, TABLE_DEVELOPER_KEYS };

_Static_assert((int)TABLE_DEVELOPER_KEYS < (int)THROTTLE_TABLES, "each needs a table");

enum budget { BUDGET_NONE, BUDGET_CREDENTIALS, BUDGET_CONTACTS };

/* A missing secret is no guess, but the error tells that the API key is valid. That a
 * member does not exist tells of the caller's own organization alone. */
static const struct {
    enum budget budget;
    bool is_guess;
} refusals[ERROR_COUNT] = {
    [ERROR_INVALID_API_KEY] = {BUDGET_CREDENTIALS, true},
    [ERROR_IP_NOT_WHITELISTED] = {BUDGET_CREDENTIALS, true},
    [ERROR_MISSING_DEVELOPER_SECRET] = {BUDGET_CREDENTIALS, false},
    [ERROR_INVALID_DEVELOPER_SECRET] = {BUDGET_CREDENTIALS, true},
    [ERROR_NOT_FOUND] = {BUDGET_CONTACTS, true},
    [ERROR_WRONG_ORG] = {BUDGET_CONTACTS, true},
    [ERROR_NOT_OWNER] = {BUDGET_CONTACTS, true},
};

/* A key of the table of counters, with its text. */
struct counter {
    char text[KEY_BYTES];
    struct throttle_key key;
};

struct throttle *limits_open(const struct settings *settings, bool alone)
{
    char path[CONFIG_TEXT_BYTES + 8];
    struct problem why = {""};
    struct throttle *throttle = NULL;

    if (!alone)
        return throttle_create();
    if (!db_files_beside(path, sizeof path, settings->database, "limits"))
        (void)problem_set(&why, STATUS_UNAVAILABLE,
                          "there is no place beside the database");
    else if (throttle_open(&throttle, path, &why) == STATUS_OK)
        return throttle;
    LOG(LEVEL_WARNING, "limits_not_shared", LOG_TEXT("message", why.text));
    return throttle_create();
}

static void set_text(struct counter *out, enum table table, char kind, const void *bytes,
                     size_t size)
{
    assert(size < sizeof out->text);
    out->text[0] = kind;
    memcpy(out->text + 1, bytes, size);
    out->key = (struct throttle_key){.table = table, .text = {out->text, size + 1}};
}

/* All requests without an address count as one network. */
static void set_network(struct counter *out, const struct address *address)
{
    unsigned prefix =
        address->family == ADDRESS_IPV6 ? LIMITS_IPV6_PREFIX : LIMITS_IPV4_PREFIX;
    struct address network = address_truncate(address, prefix);

    set_text(out, TABLE_NETWORKS, (char)network.family, network.bytes,
             sizeof network.bytes);
    out->key.may_share = true;
}

/* kind: which of the counters of a developer key. */
static void set_developer_key(struct counter *out, const struct caller *caller, char kind)
{
    const struct uuid *id = &caller->developer_key_id;

    set_text(out, TABLE_DEVELOPER_KEYS, kind, id->bytes, sizeof id->bytes);
    out->key.may_share = kind == 'c'; /* but no key shares its quota with another */
}

static void set_contacts(struct counter *out, const struct caller *caller)
{
    set_developer_key(out, caller, 'c');
}

static void set_quota(struct counter *out, const struct caller *caller)
{
    set_developer_key(out, caller, 'q');
}

static int64_t whole_seconds(int64_t us)
{
    return (us + US_PER_S - 1) / US_PER_S;
}

/* Hides the error of the reply behind another one. */
static void limit(struct exchange *x, const struct throttle_state *state)
{
    x->reply.hidden_code = x->reply.code;
    call_refuse(x->call, &x->reply, ERROR_RATE_LIMITED);
    x->reply.retry_after_s = whole_seconds(state->retry_us);
}

static const struct throttle_rate *rate_of(const struct settings *settings,
                                           enum budget budget)
{
    static const struct throttle_rate no_limit = {.count = 0};

    switch (budget) {
    case BUDGET_CREDENTIALS:
        return &settings->credential_failures;
    case BUDGET_CONTACTS:
        return &settings->contact_failures;
    case BUDGET_NONE:
        break;
    }
    return &no_limit;
}

static enum budget budget_of(const struct call *call, enum error refusal)
{
    return call_error_is_guess(call, refusal) ? refusals[refusal].budget : BUDGET_NONE;
}

enum meter_number limits_meter_number(const struct exchange *x)
{
    switch (budget_of(x->call, x->refusal)) {
    case BUDGET_CREDENTIALS:
        return METER_CREDENTIALS_LIMITED;
    case BUDGET_CONTACTS:
        return METER_CONTACTS_LIMITED;
    case BUDGET_NONE:
        break;
    }
    return METER_RATE_LIMITED;
}

void limits_refuse(const struct limits *limits, struct exchange *x, enum error refusal)
{
    enum budget budget = budget_of(x->call, refusal);
    const struct throttle_rate *rate = rate_of(limits->settings, budget);
    int64_t now_us = clock_monotonic_us();
    struct counter counter;

    if (budget == BUDGET_CREDENTIALS)
        x->identified = false; /* also if the cache found the caller */
    call_refuse(x->call, &x->reply, refusal);
    if (rate->count == 0)
        return;
    if (budget == BUDGET_CREDENTIALS)
        set_network(&counter, &x->request.address);
    else
        set_contacts(&counter, &x->caller);
    struct throttle_state state =
        refusals[refusal].is_guess
            ? throttle_take(limits->throttle, &counter.key, rate, now_us)
            : throttle_look(limits->throttle, &counter.key, rate, now_us);
    if (state.used_up)
        limit(x, &state);
}

bool limits_charge(const struct limits *limits, struct exchange *x)
{
    const struct throttle_rate *rate = &limits->settings->rate_limit;
    struct counter counter;

    if (rate->count == 0 || x->call->command == NULL)
        return true;
    set_quota(&counter, &x->caller);
    struct throttle_state state =
        throttle_take(limits->throttle, &counter.key, rate, clock_monotonic_us());
    x->charged = !state.used_up;
    if (!x->charged)
        x->reply.retry_after_s = whole_seconds(state.retry_us);
    return x->charged;
}

/* A request that may have been stored is charged like one that was. */
static bool stored_nothing(const struct reply *reply)
{
    return reply->replayed ||
           (reply->error != ERROR_NONE && reply->error != ERROR_OUTCOME_UNKNOWN);
}

void limits_settle(const struct limits *limits, struct exchange *x)
{
    const struct throttle_rate *rate = &limits->settings->rate_limit;
    int64_t now_us;
    struct counter counter;

    if (rate->count == 0 || !(x->charged || x->identified))
        return;
    now_us = clock_monotonic_us();
    set_quota(&counter, &x->caller);
    if (x->charged && stored_nothing(&x->reply))
        throttle_give_back(limits->throttle, &counter.key, rate, now_us);
    if (!x->identified)
        return;
    struct throttle_state state =
        throttle_look(limits->throttle, &counter.key, rate, now_us);
    x->reply.quota = (struct reply_quota){
        .count = rate->count,
        .time_s = rate->time_s,
        .left = state.left,
        .reset_s = whole_seconds(state.reset_us),
    };
}
