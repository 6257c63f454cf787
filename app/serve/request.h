/*
 * A request, independent of the web server that it came through.
 */
#ifndef APP_SERVE_REQUEST_H
#define APP_SERVE_REQUEST_H

#include "app/rules/command.h"
#include "app/rules/reason.h"
#include "app/settings.h"
#include "lib/address.h"
#include "lib/fastcgi.h"
#include "lib/span.h"
#include "lib/status.h"

struct request {
    char id[REQUEST_ID_BYTES]; /* the caller's X-Request-Id, or one of ours */
    struct span method;
    bool is_head;     /* the method is HEAD */
    struct span path; /* without base_path; empty: outside of it */
    struct span body;
    enum status body_status; /* STATUS_OK, STATUS_TOO_LARGE, STATUS_INVALID (cut off) */
    bool body_is_encoded;    /* compressed, or otherwise other than it is read */
    struct address address;  /* of the client */
    /* The header Idempotency-Key: empty when not sent, or invalid, and why it is. */
    char idempotency_key[IDEMPOTENCY_KEY_BYTES];
    enum reason idempotency_key_fault; /* REASON_NONE: it is not */
    struct span if_none_match;         /* the header; data NULL: not sent */
    bool prefers_strict;               /* the header Prefer asks for real status codes */
};

struct exchange;

/* Fills exchange->request from its place's FastCGI request. What it points to lives in the
 * exchange's arena, or until the request is answered. STATUS_NO_MEMORY is the only
 * failure. */
enum status request_read(struct exchange *exchange, const struct settings *settings,
                         struct fastcgi *fastcgi);

#endif
