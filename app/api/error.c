#include "app/api/error.h"

#include <assert.h>
#include <stddef.h>

static const struct error_text texts[ERROR_COUNT] = {
    [ERROR_MISSING_API_KEY] = {.http_status = 200,
                               .strict_status = 401,
                               .code = "MISSING_API_KEY",
                               .message = "Missing service instance",
                               .when = "`api_key` is absent, null or empty.",
                               .remedy = "Send the API key of a member."},
    [ERROR_INVALID_API_KEY] =
        {.http_status = 200,
         .strict_status = 401,
         .code = "INVALID_API_KEY",
         .message = "Invalid API Key",
         .when = "No live key of an active member matches, or it is a former key whose "
                 "time is over.",
         .remedy = "Check the key, or have a new one issued."},
    [ERROR_IP_NOT_WHITELISTED] =
        {.http_status = 200,
         .strict_status = 403,
         .code = "IP_NOT_WHITELISTED",
         .message = "IP address not whitelisted",
         .when = "The developer key may not be used from the address of the client.",
         .remedy = "Have the address allowed for the developer key."},
    [ERROR_MISSING_DEVELOPER_SECRET] = {.http_status = 200,
                                        .strict_status = 401,
                                        .code = "MISSING_DEVELOPER_SECRET",
                                        .message = "Missing developer_secret",
                                        .when = "`developer_secret` is absent, null or "
                                                "empty.",
                                        .remedy = "Send the secret of the developer key."},
    [ERROR_INVALID_DEVELOPER_SECRET] =
        {.http_status = 200,
         .strict_status = 401,
         .code = "INVALID_DEVELOPER_SECRET",
         .message = "Invalid developer_secret",
         .when = "No live developer key of the organization matches, or it is a former "
                 "secret whose time is over.",
         .remedy = "Check the secret; if it is lost, have the key rotated."},
    [ERROR_MISSING_FIELDS] = {.http_status = 200,
                              .strict_status = 400,
                              .code = "MISSING_FIELDS",
                              .when = "Required fields are absent, null or empty; there is "
                                      "a message for each.",
                              .remedy = "Send all required fields."},
    [ERROR_INVALID_FIELDS] = {.http_status = 200,
                              .strict_status = 400,
                              .code = "INVALID_FIELDS",
                              .when = "Fields have a wrong type or value; there is a "
                                      "message for each.",
                              .remedy = "See the description of the field."},
    [ERROR_NOT_FOUND] = {.http_status = 200,
                         .strict_status = 404,
                         .code = "NOT_FOUND",
                         .message = "Contact does not exist",
                         .when = "No contact has this id.",
                         .remedy = "Check `contact_id`."},
    [ERROR_WRONG_ORG] = {.http_status = 200,
                         .strict_status = 403,
                         .code = "WRONG_ORG",
                         .message = "You are trying to use a contact that does not belong "
                                    "to your organization",
                         .when = "The contact is of another organization than `org_id`, or "
                                 "`org_id` is not the organization of the API key.",
                         .remedy = "See that `contact_id`, `org_id` and `api_key` belong "
                                   "together."},
    [ERROR_NOT_OWNER] = {.http_status = 200,
                         .strict_status = 403,
                         .code = "NOT_OWNER",
                         .when = "The member does not own the contact, or is deactivated.",
                         .remedy = "Send the owner's `member_id`, or have the contact "
                                   "assigned."},
    [ERROR_NOTE_NOT_FOUND] = {.http_status = 200,
                              .strict_status = 404,
                              .code = "NOTE_NOT_FOUND",
                              .message = "Note does not exist",
                              .when = "The contact has no such note, or it is private to "
                                      "another author.",
                              .remedy = "Check `note_id`."},
    [ERROR_NOTE_NOT_EDITABLE] = {.http_status = 200,
                                 .strict_status = 403,
                                 .code = "NOTE_NOT_EDITABLE",
                                 .message = "Note is not editable",
                                 .when = "Another author's note does not have "
                                         "`note_editable`.",
                                 .remedy = "Add a note of your own."},
    [ERROR_INVALID_JSON] = {.http_status = 400,
                            .strict_status = 400,
                            .code = "INVALID_JSON",
                            .message = "Request body is not valid JSON",
                            .when = "The body is not JSON in UTF-8, has a member name "
                                    "twice, or was cut off.",
                            .remedy = "Make the body with a JSON library."},
    [ERROR_NO_JSON_OBJECT] = {.http_status = 400,
                              .strict_status = 400,
                              .code = "INVALID_JSON",
                              .message = "Request body must be a JSON object",
                              .when = "The body is another JSON value.",
                              .remedy = "Send one object."},
    [ERROR_INVALID_IDEMPOTENCY_KEY] = {.http_status = 400,
                                       .strict_status = 400,
                                       .code = "INVALID_IDEMPOTENCY_KEY",
                                       .message = "Invalid Idempotency-Key",
                                       .when = "The header does not have 1 to 255 "
                                               "printable ASCII characters.",
                                       .remedy = "Send a UUID, or no such header."},
    [ERROR_UNKNOWN_ENDPOINT] = {.http_status = 404,
                                .strict_status = 404,
                                .code = "UNKNOWN_ENDPOINT",
                                .message = "Not found",
                                .when = "No call has this path.",
                                .remedy = "Check the path."},
    [ERROR_METHOD_NOT_ALLOWED] = {.http_status = 405,
                                  .strict_status = 405,
                                  .code = "METHOD_NOT_ALLOWED",
                                  .message = "Method not allowed",
                                  .when = "The call has another method.",
                                  .remedy = "Use a method of the header `Allow`."},
    [ERROR_BODY_TOO_LARGE] = {.http_status = 413,
                              .strict_status = 413,
                              .code = "BODY_TOO_LARGE",
                              .message = "Request body is too large",
                              .when = "The body is longer than `max_body_bytes`.",
                              .remedy = "Send less."},
    [ERROR_IDEMPOTENCY_MISMATCH] = {.http_status = 422,
                                    .strict_status = 422,
                                    .code = "IDEMPOTENCY_MISMATCH",
                                    .message = "Idempotency-Key was already used with a "
                                               "different request",
                                    .when = "The key came with other fields before.",
                                    .remedy = "Make a new key for each request."},
    [ERROR_RATE_LIMITED] = {.http_status = 429,
                            .strict_status = 429,
                            .code = "RATE_LIMITED",
                            .message = "Too many requests",
                            .when = "The quota of the developer key is used up, or too "
                                    "many requests were refused.",
                            .remedy = "Wait for the seconds in `Retry-After`."},
    [ERROR_UNAVAILABLE] = {.http_status = 503,
                           .strict_status = 503,
                           .code = "UNAVAILABLE",
                           .message = "The service is not available. Try again.",
                           .when = "The database is locked, full or away.",
                           .remedy = "Send the request again; nothing was stored."},
    [ERROR_OUTCOME_UNKNOWN] = {.http_status = 503,
                               .strict_status = 503,
                               .code = "OUTCOME_UNKNOWN",
                               .message = "The outcome is unknown. Repeat the request with "
                                          "the same Idempotency-Key.",
                               .when = "The commit failed, or the writer ended meanwhile.",
                               .remedy = "Send the request again with the same "
                                         "`Idempotency-Key`."},
    [ERROR_INTERNAL] = {.http_status = 500,
                        .strict_status = 500,
                        .code = "INTERNAL",
                        .message = "Internal error",
                        .when = "A fault of this program.",
                        .remedy = "Give the `X-Request-Id` to the operator of the server."},
};

const struct error_text *error_text(enum error error)
{
    assert(error > ERROR_NONE && error < ERROR_COUNT);
    return &texts[error];
}
