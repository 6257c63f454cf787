/*
 * Writes a reply as HTTP: CGI header (RFC 3875 6.3) and body.
 */
#ifndef APP_SERVE_RESPONSE_H
#define APP_SERVE_RESPONSE_H

#include "app/api/reply.h"
#include "lib/arena.h"
#include "lib/status.h"

/* Writes header and body into the arena. Takes ownership of reply->data and frees it.
 * STATUS_NO_MEMORY: then *out is empty. */
enum status response_render(struct reply *reply, const char *request_id,
                            struct arena *arena, struct span *out);

#endif
