/*
 * Values as a caller wrote them in a request.
 */
#ifndef APP_RULES_GIVEN_H
#define APP_RULES_GIVEN_H

#include <stdbool.h>

#include "lib/span.h"
#include "lib/uuid.h"

/* An id. Nothing has an id that is no UUID. */
struct given_id {
    bool given;   /* false: absent, null or empty */
    bool is_uuid; /* uuid is valid */
    struct uuid uuid;
};

/* A text that can be changed, cleared, or left as it is. */
struct given_text {
    bool given;       /* false: absent */
    struct span text; /* empty: null, or nothing but white space */
};

enum given_flag { FLAG_NOT_SENT = -1, FLAG_OFF = 0, FLAG_ON = 1 };

/* The functions below judge values that come from another process, which may hold
 * anything: a bool that is neither 0 nor 1 must not even be read as one. */
static inline bool given_bool_is_sound(const bool *flag)
{
    return *(const unsigned char *)flag <= 1;
}

static inline bool given_id_is_sound(const struct given_id *id)
{
    return given_bool_is_sound(&id->given) && given_bool_is_sound(&id->is_uuid);
}

static inline bool given_flag_is_sound(enum given_flag flag)
{
    return flag == FLAG_NOT_SENT || flag == FLAG_OFF || flag == FLAG_ON;
}

static inline bool given_text_is_sound(const struct given_text *text)
{
    return given_bool_is_sound(&text->given);
}

/* Whether the caller wrote this id. */
static inline bool given_id_is(const struct given_id *given, const struct uuid *id)
{
    return given->is_uuid && uuid_equals(&given->uuid, id);
}

#endif
