/*
 * Asks a FastCGI program for one document, as a web server would (specification 1.0,
 * responder role).
 */
#ifndef LIB_FCGI_CLIENT_H
#define LIB_FCGI_CLIENT_H

#include <stddef.h>

#include "lib/status.h"

struct fcgi_document {
    int http_status;
    char *body; /* with a NUL behind it, from malloc; the caller frees it */
    size_t len;
};

/*
 * GET of a path from the program that listens at where ("unix:PATH", "127.0.0.1:PORT" or
 * "[::1]:PORT"). STATUS_NOT_FOUND: no program listens there. STATUS_UNAVAILABLE: it may not
 * be asked, or it has not answered within timeout_ms, or not in this protocol. why says
 * which; out->body is NULL then.
 */
enum status fcgi_client_get(struct fcgi_document *out, const char *where, const char *path,
                            int timeout_ms, struct problem *why);

#endif
