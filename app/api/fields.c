#include "app/api/field.h"

#include <assert.h>
#include <string.h>

#include "app/rules/given.h"
#include "lib/json.h"
#include "lib/utf8.h"

size_t field_max_bytes(const struct field *field, const struct settings *settings)
{
    if (field->max_setting != 0)
        return (size_t) * (const int64_t *)((const char *)settings + field->max_setting);
    return field->max_bytes != 0 ? field->max_bytes : SIZE_MAX;
}

/* The functions below never get null or an empty string as value: these count as absent. */
static enum field_fault read_id(void *out, const struct field *field,
                                struct json_object *value, const struct settings *settings)
{
    struct given_id *id = out;
    struct span text = json_string(value);

    (void)field;
    (void)settings;
    if (text.data == NULL)
        return FIELD_NO_STRING;
    id->given = true;
    id->is_uuid = uuid_parse(&id->uuid, text);
    return FIELD_GOOD;
}

/* A text that is not blank. */
static enum field_fault check_text(const struct field *field, struct span text,
                                   const struct settings *settings)
{
    if (text.len > field_max_bytes(field, settings))
        return FIELD_TOO_LONG;
    if (memchr(text.data, '\0', text.len) != NULL)
        return FIELD_NUL;
    if (field->rule != NULL && field->rule(text, NULL) != STATUS_OK)
        return FIELD_MALFORMED;
    return FIELD_GOOD;
}

static enum field_fault read_text(void *out, const struct field *field,
                                  struct json_object *value,
                                  const struct settings *settings)
{
    struct span text = json_string(value);

    if (text.data == NULL)
        return FIELD_NO_STRING;
    if (utf8_blank(text))
        return FIELD_BLANK;
    enum field_fault fault = check_text(field, text, settings);
    if (fault == FIELD_GOOD)
        *(struct span *)out = text;
    return fault;
}

static enum field_fault read_change(void *out, const struct field *field,
                                    struct json_object *value,
                                    const struct settings *settings)
{
    struct span text = json_string(value);
    enum field_fault fault = FIELD_GOOD;

    if (text.data == NULL)
        return FIELD_NO_STRING;
    if (utf8_blank(text))
        text.len = 0;
    else
        fault = check_text(field, text, settings);
    if (fault == FIELD_GOOD)
        *(struct given_text *)out = (struct given_text){.given = true, .text = text};
    return fault;
}

/* Reads a number without a fraction, however it is written: 1, 1.0 and 1e0 are one number
 * to most languages. False: the value is none, or beyond the integers that a double holds
 * exactly. */
static bool whole_number(int64_t *out, struct json_object *value)
{
    const double limit = 9007199254740992.0; /* 2^53 */

    *out = json_object_get_int64(value);
    if (!json_object_is_type(value, json_type_double))
        return json_object_is_type(value, json_type_int);
    double number = json_object_get_double(value);
    return number > -limit && number < limit && (double)*out == number;
}

static bool is_number(struct json_object *value, int64_t wanted)
{
    int64_t number;

    return whole_number(&number, value) && number == wanted;
}

static bool is_boolean(struct json_object *value, bool truth)
{
    return json_object_is_type(value, json_type_boolean) &&
           (json_object_get_boolean(value) != 0) == truth;
}

static enum field_fault read_flag(void *out, const struct field *field,
                                  struct json_object *value,
                                  const struct settings *settings)
{
    struct span text = json_string(value);
    enum given_flag *flag = out;

    (void)field;
    (void)settings;
    if (is_number(value, 1) || is_boolean(value, true) || span_equals(text, span_of("1")))
        *flag = FLAG_ON;
    else if (is_number(value, 0) || is_boolean(value, false) ||
             span_equals(text, span_of("0")))
        *flag = FLAG_OFF;
    else
        return FIELD_NO_FLAG;
    return FIELD_GOOD;
}

static enum field_fault read_integer(void *out, const struct field *field,
                                     struct json_object *value,
                                     const struct settings *settings)
{
    int64_t number;

    (void)settings;
    if (!whole_number(&number, value))
        return FIELD_NO_INTEGER;
    /* json-c makes one of these two of every number beyond them */
    if (number == INT64_MIN || number == INT64_MAX || number < field->min ||
        number > field->max)
        return FIELD_OUT_OF_RANGE;
    *(int64_t *)out = number;
    return FIELD_GOOD;
}

static enum field_fault read_word(void *out, const struct field *field,
                                  struct json_object *value,
                                  const struct settings *settings)
{
    struct span text = json_string(value);

    (void)settings;
    for (int i = 0; text.data != NULL && field->words[i] != NULL; i++) {
        if (!span_equals(text, span_of(field->words[i])))
            continue;
        *(int *)out = i;
        return FIELD_GOOD;
    }
    return FIELD_UNKNOWN_WORD;
}

static void clear_id(void *out, const struct field *field)
{
    (void)field;
    *(struct given_id *)out = (struct given_id){.given = false};
}

static void clear_text(void *out, const struct field *field)
{
    (void)field;
    *(struct span *)out = (struct span){NULL, 0};
}

static void clear_change(void *out, const struct field *field)
{
    (void)field;
    *(struct given_text *)out = (struct given_text){.given = false};
}

static void clear_flag(void *out, const struct field *field)
{
    (void)field;
    *(enum given_flag *)out = FLAG_NOT_SENT;
}

static void clear_integer(void *out, const struct field *field)
{
    *(int64_t *)out = field->initial;
}

static void clear_word(void *out, const struct field *field)
{
    (void)field;
    *(int *)out = -1;
}

static const struct {
    enum field_fault (*read)(void *out, const struct field *field,
                             struct json_object *value, const struct settings *settings);
    /* Sets the field to what "not sent" means. */
    void (*clear)(void *out, const struct field *field);
} types[] = {
    [FIELD_ID] = {.read = read_id, .clear = clear_id},
    [FIELD_TEXT] = {.read = read_text, .clear = clear_text},
    [FIELD_FLAG] = {.read = read_flag, .clear = clear_flag},
    [FIELD_INTEGER] = {.read = read_integer, .clear = clear_integer},
    [FIELD_WORD] = {.read = read_word, .clear = clear_word},
    [FIELD_CHANGE] = {.read = read_change, .clear = clear_change},
    [FIELD_BOOLEAN] = {.read = read_flag, .clear = clear_flag},
};

static void complain(struct complaints *complaints, const struct field *field,
                     enum field_fault fault)
{
    bool is_missing = fault == FIELD_ABSENT || fault == FIELD_BLANK;
    enum error error = is_missing ? ERROR_MISSING_FIELDS : ERROR_INVALID_FIELDS;

    if (fault == FIELD_GOOD || (!is_missing && complaints->error == ERROR_MISSING_FIELDS))
        return;
    if (complaints->error != error)
        complaints->message_count = 0;
    complaints->error = error;
    assert(complaints->message_count < COMPLAINTS_MAX);
    complaints->fields[complaints->message_count] = field->name;
    complaints->faults[complaints->message_count] = fault;
    complaints->messages[complaints->message_count++] =
        is_missing ? field->missing : field->invalid;
}

/* NULL: absent, null or "". */
static struct json_object *member_of(struct json_object *body, const char *name)
{
    struct json_object *value = body != NULL ? json_member(body, name) : NULL;
    struct span text = json_string(value);
    return text.data != NULL && text.len == 0 ? NULL : value;
}

/* Reads a nested object. Where it is not sent, its fields count as not sent, but not as
 * missing. */
static void read_object(void *out, const struct field *field, struct json_object *value,
                        const struct settings *settings, struct complaints *complaints)
{
    struct complaints inside = {.error = ERROR_NONE};
    bool is_object = json_object_is_type(value, json_type_object);

    if (value == NULL || !is_object)
        complain(complaints, field,
                 value != NULL     ? FIELD_NO_OBJECT
                 : field->required ? FIELD_ABSENT
                                   : FIELD_GOOD);
    fields_read(out, field->fields, field->field_count, is_object ? value : NULL, settings,
                is_object ? complaints : &inside);
}

/* null and "" are values of a text that they clear, and nothing to other fields. */
static bool clears(const struct field *field, struct json_object *body)
{
    return field->type == FIELD_CHANGE && body != NULL &&
           json_object_object_get_ex(body, field->name, NULL);
}

static enum field_fault read_field(void *out, const struct field *field,
                                   struct json_object *value,
                                   const struct settings *settings)
{
    types[field->type].clear(out, field);
    if (value == NULL)
        return field->required ? FIELD_ABSENT : FIELD_GOOD;
    return types[field->type].read(out, field, value, settings);
}

void fields_read(void *out, const struct field *fields, size_t count,
                 struct json_object *body, const struct settings *settings,
                 struct complaints *complaints)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        struct json_object *value = member_of(body, field->name);

        if (field->type == FIELD_OBJECT)
            read_object(out, field, value, settings, complaints);
        else
            complain(complaints, field,
                     read_field((char *)out + field->offset, field, value, settings));
        if (value == NULL && clears(field, body))
            ((struct given_text *)((char *)out + field->offset))->given = true;
    }
}
