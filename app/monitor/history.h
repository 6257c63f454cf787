/*
 * The last minutes of the service: a sample of its counters every few seconds.
 *
 * It is in memory that outlives the process of the monitor, which a reload replaces. Only
 * one process uses it at a time.
 */
#ifndef APP_MONITOR_HISTORY_H
#define APP_MONITOR_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/meter.h"

enum {
    HISTORY_STEP_MS = 5000,
    HISTORY_SAMPLES = 181,                        /* 15 minutes */
    HISTORY_TIMES = METER_REQUEST_BUCKETS + 1,    /* buckets of all calls together */
    HISTORY_MINUTE = 60 * 1000 / HISTORY_STEP_MS, /* samples */
};

/* Totals at a moment, except where something else is said. */
struct sample {
    int64_t at_ms;    /* monotonic; 0: there is none */
    int64_t requests; /* of all calls */
    int64_t failures; /* those answered with a status from 500 on */
    int64_t notes;    /* created and updated */
    int64_t transactions, commands;
    int64_t times[HISTORY_TIMES];
    int64_t waiting; /* commands in the queue at that moment */
};

struct history;

/* For this process and those that it forks. NULL: no memory. */
struct history *history_create(void);

/* NULL is allowed. */
void history_free(struct history *history);

/* Whether the last sample is HISTORY_STEP_MS old; now_ms: monotonic. */
bool history_is_due(const struct history *history, int64_t now_ms);

/* Adds a sample, unless none is due. */
void history_add(struct history *history, const struct sample *sample);

/* Copies the samples, the oldest first; returns how many. */
size_t history_read(const struct history *history, struct sample out[HISTORY_SAMPLES]);

/*
 * The time below which a share (of 1) of the requests between two samples was answered, in
 * microseconds, estimated within a bucket; 0: there were none. What is beyond the last
 * bucket counts as its bound.
 */
int64_t history_percentile_us(const struct sample *from, const struct sample *to,
                              double share);

/* How much of a total came between two samples, a second. */
double history_rate(int64_t from, int64_t to, const struct sample *first,
                    const struct sample *last);

#endif
