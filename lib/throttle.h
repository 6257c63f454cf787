/*
 * Rates: how often something may happen for each of many keys, counted in shared memory.
 *
 * The rule is GCRA (the "leaky bucket as a meter" of ITU-T I.371): a rate of COUNT per TIME
 * lets COUNT through at once and then one each TIME/COUNT; a refusal is not charged. One
 * number is kept for each key: the time at which its whole budget is available again.
 *
 * There is no lock, so a process that dies, even by kill -9, leaves none behind. In return,
 * where two processes change the same cell at the same moment, one charge may be lost or go
 * to another key. Times are those of the monotonic clock, given by the caller. After a
 * reboot the times in a file are meaningless: those further ahead than the rate's time are
 * ignored, others delay for no longer than they would have before.
 *
 * The table has a fixed size. The bucket of a key depends on a random seed, so that no
 * client can fill the bucket of another one on purpose. A key whose budget is whole needs
 * no cell, and a cell that is needed is never taken away; for a bucket that is full, see
 * struct throttle_key.
 */
#ifndef LIB_THROTTLE_H
#define LIB_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/span.h"
#include "lib/status.h"

enum {
    THROTTLE_TABLES = 2,     /* separate key spaces */
    THROTTLE_BUCKETS = 4096, /* of a table */
    THROTTLE_CELLS = 8, /* of a bucket; the last one is shared by keys that find no other */
    THROTTLE_COUNT_MAX = 1000000,
    THROTTLE_TIME_MAX_S = 24 * 60 * 60,
};

struct throttle;

struct throttle_rate {
    int64_t count;  /* 1 to THROTTLE_COUNT_MAX; 0: no limit */
    int64_t time_s; /* 1 to THROTTLE_TIME_MAX_S */
};

/* A key, and what happens when its bucket is full. */
struct throttle_key {
    unsigned table;   /* below THROTTLE_TABLES */
    struct span text; /* any bytes; equal bytes are equal keys within a table */
    bool may_share;   /* the last cell with other keys; false: it is not limited then */
};

/* The budget of a key. */
struct throttle_state {
    bool used_up;
    int64_t left;     /* how many more are accepted at once */
    int64_t reset_us; /* until the whole budget is available */
    int64_t retry_us; /* when it is used up: until the next one is accepted; else 0 */
};

/* For this process and those that it forks. NULL: no memory. */
struct throttle *throttle_create(void);

/* The one in a file, for every process that opens it; see shared_open. *out is NULL after
 * a failure. */
enum status throttle_open(struct throttle **out, const char *path, struct problem *why);

/* NULL is allowed. In each process, for its own view. */
void throttle_free(struct throttle *throttle);

/* Charges the key one, unless its budget is used up. Not for a rate without limit. */
struct throttle_state throttle_take(struct throttle *throttle,
                                    const struct throttle_key *key,
                                    const struct throttle_rate *rate, int64_t now_us);

/* The state of the budget, without a charge. */
struct throttle_state throttle_look(struct throttle *throttle,
                                    const struct throttle_key *key,
                                    const struct throttle_rate *rate, int64_t now_us);

/* Takes back a charge that throttle_take made at the same rate. */
void throttle_give_back(struct throttle *throttle, const struct throttle_key *key,
                        const struct throttle_rate *rate, int64_t now_us);

/* Reads "COUNT/TIME", such as 600/1m (units s, m, h, d), or "off". STATUS_INVALID with why
 * filled otherwise. */
enum status throttle_rate_parse(struct throttle_rate *out, const char *text,
                                struct problem *why);

#endif
