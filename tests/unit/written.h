/* What functions write to a stream, as text. */
#ifndef TESTS_UNIT_WRITTEN_H
#define TESTS_UNIT_WRITTEN_H

#include <stdio.h>

#include "tests/unit/unit.h"

struct written {
    FILE *out;
    char *text;
    size_t len;
};

static inline void written_begin(struct written *w)
{
    w->out = open_memstream(&w->text, &w->len);
    assert_non_null(w->out);
}

/* Ends the stream, and expects this text. */
static inline void written_is(struct written *w, const char *expected)
{
    assert_int_equal(fclose(w->out), 0);
    assert_string_equal(w->text, expected);
    free(w->text);
}

#endif
