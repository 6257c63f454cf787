/*
 * Limits on guessing and on load: what is counted for whom, and what that does to answers.
 *
 * Guessing: failed credentials count against the client's network, failed checks of
 * contact, organization and owner against the developer key. Every check is made as always,
 * and only a request that is refused anyway is answered with ERROR_RATE_LIMITED instead
 * when that budget is used up: whoever guesses learns nothing more, and nobody can lock out
 * a caller whose requests are in order, however near they are.
 *
 * Load: where the setting rate_limit says so, a developer key has a quota of notes. What
 * stores nothing costs none.
 */
#ifndef APP_SERVE_LIMITS_H
#define APP_SERVE_LIMITS_H

#include <stdbool.h>

#include "app/serve/exchange.h"
#include "app/settings.h"
#include "lib/status.h"
#include "lib/throttle.h"

enum {
    LIMITS_IPV4_PREFIX = 32, /* bits of an address that make a client network */
    LIMITS_IPV6_PREFIX = 56, /* what one household or server gets */
};

/* The counters. In a process without siblings of its own (alone) they are in the file
 * DATABASE.limits, which others like it share; where that cannot be used, a line in the log
 * says so, and they count for this process only. Before fork. NULL: no memory. */
struct throttle *limits_open(const struct settings *settings, bool alone);

/* The counters with the settings that say how much is allowed. */
struct limits {
    struct throttle *throttle;
    const struct settings *settings;
};

/* Charges the quota of the developer key in exchange->caller; false when it is used up. */
bool limits_charge(const struct limits *limits, struct exchange *exchange);

/* Fills in the reply to a request that was refused, and counts it. */
void limits_refuse(const struct limits *limits, struct exchange *exchange,
                   enum error refusal);

/* To be called when the reply is there: gives the charge for what was not stored back, and
 * tells callers that were identified how much they have left. */
void limits_settle(const struct limits *limits, struct exchange *exchange);

#endif
