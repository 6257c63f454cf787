/*
 * What a request is answered with, and how that looks on the wire.
 */
#ifndef APP_SERVE_REPLY_H
#define APP_SERVE_REPLY_H

#include <json.h>
#include <stdbool.h>
#include <stdint.h>

#include "app/api/error.h"
#include "lib/arena.h"
#include "lib/span.h"
#include "lib/status.h"

enum {
    REPLY_MESSAGES_MAX = 8,
};

/* How much a caller may send, told in the fields RateLimit-Policy and RateLimit of the draft
 * "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers, in its form with
 * structured fields). */
struct reply_quota {
    int64_t count, time_s; /* the policy; count 0: nothing is said */
    int64_t left;          /* how many may come at once */
    int64_t reset_s;       /* until all of count may come at once */
};

struct reply {
    enum error error;                         /* ERROR_NONE: success */
    const char *messages[REPLY_MESSAGES_MAX]; /* on errors: constants */
    const char *fields[REPLY_MESSAGES_MAX];   /* what each is about; NULL: no field */
    size_t message_count;
    bool replayed;         /* the answer of an earlier request with the same key */
    int64_t retry_after_s; /* with ERROR_RATE_LIMITED */
    enum error instead_of; /* with ERROR_RATE_LIMITED: what it hides; for the log only */
    struct reply_quota quota;
    const char *allow;        /* with ERROR_METHOD_NOT_ALLOWED: a constant */
    struct json_object *data; /* on success: the member "data"; owned */
};

/* Makes it the error, with the error's own message if it has one. */
void reply_fail(struct reply *reply, enum error error);

/* Adds one more message to an error; field: the name of what it is about, for the log, or
 * NULL. Both are constants. */
void reply_add_message(struct reply *reply, const char *message, const char *field);

/*
 * Writes CGI header and JSON body into the arena. Takes reply->data over and frees it.
 * STATUS_NO_MEMORY: then *out is empty.
 */
enum status reply_render(struct reply *reply, const char *request_id, struct arena *arena,
                         struct span *out);

/* The HTTP status of the reply. */
int reply_http_status(const struct reply *reply);

#endif
