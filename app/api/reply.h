/*
 * The answer to a request. app/serve/response.h writes it as HTTP.
 */
#ifndef APP_API_REPLY_H
#define APP_API_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/rules/error.h"
#include "lib/address.h"
#include "lib/span.h"

enum {
    REPLY_MESSAGES_MAX = 24,
    REPLY_ALLOW_BYTES = 64,
};

/* The quota of a caller, for the headers RateLimit-Policy and RateLimit of the draft
 * "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers, in its form
 * with structured fields). */
struct reply_quota {
    int64_t count, time_s; /* the policy; count 0: no headers */
    int64_t left;          /* how many requests may come at once */
    int64_t reset_s;       /* until all of count may come at once */
};

/* An answer that is not the JSON envelope. All texts are constants, or live as long as the
 * reply. */
struct reply_document {
    const char *content_type; /* NULL: there is none */
    struct span bytes;
    void *owned;          /* frees bytes where they are no constant; else NULL */
    const char *location; /* relative to the path of the call: the document is there */
    const char
        *policy;      /* Content-Security-Policy, for a page that browsers show; or NULL */
    const char *etag; /* NULL: clients are told not to keep it */
};

struct field; /* app/api/field.h */

struct reply {
    enum error error; /* ERROR_NONE: success */
    bool strict;      /* errors have the status that HTTP defines, not the published one */
    bool prefers_strict;                      /* because the client asked for it */
    int http_status;                          /* 200 on success */
    const char *code;                         /* of the error; "OK" on success; constant */
    const char *messages[REPLY_MESSAGES_MAX]; /* on errors: constants */
    size_t message_count;
    bool replayed;         /* the answer of an earlier request with the same key */
    int64_t retry_after_s; /* with ERROR_RATE_LIMITED and ERROR_UNAVAILABLE; 0: 1 */
    /* with ERROR_IP_NOT_WHITELISTED: of the client; NULL or none: not known */
    const struct address *client_address;
    const char *hidden_code; /* with ERROR_RATE_LIMITED: of the error that it hides, for
                                the log; NULL: none */
    struct reply_quota quota;
    char allow[REPLY_ALLOW_BYTES]; /* with ERROR_METHOD_NOT_ALLOWED: the methods */
    const struct field *fields;    /* on success: the members of "data" */
    size_t field_count;
    const void *values; /* what they are rendered from; NULL: no memory for it */
    bool head;          /* the request was HEAD: send only the header */
    struct reply_document document; /* on success, instead of the envelope */
};

/* Makes the reply an error, with code and HTTP status (see reply->strict) but without a
 * message. */
void reply_fail(struct reply *reply, enum error error);

/* Adds one message, a constant, to an error. */
void reply_add_message(struct reply *reply, const char *message);

/* Adds a method to those that are allowed, with HEAD behind GET. */
void reply_allow(struct reply *reply, const char *method);

#endif
