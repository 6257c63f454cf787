/*
 * Strict validation of JSON text before json-c parses it.
 *
 * json-c 0.16 accepts much that RFC 8259 forbids. This scan accepts exactly: valid UTF-8;
 * RFC 8259 grammar with nothing but white space around the one value; no byte order mark;
 * no lone surrogate escapes; no U+0000 in a member name; no member name twice in one object
 * (compared after escapes are resolved); nesting and count within the limits. It builds no
 * tree. json-c parses text that was accepted without any loss.
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
    JSON_BROKEN = 0, /* not accepted */
    JSON_OBJECT,     /* one object */
    JSON_OTHER,      /* accepted, but no object */
    JSON_NO_MEMORY,  /* only of json_parse, for text that is accepted */
};

/* Why a text is broken. */
enum json_fault {
    JSON_FAULT_SYNTAX, /* or the text ends too early, or nothing should follow */
    JSON_FAULT_UTF8,
    JSON_FAULT_NAME_TWICE,
    JSON_FAULT_DEPTH,
    JSON_FAULT_SIZE, /* more values than JSON_MAX_VALUES, or no room in the arena */
    JSON_FAULTS,     /* how many there are */
};

/* What json_scan_telling found out about a text. */
struct json_findings {
    size_t members; /* of the outermost object */
    /* of a broken text: */
    enum json_fault fault;
    size_t offset; /* the byte, from 0, at which the scan stopped; of a name that comes
                      twice: behind the object that has it */
};

/* As json_scan, and fills *findings. */
enum json_kind json_scan_telling(struct span text, struct arena *arena,
                                 struct json_findings *findings);

/* Validates text. The arena holds member names meanwhile and may be reset afterwards;
 * when it is exhausted the answer is JSON_BROKEN. Takes O(n log n) time for any text. */
enum json_kind json_scan(struct span text, struct arena *arena);

#endif
