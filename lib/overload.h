/*
 * How long a request that arrives now would wait for its answer.
 *
 * A server has a number of places, one for each request in hand, and further requests queue
 * for them in the order of their arrival. A request holds its place for the time that was
 * measured of those before it, so a place becomes free each held_us / places (Little's
 * law). Commits of one batch end together; on average over the batch that is the same.
 *
 * Pure functions; times are microseconds of the monotonic clock and given by the caller.
 */
#ifndef LIB_OVERLOAD_H
#define LIB_OVERLOAD_H

#include <stdint.h>

struct overload {
    int places;
    int64_t held_us; /* mean time that a request holds its place; 0: not measured yet */
    int64_t full_since_us; /* since when no place is free; 0: one is */
};

/* A request that had a place for held_us has been answered. After as many of them as there
 * are places, what was measured before counts for two percent. */
void overload_measure(struct overload *overload, int64_t held_us);

/* The time until the answer to a request in front of which so many others queue for a
 * place. While all places are in use, a request is taken to hold its place at least as long
 * as none of them has become free. */
int64_t overload_expected_us(const struct overload *overload, int in_front, int64_t now_us);

/* That time in whole seconds, at least 1: by then those in front are answered. */
int64_t overload_retry_after_s(const struct overload *overload, int in_front,
                               int64_t now_us);

#endif
