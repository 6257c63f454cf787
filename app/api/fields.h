/*
 * The fields of a call's JSON body: one table says what they are, and reading, judging and
 * complaining follow from it.
 */
#ifndef APP_API_FIELDS_H
#define APP_API_FIELDS_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>

#include "app/serve/reply.h"

enum field_type {
    FIELD_ID,   /* struct given_id: any string; whether it names something is asked later */
    FIELD_TEXT, /* struct span: a string with more than white space, without U+0000 */
    FIELD_FLAG, /* enum given_flag: 0, 1, "0", "1", false or true; "" is not sent */
};

struct field {
    const char *name;
    enum field_type type;
    bool required;
    size_t offset;       /* in the struct that is filled */
    const char *missing; /* what a caller is told; NULL where it is not required */
    const char *invalid;
    const char *description; /* for people who read about the call */
};

/*
 * Fills *out from the members of body; texts point into body. STATUS_OK, or STATUS_REFUSED
 * and the reply has all complaints: first those about fields that are missing and, when
 * none is, those about fields that are invalid, in the table's order.
 */
enum status fields_read(void *out, const struct field *fields, size_t count,
                        struct json_object *body, size_t max_text_bytes,
                        struct reply *reply);

#endif
