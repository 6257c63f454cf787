#include "app/api/fields.h"

#include <string.h>

#include "app/store/note_write.h"
#include "lib/json.h"
#include "lib/utf8.h"

enum verdict { GOOD, MISSING, INVALID };

/* value is never null nor the empty string; these count as absent for every type. */
static enum verdict read_id(void *out, struct json_object *value, size_t max_text_bytes)
{
    struct given_id *id = out;
    struct span text = json_string(value);

    (void)max_text_bytes;
    if (text.data == NULL)
        return INVALID;
    id->given = true;
    id->is_uuid = uuid_parse(&id->uuid, text);
    return GOOD;
}

static enum verdict read_text(void *out, struct json_object *value, size_t max_text_bytes)
{
    struct span text = json_string(value);

    if (text.data == NULL)
        return INVALID;
    if (utf8_blank(text))
        return MISSING;
    if (text.len > max_text_bytes || memchr(text.data, '\0', text.len) != NULL)
        return INVALID;
    *(struct span *)out = text;
    return GOOD;
}

static bool is_number(struct json_object *value, int64_t number)
{
    return json_object_is_type(value, json_type_int) &&
           json_object_get_int64(value) == number;
}

static bool is_boolean(struct json_object *value, bool truth)
{
    return json_object_is_type(value, json_type_boolean) &&
           (json_object_get_boolean(value) != 0) == truth;
}

static enum verdict read_flag(void *out, struct json_object *value, size_t max_text_bytes)
{
    struct span text = json_string(value);
    enum given_flag *flag = out;

    (void)max_text_bytes;
    if (is_number(value, 1) || is_boolean(value, true) || span_equals(text, span_of("1")))
        *flag = FLAG_ON;
    else if (is_number(value, 0) || is_boolean(value, false) ||
             span_equals(text, span_of("0")))
        *flag = FLAG_OFF;
    else
        return INVALID;
    return GOOD;
}

static void forget_id(void *out)
{
    *(struct given_id *)out = (struct given_id){.given = false};
}

static void forget_text(void *out)
{
    *(struct span *)out = (struct span){NULL, 0};
}

static void forget_flag(void *out)
{
    *(enum given_flag *)out = FLAG_NOT_SENT;
}

static const struct {
    enum verdict (*read)(void *out, struct json_object *value, size_t max_text_bytes);
    void (*forget)(void *out);
} types[] = {
    [FIELD_ID] = {read_id, forget_id},
    [FIELD_TEXT] = {read_text, forget_text},
    [FIELD_FLAG] = {read_flag, forget_flag},
};

static enum verdict read_field(void *out, const struct field *field,
                               struct json_object *body, size_t max_text_bytes)
{
    struct json_object *value = NULL;
    void *place = (char *)out + field->offset;

    types[field->type].forget(place);
    (void)json_object_object_get_ex(body, field->name, &value);
    struct span text = json_string(value);
    if (value == NULL || (text.data != NULL && text.len == 0))
        return field->required ? MISSING : GOOD;
    return types[field->type].read(place, value, max_text_bytes);
}

enum status fields_read(void *out, const struct field *fields, size_t count,
                        struct json_object *body, size_t max_text_bytes,
                        struct reply *reply)
{
    enum verdict worst = GOOD;

    for (size_t i = 0; i < count; i++) {
        enum verdict verdict = read_field(out, &fields[i], body, max_text_bytes);
        if (verdict == GOOD || (verdict == INVALID && worst == MISSING))
            continue;
        if (verdict != worst)
            reply_fail(reply,
                       verdict == MISSING ? ERROR_MISSING_FIELDS : ERROR_INVALID_FIELDS);
        worst = verdict;
        reply_add_message(reply, verdict == MISSING ? fields[i].missing : fields[i].invalid,
                          fields[i].name);
    }
    return worst == GOOD ? STATUS_OK : STATUS_REFUSED;
}
