/*
 * A strict look at JSON text before json-c parses it.
 *
 * json-c 0.16 lets much through that RFC 8259 forbids. This scan accepts exactly: valid
 * UTF-8; RFC 8259 grammar with nothing but white space around the one value; no byte order
 * mark; no lone surrogate escapes; no U+0000 in a member name; no member name twice in one
 * object (compared after escapes are resolved); nesting and count within the limits. It
 * builds no tree and keeps nothing: json-c's parse of text that passed it is then exact.
 */
#ifndef LIB_JSON_SCAN_H
#define LIB_JSON_SCAN_H

#include "lib/arena.h"
#include "lib/span.h"

enum {
    JSON_MAX_DEPTH = 16,     /* arrays and objects inside each other */
    JSON_MAX_VALUES = 16384, /* of all kinds, in one text: bounds json-c's memory */
};

enum json_kind {
    JSON_BROKEN = 0, /* not acceptable */
    JSON_OBJECT,     /* one object */
    JSON_OTHER,      /* acceptable JSON, but no object */
    JSON_NO_MEMORY,  /* only json_parse: nothing is wrong with the text */
};

/* As json_scan; *members (NULL allowed) gets the number of members of the outermost object. */
enum json_kind json_scan_counting(struct span text, struct arena *arena, size_t *members);

/* Judges text. The arena gives room for member names and may be reset afterwards; when it
 * is exhausted the answer is JSON_BROKEN. Time is O(n log n) whatever the text holds. */
enum json_kind json_scan(struct span text, struct arena *arena);

#endif
