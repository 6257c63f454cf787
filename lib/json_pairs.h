/*
 * Replaces escaped surrogate pairs by UTF-8 before json-c parses a text.
 *
 * json-c (0.16, and still 0.18; see its pull request 893) takes characters whose last 16
 * bits look like a surrogate, such as U+1D800 or U+2DC00, for one when they are written
 * as a pair of \u escapes, and replaces them by U+FFFD. In UTF-8 it leaves them alone.
 */
#ifndef LIB_JSON_PAIRS_H
#define LIB_JSON_PAIRS_H

#include "lib/arena.h"
#include "lib/span.h"
#include "lib/status.h"

/* Replaces each escaped pair in *text, which json_scan has accepted, by its character; then
 * *text points into the arena. A text without pairs is left alone. STATUS_NO_MEMORY. */
enum status json_pairs_resolve(struct span *text, struct arena *arena);

#endif
