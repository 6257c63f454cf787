/*
 * The two clocks, and RFC 3339.
 *
 * Dates come from the real-time clock, which may jump. Deadlines and durations come from
 * the monotonic clock only.
 */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

#include "lib/span.h"
#include "lib/status.h"

#include <stdint.h>

enum {
    CLOCK_TEXT_BYTES = 25, /* "2026-01-31T12:00:00.000Z" with the closing NUL */
};

/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_now_ms(void);

/* Microseconds of the monotonic clock. */
int64_t clock_monotonic_us(void);

/* Milliseconds of the monotonic clock. */
int64_t clock_monotonic_ms(void);

/* Writes RFC 3339 in UTC with milliseconds. Years outside 0–9999 are cut to the nearest
 * time inside. */
void clock_format(int64_t ms, char out[CLOCK_TEXT_BYTES]);

/* Reads an RFC 3339 date-time with any offset and any number of fraction digits (those
 * past the third are dropped). A leap second counts as the second before it. */
enum status clock_parse(int64_t *out_ms, struct span text);

/* The seconds of a unit of time: s, m, h or d. 0: it is none. */
int64_t clock_unit_s(char unit);

#endif
