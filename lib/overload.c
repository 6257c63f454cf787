#include "lib/overload.h"

#include <stdbool.h>

enum {
    US_PER_S = 1000000,
    WEIGHT = 4, /* a new value counts WEIGHT / places: (1 - 4/64)^64 is about 0.016 */
};

void overload_measure(struct overload *o, int64_t held_us)
{
    bool is_first = o->held_us == 0;
    int weight = is_first || WEIGHT > o->places ? o->places : WEIGHT;

    o->held_us += (held_us - o->held_us) * weight / o->places;
}

/* The mean tells of the past. A disk that hangs is noticed by that nothing is answered. */
static int64_t held_us_now(const struct overload *o, int64_t now_us)
{
    int64_t full_us = o->full_since_us != 0 ? now_us - o->full_since_us : 0;

    return full_us > o->held_us ? full_us : o->held_us;
}

int64_t overload_expected_us(const struct overload *o, int in_front, int64_t now_us)
{
    int64_t held_us = held_us_now(o, now_us);

    return held_us + held_us * in_front / o->places;
}

int64_t overload_retry_after_s(const struct overload *o, int in_front, int64_t now_us)
{
    int64_t seconds = (overload_expected_us(o, in_front, now_us) + US_PER_S - 1) / US_PER_S;

    return seconds > 1 ? seconds : 1;
}
