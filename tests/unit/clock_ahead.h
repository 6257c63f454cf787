/*
 * A monotonic clock that a test sets ahead, so that no time passes while it waits.
 */
#ifndef TESTS_UNIT_CLOCK_AHEAD_H
#define TESTS_UNIT_CLOCK_AHEAD_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ahead_s;

/* Stands in for the function of libc, which lib/clock.c calls. */
int clock_gettime(clockid_t id, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, id, now);

    if (id == CLOCK_MONOTONIC)
        now->tv_sec += clock_ahead_s;
    return result;
}

#endif
