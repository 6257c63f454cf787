/*
 * JSON text to json-c objects, strictly validated, and back.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <json.h>

#include "lib/arena.h"
#include "lib/json_scan.h"
#include "lib/span.h"

/*
 * Checks text by json_scan and, when it is one object, parses it. JSON_OBJECT: *out is
 * filled and the caller owns it (json_object_put). Otherwise *out is NULL. JSON_NO_MEMORY
 * also when json-c left out a member, which it does not report when memory is short.
 */
enum json_kind json_parse(struct json_object **out, struct span text, struct arena *arena);

/* The same, and fills *findings, as json_scan_telling does. */
enum json_kind json_parse_telling(struct json_object **out, struct span text,
                                  struct arena *arena, struct json_findings *findings);

/* The member of this name; NULL: there is none, or it is null. */
struct json_object *json_member(struct json_object *object, const char *name);

/* The bytes of a string value, NUL characters included. For NULL and for values of other
 * types a span with data NULL. Valid as long as the value. */
struct span json_string(struct json_object *value);

/*
 * The text of object, without white space and with / not escaped; it belongs to object.
 * Empty when there was not enough memory: json-c would leave out what it has no memory for,
 * or write null instead, and not report it. nulls: whether object may hold nulls.
 */
struct span json_text(struct json_object *object, bool nulls);

/* Adds a member; name is a constant that object does not have yet. Takes ownership of
 * value. Needs no memory for the first few members. Only frees value where object is NULL,
 * as it is after a lack of memory. */
void json_add(struct json_object *object, const char *name, struct json_object *value);

/* Overwrites a string value's bytes with zeros: json-c would leave them in freed memory. */
void json_wipe_string(struct json_object *value);

#endif
