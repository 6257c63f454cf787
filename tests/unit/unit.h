/*
 * Includes cmocka and what it needs before it, and what most unit tests use.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The number of elements of an array. */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#endif
