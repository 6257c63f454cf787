/*
 * Includes cmocka and what it needs before it, and what most unit tests use.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The number of elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    UNIT_TMP_BYTES = 32, /* sockets must have room below it */
};

/* Where a test makes its directory: TMPDIR, unless it is too long. */
static inline const char *unit_tmp(void)
{
    const char *given = getenv("TMPDIR");

    return given != NULL && strlen(given) < UNIT_TMP_BYTES ? given : "/tmp";
}

#endif
