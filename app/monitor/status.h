/*
 * The state of a service for programs, as JSON, and what is computed for it.
 *
 * docs/operating.md describes each member. Members are added, but none changes its meaning.
 */
#ifndef APP_MONITOR_STATUS_H
#define APP_MONITOR_STATUS_H

#include <stdio.h>

#include "app/monitor/view.h"

/* Of the last minute, or since the start where that is later. */
struct status_rates {
    double requests, failures, notes, transactions; /* a second */
    double group_size;                              /* commands in a transaction; 0: none */
    int64_t p50_us, p95_us, p99_us;                 /* of the time that requests take */
};

/* The rates between the sample that is `steps` before the view's present one, or its first
 * one, and the present one. */
void status_rates_of(struct status_rates *out, const struct view *view, size_t steps);

/* The rates between two samples. */
void status_rates_between(struct status_rates *out, const struct sample *from,
                          const struct sample *to);

/* Writes one JSON object. Whether writing failed is the stream's to say. */
void status_write(FILE *out, const struct view *view);

#endif
