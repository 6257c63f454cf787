/*
 * Texts for json_scan, and what it makes of them.
 */
#ifndef TESTS_UNIT_JSON_TEXTS_H
#define TESTS_UNIT_JSON_TEXTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json_scan.h"
#include "tests/unit/unit.h"

/* A literal with its length, so that it may hold NUL. */
#define BYTES(literal)                                                                     \
    {                                                                                      \
        (literal), sizeof(literal) - 1                                                     \
    }

enum {
    ARENA_BYTES = 4 << 20,
    BODY_BYTES = 128 << 10,
};

/* Scans a copy that ends where its memory ends, so that a sanitizer sees a read beyond
 * it. */
static inline enum json_kind scan_with(struct span text, size_t arena_bytes)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    struct arena *arena = arena_create(arena_bytes);

    assert_non_null(copy);
    assert_non_null(arena);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    enum json_kind kind = json_scan((struct span){copy, text.len}, arena);
    arena_free(arena);
    free(copy);
    return kind;
}

static inline enum json_kind scan(struct span text)
{
    return scan_with(text, ARENA_BYTES);
}

static inline void expect_all(const struct span *rows, size_t count,
                              enum json_kind expected)
{
    for (size_t i = 0; i < count; i++) {
        enum json_kind kind = scan(rows[i]);

        if (kind != expected)
            fail_msg("row %zu: %d for %.*s", i, (int)kind, (int)rows[i].len, rows[i].data);
    }
}

#endif
