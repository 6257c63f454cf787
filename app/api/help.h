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

#endif
