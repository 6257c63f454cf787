/*
 * Limits on guessing and on load.
 *
 * Guessing: failed credentials count against the client's network, failed checks of
 * contact, organization and owner against the developer key. Every check is made as always.
 * Only a request that is refused anyway gets ERROR_RATE_LIMITED instead once that budget is
 * used up. So a caller that guesses learns nothing more, and a caller whose requests are in
 * order is never locked out, not even from the same network.
 *
 * Load: where rate_limit is set, a developer key has a quota of notes. Requests that store
 * nothing are not charged.
 */
#ifndef APP_SERVE_LIMITS_H
#define APP_SERVE_LIMITS_H

#include <stdbool.h>

#include "app/meter.h"
#include "app/serve/exchange.h"
#include "app/settings.h"
#include "lib/status.h"
#include "lib/throttle.h"

enum {
    LIMITS_IPV4_PREFIX = 32, /* bits of an address that make a client network */
    LIMITS_IPV6_PREFIX = 56, /* what one household or server gets */
};

/* Makes the counters. alone: for a process of --single, which shares them with others like
 * it by the file DATABASE.limits; where that cannot be used, it logs `limits_not_shared`
 * and counts for itself. Before fork. NULL: no memory. */
struct throttle *limits_open(const struct settings *settings, bool alone);

/* The counters, and the settings with the limits. */
struct limits {
    struct throttle *throttle;
    const struct settings *settings;
};

/* Charges the quota of the developer key in exchange->caller for a call that writes; false
 * when it is used up. Calls that read are free. */
bool limits_charge(const struct limits *limits, struct exchange *exchange);

/* Fills in the reply to a request that was refused, and counts it. */
void limits_refuse(const struct limits *limits, struct exchange *exchange,
                   enum error refusal);

/* The counter (app/meter.h) of the limit for which the reply is ERROR_RATE_LIMITED. */
enum meter_number limits_meter_number(const struct exchange *exchange);

/* To be called when the reply is complete: gives back the charge for a request that stored
 * nothing, and fills in the quota that is left for a caller with valid credentials. */
void limits_settle(const struct limits *limits, struct exchange *exchange);

#endif
