/*
 * JSON text into json-c objects, strictly.
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <json.h>

#include "lib/arena.h"
#include "lib/json_scan.h"
#include "lib/span.h"

/*
 * Judges text by json_scan and, when it is one object, parses it. JSON_OBJECT: *out is
 * filled and the caller owns it (json_object_put). Otherwise *out is NULL. JSON_NO_MEMORY
 * also when json-c lost a member, which it does without a word.
 */
enum json_kind json_parse(struct json_object **out, struct span text, struct arena *arena);

/* The bytes of a string value, NUL characters included; of no value or one of another
 * type, a span with data NULL. Valid as long as the value. */
struct span json_string(struct json_object *value);

/*
 * The text of object, without white space and with / as it is; it belongs to object. Empty
 * when there was no memory for all of it: json-c then leaves out what it has none for, or
 * puts null in its place, and does not tell. nulls: whether some are meant to be there.
 */
struct span json_text(struct json_object *object, bool nulls);

/* Adds a member under a name that is a constant and not there yet; value is taken over. Takes
 * no memory for a handful of members, and where there was none for object, does nothing. */
void json_add(struct json_object *object, const char *name, struct json_object *value);

/* Overwrites a string value's bytes, which json-c would leave in freed memory. */
void json_wipe_string(struct json_object *value);

#endif
