#include "lib/throttle.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/secret.h"
#include "lib/shared.h"

enum {
    NS_PER_US = 1000,
    CLOCK_DOUBT_S = 10, /* by how much the clocks of callers may differ */
};

static const int64_t ns_per_s = 1000000000;

/* A cell belongs to the key of its tag until whole_ns has passed; then any key may take
 * it. */
struct cell {
    _Atomic uint64_t tag;     /* 0: free */
    _Atomic int64_t whole_ns; /* when the whole budget is available again */
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "cells are shared between processes");

/* The beginning of a file. */
struct head {
    char mark[16]; /* the kind of file and its layout */
    struct secret_key seed;
};

struct throttle {
    struct head head;
    struct cell cells[THROTTLE_TABLES][THROTTLE_BUCKETS][THROTTLE_CELLS];
};

static struct head new_head(void)
{
    struct head head = {.mark = "throttle 2x4k8 1"};

    secret_random(&head.seed, sizeof head.seed);
    return head;
}

struct throttle *throttle_create(void)
{
    struct throttle *throttle = shared_create(sizeof *throttle);

    if (throttle != NULL)
        throttle->head = new_head();
    return throttle;
}

enum status throttle_open(struct throttle **out, const char *path, struct problem *why)
{
    const struct head head = new_head();
    void *memory = NULL;
    enum status status =
        shared_open(&memory, path, sizeof(struct throttle),
                    (struct span){(const char *)&head, sizeof head}, sizeof head.mark, why);

    *out = memory;
    return status;
}

void throttle_free(struct throttle *throttle)
{
    shared_free(throttle, sizeof *throttle);
}

/* The bucket and the tag of a key. */
struct place {
    struct cell *bucket;
    uint64_t tag;
};

static struct place place_of(struct throttle *throttle, const struct throttle_key *key)
{
    struct secret_hash hash;
    uint64_t numbers[2];

    assert(key->table < THROTTLE_TABLES);
    secret_hash(&hash, &throttle->head.seed, "throttle", key->text);
    memcpy(numbers, &hash, sizeof numbers);
    return (struct place){
        .bucket = throttle->cells[key->table][numbers[0] % THROTTLE_BUCKETS],
        .tag = numbers[1] != 0 ? numbers[1] : 1,
    };
}

static struct cell *overflow(const struct place *place)
{
    return &place->bucket[THROTTLE_CELLS - 1];
}

static int64_t interval_ns(const struct throttle_rate *rate)
{
    return rate->time_s * ns_per_s / rate->count;
}

/* Slightly less than the rate's time where that is no multiple of count, so that count is
 * exact. */
static int64_t budget_ns(const struct throttle_rate *rate)
{
    return interval_ns(rate) * rate->count;
}

/* The time in a cell. It is now where that time has passed, or is too far ahead for a rate
 * with this time. */
static int64_t effective(int64_t whole_ns, int64_t time_s, int64_t now_ns)
{
    int64_t latest_ns = now_ns + (time_s + CLOCK_DOUBT_S) * ns_per_s;

    return whole_ns > now_ns && whole_ns <= latest_ns ? whole_ns : now_ns;
}

/* For any rate, as that of the cell's key is not known. */
static bool is_idle(const struct cell *cell, int64_t now_ns)
{
    return effective(cell->whole_ns, THROTTLE_TIME_MAX_S, now_ns) == now_ns;
}

/* The key's cell; NULL: it has none. */
static struct cell *find_cell(const struct place *place)
{
    for (size_t i = 0; i < THROTTLE_CELLS - 1; i++)
        if (place->bucket[i].tag == place->tag)
            return &place->bucket[i];
    return NULL;
}

/* True when the cell is the key's, or is now because its time had passed. Another process
 * may take it meanwhile, perhaps for the same key. */
static bool try_cell(struct cell *cell, uint64_t wanted, int64_t now_ns)
{
    uint64_t tag = cell->tag;

    if (tag == wanted)
        return true;
    if (!is_idle(cell, now_ns))
        return cell->tag == wanted; /* since it was read, it may have been taken and used */
    return atomic_compare_exchange_strong(&cell->tag, &tag, wanted) || tag == wanted;
}

/* The key's cell, else one whose time has passed, else NULL. */
static struct cell *claim_cell(const struct place *place, int64_t now_ns)
{
    struct cell *cell = find_cell(place);

    for (size_t i = 0; i < THROTTLE_CELLS - 1 && cell == NULL; i++)
        if (try_cell(&place->bucket[i], place->tag, now_ns))
            cell = &place->bucket[i];
    return cell;
}

static struct throttle_state state_of(int64_t whole_ns, const struct throttle_rate *rate,
                                      int64_t now_ns)
{
    int64_t room_ns = now_ns + budget_ns(rate) - whole_ns;
    int64_t one_ns = interval_ns(rate);
    bool used_up = room_ns < one_ns;

    return (struct throttle_state){
        .used_up = used_up,
        .left = used_up ? 0 : room_ns / one_ns,
        .reset_us = (whole_ns - now_ns + NS_PER_US - 1) / NS_PER_US,
        .retry_us = used_up ? (one_ns - room_ns + NS_PER_US - 1) / NS_PER_US : 0,
    };
}

static struct throttle_state charge(struct cell *cell, const struct throttle_rate *rate,
                                    int64_t now_ns)
{
    int64_t before = cell->whole_ns;

    for (;;) {
        int64_t whole_ns = effective(before, rate->time_s, now_ns);
        struct throttle_state state = state_of(whole_ns, rate, now_ns);
        if (state.used_up)
            return state;
        whole_ns += interval_ns(rate);
        if (!atomic_compare_exchange_weak(&cell->whole_ns, &before, whole_ns))
            continue;
        state = state_of(whole_ns, rate, now_ns);
        state.used_up = false; /* this charge was accepted, even if it was the last one */
        state.retry_us = 0;
        return state;
    }
}

struct throttle_state throttle_take(struct throttle *throttle,
                                    const struct throttle_key *key,
                                    const struct throttle_rate *rate, int64_t now_us)
{
    const int64_t now_ns = now_us * NS_PER_US;
    const struct place place = place_of(throttle, key);
    struct cell *cell = claim_cell(&place, now_ns);

    if (cell == NULL && !key->may_share)
        return state_of(now_ns, rate, now_ns);
    return charge(cell != NULL ? cell : overflow(&place), rate, now_ns);
}

struct throttle_state throttle_look(struct throttle *throttle,
                                    const struct throttle_key *key,
                                    const struct throttle_rate *rate, int64_t now_us)
{
    const int64_t now_ns = now_us * NS_PER_US;
    const struct place place = place_of(throttle, key);
    const struct cell *cell = find_cell(&place);

    int64_t whole_ns =
        cell != NULL ? effective(cell->whole_ns, rate->time_s, now_ns) : now_ns;

    return state_of(whole_ns, rate, now_ns);
}

void throttle_give_back(struct throttle *throttle, const struct throttle_key *key,
                        const struct throttle_rate *rate, int64_t now_us)
{
    const struct place place = place_of(throttle, key);
    struct cell *cell = find_cell(&place);

    /* nothing is given back to a budget that is whole, nor to the shared cell, where it is
     * unknown which key was charged */
    if (cell != NULL && !is_idle(cell, now_us * NS_PER_US))
        atomic_fetch_sub(&cell->whole_ns, interval_ns(rate));
}

/* Reads digits and moves *text behind them; -1 where there are none or too many. */
static int64_t take_number(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    int64_t number = digits >= 1 && digits <= 9 ? strtoll(*text, NULL, 10) : -1;

    *text += digits;
    return number;
}

enum status throttle_rate_parse(struct throttle_rate *out, const char *text,
                                struct problem *why)
{
    const char *at = text;

    *out = (struct throttle_rate){.count = 0};
    if (strcmp(text, "off") == 0)
        return STATUS_OK;
    int64_t count = take_number(&at);
    bool has_slash = *at == '/';
    at += has_slash;
    int64_t number = take_number(&at);
    int64_t seconds = clock_unit_s(at[0]);
    if (!has_slash || seconds == 0 || at[1] != '\0' || count < 0 || number < 0)
        return problem_set(why, STATUS_INVALID,
                           "must be off or COUNT/TIME, such as 600/1m (s, m, h, d), not "
                           "'%s'",
                           text);
    seconds *= number;
    if (count < 1 || count > THROTTLE_COUNT_MAX || seconds < 1 ||
        seconds > THROTTLE_TIME_MAX_S)
        return problem_set(why, STATUS_INVALID,
                           "must be from 1 to %d in a time from 1s to 1d, not '%s'",
                           THROTTLE_COUNT_MAX, text);
    *out = (struct throttle_rate){.count = count, .time_s = seconds};
    return STATUS_OK;
}
