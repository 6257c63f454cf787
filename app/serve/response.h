/*
 * Writes a reply as HTTP: CGI header (RFC 3875 6.3) and body.
 */
#ifndef APP_SERVE_RESPONSE_H
#define APP_SERVE_RESPONSE_H

#include "app/api/reply.h"
#include "lib/arena.h"
#include "lib/span.h"

/* Writes header and body into the arena.
 * Without memory it makes the reply the error without_memory, and returns
 * response_last_resort. */
struct span response_render(struct reply *reply, const char *request_id,
                            struct arena *arena, enum error without_memory);

/* An answer for ERROR_INTERNAL or ERROR_OUTCOME_UNKNOWN that needs no memory; head: without
 * its body. It stays valid. */
struct span response_last_resort(enum error error, bool head);

#endif
