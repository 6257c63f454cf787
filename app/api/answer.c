/* Rendering what a call answers, declared in app/api/field.h. */
#include <string.h>

#include "app/api/field.h"
#include "lib/clock.h"
#include "lib/uuid.h"

static void put_null(struct json_writer *out)
{
    json_put_text(out, span_of("null"));
}

static void put_id(struct json_writer *out, const void *from, const struct field *field)
{
    static const struct uuid none;
    char text[UUID_TEXT_BYTES];

    if (field->nullable && uuid_equals(from, &none)) {
        put_null(out);
        return;
    }
    uuid_format(from, text);
    json_put_plain(out, (struct span){text, sizeof text - 1});
}

static void put_text(struct json_writer *out, const void *from, const struct field *field)
{
    const struct span *text = from;

    if (field->nullable && text->data == NULL)
        put_null(out);
    else
        json_put_string(out, *text);
}

static void put_flag(struct json_writer *out, const void *from, const struct field *field)
{
    (void)field;
    json_put_integer(out, *(const uint8_t *)from);
}

static void put_integer(struct json_writer *out, const void *from,
                        const struct field *field)
{
    (void)field;
    json_put_integer(out, *(const int64_t *)from);
}

static void put_word(struct json_writer *out, const void *from, const struct field *field)
{
    json_put_string(out, span_of(field->words[*(const int *)from]));
}

static void put_time(struct json_writer *out, const void *from, const struct field *field)
{
    char text[CLOCK_TEXT_BYTES];

    (void)field;
    clock_format(*(const int64_t *)from, text);
    json_put_plain(out, span_of(text));
}

static void put_list(struct json_writer *out, const void *from, const struct field *field)
{
    const struct field_list *list = from;

    json_open(out, '[');
    for (size_t i = 0; i < list->count; i++)
        fields_render(out, (const char *)list->rows + i * list->row_size, field->fields,
                      field->field_count);
    json_close(out, ']');
}

static void (*const renderers[])(struct json_writer *out, const void *from,
                                 const struct field *field) = {
    [FIELD_ID] = put_id,           [FIELD_TEXT] = put_text, [FIELD_FLAG] = put_flag,
    [FIELD_INTEGER] = put_integer, [FIELD_WORD] = put_word, [FIELD_LIST] = put_list,
    [FIELD_TIME] = put_time,
};

static bool is_set(const void *from, size_t flag)
{
    return flag == 0 || *(const bool *)((const char *)from + flag);
}

static void put_field(struct json_writer *out, const void *from, const struct field *field)
{
    json_put_name(out, field->name);
    if (field->type != FIELD_OBJECT)
        renderers[field->type](out, (const char *)from + field->offset, field);
    else if (is_set(from, field->known_by))
        fields_render(out, from, field->fields, field->field_count);
    else
        put_null(out);
}

void fields_render(struct json_writer *out, const void *from, const struct field *fields,
                   size_t count)
{
    json_open(out, '{');
    for (size_t i = 0; i < count; i++)
        if (is_set(from, fields[i].shown_by))
            put_field(out, from, &fields[i]);
    json_close(out, '}');
}
