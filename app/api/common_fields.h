/*
 * Fields that several calls take, as initialisers of struct field; each call adds the
 * offset and, where there is none here, a description.
 */
#ifndef APP_API_COMMON_FIELDS_H
#define APP_API_COMMON_FIELDS_H

#include "app/api/field.h"

#define EXAMPLE_ORG     "\"0199b0d2-6c51-7e4a-9a2f-3b8f6f3f7a10\""
#define EXAMPLE_MEMBER  "\"0199b0d2-9d07-7c33-8a41-52f1c9de0b77\""
#define EXAMPLE_CONTACT "\"a1b2c3d4-e5f6-7890-abcd-ef1234567890\""
#define EXAMPLE_NOTE    "\"Had a great demo call. Follow up next week.\""
#define EXAMPLE_NOTE_ID "\"c3d4e5f6-a7b8-9012-cdef-345678901234\""

#define FIELD_ORG                                                                          \
    .name = "org_id", .type = FIELD_ID, .required = true, .missing = "Missing org ID",     \
    .invalid = "Invalid org ID", .description = "The UUID of your organization.",          \
    .example = EXAMPLE_ORG
#define FIELD_MEMBER                                                                       \
    .name = "member_id", .type = FIELD_ID, .required = true,                               \
    .missing = "Missing member ID", .invalid = "Invalid member ID",                        \
    .example = EXAMPLE_MEMBER
#define FIELD_CONTACT                                                                      \
    .name = "contact_id", .type = FIELD_ID, .required = true,                              \
    .missing = "Missing contact ID", .invalid = "Invalid contact ID",                      \
    .example = EXAMPLE_CONTACT

#endif
