/*
 * Every error that a caller can get: one table of code, HTTP status and message.
 */
#ifndef APP_API_ERROR_H
#define APP_API_ERROR_H

enum error {
    ERROR_NONE = 0,
    /* the published ones, answered with HTTP 200, in the order in which they are checked */
    ERROR_MISSING_API_KEY,
    ERROR_INVALID_API_KEY,
    ERROR_IP_NOT_WHITELISTED,
    ERROR_MISSING_DEVELOPER_SECRET,
    ERROR_INVALID_DEVELOPER_SECRET,
    ERROR_MISSING_FIELDS, /* its messages come from the call's table of fields */
    ERROR_INVALID_FIELDS, /* likewise */
    ERROR_NOT_FOUND,
    ERROR_WRONG_ORG,
    ERROR_NOT_OWNER,
    ERROR_NOTE_NOT_FOUND,
    ERROR_NOTE_NOT_EDITABLE,
    /* what the published page does not know, with a status of its own */
    ERROR_INVALID_JSON,
    ERROR_NO_JSON_OBJECT,
    ERROR_INVALID_IDEMPOTENCY_KEY,
    ERROR_UNKNOWN_ENDPOINT,
    ERROR_METHOD_NOT_ALLOWED,
    ERROR_BODY_TOO_LARGE,
    ERROR_IDEMPOTENCY_MISMATCH,
    ERROR_RATE_LIMITED,
    ERROR_UNAVAILABLE,
    ERROR_OUTCOME_UNKNOWN,
    ERROR_INTERNAL,
    ERROR_COUNT,
};

struct error_text {
    int http_status;
    const char *code;    /* of the header X-Error-Code and of the log */
    const char *message; /* NULL: the call's fields have them */
};

/* The row of an error; not for ERROR_NONE. */
const struct error_text *error_text(enum error error);

#endif
