/*
 * Every error that a caller can get. Their texts are in app/api/error.c. docs/api.md
 * numbers the checks in their order.
 */
#ifndef APP_RULES_ERROR_H
#define APP_RULES_ERROR_H

enum error {
    ERROR_NONE = 0,
    /* published errors, in the order of the checks */
    ERROR_MISSING_API_KEY,
    ERROR_INVALID_API_KEY,
    ERROR_IP_NOT_WHITELISTED,
    ERROR_MISSING_DEVELOPER_SECRET,
    ERROR_INVALID_DEVELOPER_SECRET,
    ERROR_MISSING_FIELDS,   /* the messages come from the call's table of fields */
    ERROR_INVALID_FIELDS,   /* so do these */
    ERROR_MEMBER_NOT_FOUND, /* not in the published table, but of its kind */
    ERROR_NOT_FOUND,
    ERROR_WRONG_ORG,
    ERROR_NOT_OWNER,
    ERROR_NOTE_NOT_FOUND,
    ERROR_NOTE_NOT_EDITABLE,
    ERROR_CONTACT_EXISTS, /* these neither */
    ERROR_CONTACT_AMBIGUOUS,
    ERROR_MISSING_CONTACT_NAME,
    ERROR_MISSING_ENTITY_NAME,
    ERROR_INVALID_CURSOR,
    /* errors that the published page does not have */
    ERROR_INVALID_JSON,
    ERROR_NO_JSON_OBJECT,
    ERROR_INVALID_IDEMPOTENCY_KEY,
    ERROR_UNKNOWN_ENDPOINT,
    ERROR_METHOD_NOT_ALLOWED,
    ERROR_BODY_TOO_LARGE,
    ERROR_UNSUPPORTED_ENCODING,
    ERROR_IDEMPOTENCY_MISMATCH,
    ERROR_RATE_LIMITED,
    ERROR_UNAVAILABLE,
    ERROR_OUTCOME_UNKNOWN,
    ERROR_INTERNAL,
    ERROR_COUNT,
};

#endif
