/*
 * Borrowed bytes: a pointer and a length, not ended by NUL.
 */
#ifndef LIB_SPAN_H
#define LIB_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *data; /* may be NULL when len is 0 */
    size_t len;       /* bytes */
};

/* The initialiser of a span over a string literal. */
#define SPAN(literal)                                                                      \
    {                                                                                      \
        literal, sizeof(literal) - 1                                                       \
    }

/* A span over a C string without its NUL; over nothing for NULL. */
static inline struct span span_of(const char *text)
{
    return (struct span){text, text != NULL ? strlen(text) : 0};
}

static inline bool span_equals(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

#endif
