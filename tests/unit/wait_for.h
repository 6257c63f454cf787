/*
 * Waiting until processes that a test has started have counted so far.
 */
#ifndef TESTS_UNIT_WAIT_FOR_H
#define TESTS_UNIT_WAIT_FOR_H

#include "tests/unit/unit.h"

#include <poll.h>
#include <stdatomic.h>

#include "lib/clock.h"

enum {
    PATIENCE_MS = 20000,
    LOOK_MS = 5,
};

/* Waits until the counter has reached `wanted`; fails when that takes too long. */
static inline void wait_for(const atomic_int *counter, int wanted, const char *what)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(counter) < wanted) {
        if (clock_monotonic_ms() > until_ms)
            fail_msg("%s: %d, not %d", what, atomic_load(counter), wanted);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

#endif
