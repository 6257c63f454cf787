/*
 * The fields of calls: what a call takes and what it answers, as rows of a table. Reading,
 * judging, complaining, rendering and the documentation follow from it.
 */
#ifndef APP_API_FIELD_H
#define APP_API_FIELD_H

#include <json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/rules/error.h"
#include "app/settings.h"
#include "lib/json_writer.h"
#include "lib/span.h"
#include "lib/status.h"

/* The types, with the C types that a field is read into and rendered from. */
enum field_type {
    /* in: struct given_id, any string, as it is looked up later; out: struct uuid, of
     * zeros: null */
    FIELD_ID,
    /* struct span; in: more than white space, without U+0000; out: without data: null */
    FIELD_TEXT,
    FIELD_FLAG,    /* in: enum given_flag; 0, 1, "0", "1", false or true; out: uint8_t */
    FIELD_INTEGER, /* int64_t; in: from min to max, the default where it is not sent */
    FIELD_WORD,    /* int, the index in words; in: -1 where it is not sent */
    FIELD_CHANGE,  /* in only: struct given_text, a text that null and "" clear */
    FIELD_BOOLEAN, /* in only: as FIELD_FLAG, but documented as false or true */
    FIELD_TIME,    /* out only: int64_t, milliseconds since 1970, UTC, as RFC 3339 */
    FIELD_OBJECT,  /* fields of its own, with offsets in the same struct */
    FIELD_LIST,    /* out only: struct field_list of structs with fields of their own */
    FIELD_SECRET,  /* a credential; read by the pipeline, never into a call's struct */
};

/* Rows to render. */
struct field_list {
    const void *rows;
    size_t count, row_size;
};

/* Offset of a member of struct settings that holds a limit (int64_t). */
#define FIELD_SETTING(member) .max_setting = offsetof(struct settings, member)

/* What the text of a field must be besides: a function of app/rules/text_rules.h. */
typedef enum status field_rule(struct span text, struct problem *why);

struct field {
    const char *name;
    enum field_type type;
    bool required;
    bool nullable;      /* out: it may be null */
    bool ours;          /* not part of the published page */
    size_t offset;      /* in the struct that is filled or rendered */
    size_t shown_by;    /* out: offset of a bool, false: it is left out; 0: always there */
    size_t known_by;    /* out, of an object: offset of a bool, false: null; 0: never */
    size_t max_bytes;   /* of a text; 0: no limit of its own */
    size_t max_setting; /* of a text: FIELD_SETTING; 0: none */
    field_rule *rule;   /* of a text; NULL: none */
    int64_t min, max;   /* of an integer */
    int64_t initial;    /* of an integer: the default */
    const char *const *words;   /* of a word; ends with NULL */
    const struct field *fields; /* of an object or list */
    size_t field_count;
    const char *missing;     /* in: the message when it is missing; NULL: it is optional */
    const char *invalid;     /* in: the message when it is invalid */
    const char *description; /* a sentence */
    const char *fallback;    /* in: the default as JSON text; NULL: none */
    const char *example;     /* as JSON text */
};

enum {
    COMPLAINTS_MAX = 24,
};

/* What is wrong with a field, for the log. */
enum field_fault {
    FIELD_GOOD = 0,
    /* missing: */
    FIELD_ABSENT, /* or null, or "" */
    FIELD_BLANK,
    /* invalid: */
    FIELD_NO_STRING,
    FIELD_NUL, /* holds U+0000 */
    FIELD_TOO_LONG,
    FIELD_MALFORMED, /* breaks the rule of a text */
    FIELD_NO_FLAG,
    FIELD_NO_INTEGER,
    FIELD_OUT_OF_RANGE,
    FIELD_UNKNOWN_WORD,
    FIELD_NO_OBJECT,
    FIELD_FAULTS, /* how many there are */
};

/* What is wrong with the fields of a request. */
struct complaints {
    enum error error;                     /* ERROR_NONE: nothing */
    const char *messages[COMPLAINTS_MAX]; /* constants */
    const char *fields[COMPLAINTS_MAX];   /* the name of the field of each */
    enum field_fault faults[COMPLAINTS_MAX];
    size_t message_count;
};

/* Whether the values are texts, with a limit in bytes. */
static inline bool field_has_text(const struct field *field)
{
    return field->type == FIELD_TEXT || field->type == FIELD_CHANGE;
}

/* The most bytes that a text may have; SIZE_MAX: no limit. settings may be NULL where no
 * field has a limit by a setting. */
size_t field_max_bytes(const struct field *field, const struct settings *settings);

/*
 * Fills *out from the members of body; texts point into body. Every field is set, also one
 * that was not sent. *complaints has all complaints: those about missing fields or, if
 * there are none, those about invalid fields, in the table's order.
 */
void fields_read(void *out, const struct field *fields, size_t count,
                 struct json_object *body, const struct settings *settings,
                 struct complaints *complaints);

/* Writes *from as an object. */
void fields_render(struct json_writer *out, const void *from, const struct field *fields,
                   size_t count);

#endif
