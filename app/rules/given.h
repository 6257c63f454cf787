/*
 * Values as a caller wrote them in a request.
 */
#ifndef APP_RULES_GIVEN_H
#define APP_RULES_GIVEN_H

#include <stdbool.h>

#include "lib/uuid.h"

/* An id. Nothing has an id that is no UUID. */
struct given_id {
    bool given;   /* false: absent, null or empty */
    bool is_uuid; /* uuid is valid */
    struct uuid uuid;
};

enum given_flag { FLAG_NOT_SENT = -1, FLAG_OFF = 0, FLAG_ON = 1 };

/* Whether the caller wrote this id. */
static inline bool given_id_is(const struct given_id *given, const struct uuid *id)
{
    return given->is_uuid && uuid_equals(&given->uuid, id);
}

#endif
