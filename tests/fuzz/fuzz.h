/*
 * What all fuzzers share: the entry points that libFuzzer calls, and the check that ends a
 * fuzzer with a finding.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the fuzzer with a finding when the condition is false, with NDEBUG as well. */
#define CHECK(condition)                                                                   \
    ((condition) ? (void)0 : fuzz_complain(#condition, __FILE__, __LINE__))

_Noreturn static inline void fuzz_complain(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

#endif
