#include "app/api/error.h"

#include <assert.h>
#include <stddef.h>

static const struct error_text texts[ERROR_COUNT] = {
    [ERROR_MISSING_API_KEY] = {200, "MISSING_API_KEY", "Missing service instance"},
    [ERROR_INVALID_API_KEY] = {200, "INVALID_API_KEY", "Invalid API Key"},
    [ERROR_IP_NOT_WHITELISTED] = {200, "IP_NOT_WHITELISTED", "IP address not whitelisted"},
    [ERROR_MISSING_DEVELOPER_SECRET] = {200, "MISSING_DEVELOPER_SECRET",
                                        "Missing developer_secret"},
    [ERROR_INVALID_DEVELOPER_SECRET] = {200, "INVALID_DEVELOPER_SECRET",
                                        "Invalid developer_secret"},
    [ERROR_MISSING_FIELDS] = {200, "MISSING_FIELDS", NULL},
    [ERROR_INVALID_FIELDS] = {200, "INVALID_FIELDS", NULL},
    [ERROR_NOT_FOUND] = {200, "NOT_FOUND", "Contact does not exist"},
    [ERROR_WRONG_ORG] =
        {200, "WRONG_ORG",
         "You are trying to add a note to a contact that does not belong to "
         "your organization"},
    [ERROR_NOT_OWNER] = {200, "NOT_OWNER",
                         "The API only supports notes being added by the member that owns "
                         "the contact."},
    [ERROR_NOTE_NOT_FOUND] = {200, "NOTE_NOT_FOUND", "Note does not exist"},
    [ERROR_NOTE_NOT_EDITABLE] = {200, "NOTE_NOT_EDITABLE", "Note is not editable"},
    [ERROR_INVALID_JSON] = {400, "INVALID_JSON", "Request body is not valid JSON"},
    [ERROR_NO_JSON_OBJECT] = {400, "INVALID_JSON", "Request body must be a JSON object"},
    [ERROR_INVALID_IDEMPOTENCY_KEY] = {400, "INVALID_IDEMPOTENCY_KEY",
                                       "Invalid Idempotency-Key"},
    [ERROR_UNKNOWN_ENDPOINT] = {404, "UNKNOWN_ENDPOINT", "Not found"},
    [ERROR_METHOD_NOT_ALLOWED] = {405, "METHOD_NOT_ALLOWED", "Method not allowed"},
    [ERROR_BODY_TOO_LARGE] = {413, "BODY_TOO_LARGE", "Request body is too large"},
    [ERROR_IDEMPOTENCY_MISMATCH] = {422, "IDEMPOTENCY_MISMATCH",
                                    "Idempotency-Key was already used with a different "
                                    "request"},
    [ERROR_RATE_LIMITED] = {429, "RATE_LIMITED", "Too many requests"},
    [ERROR_UNAVAILABLE] = {503, "UNAVAILABLE", "The note was not stored. Try again."},
    [ERROR_OUTCOME_UNKNOWN] = {503, "OUTCOME_UNKNOWN",
                               "The outcome is unknown. Repeat the request with the same "
                               "Idempotency-Key."},
    [ERROR_INTERNAL] = {500, "INTERNAL", "Internal error"},
};

const struct error_text *error_text(enum error error)
{
    assert(error > ERROR_NONE && error < ERROR_COUNT);
    return &texts[error];
}
