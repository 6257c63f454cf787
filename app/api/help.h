/*
 * The description of a call: the answer to {"help":true}.
 */
#ifndef APP_API_HELP_H
#define APP_API_HELP_H

#include "app/api/call.h"

/* Whether a body is exactly {"help":true}. */
bool help_is_wanted(struct json_object *body);

/* Makes the reply a description of the call, with the limits of settings, in the arena.
 * STATUS_NO_MEMORY. */
enum status help_answer(struct reply *reply, const struct call *call,
                        const struct settings *settings, struct arena *arena);

/* The credentials that a call takes, as fields. */
const struct field *help_credentials(const struct call *call, size_t *count);

/* The example of a request: all required fields, and all fields that have a default. The
 * caller owns it. NULL: no memory; members may be missing where it was short. */
struct json_object *help_example(const struct call *call);

/* The same of a successful answer. */
struct json_object *help_answer_example(const struct call *call);

#endif
