/* Rendering what a call answers, declared in app/api/field.h. */
#include <string.h>

#include "app/api/field.h"
#include "lib/json.h"
#include "lib/uuid.h"

static struct json_object *render_id(const void *from, const struct field *field)
{
    static const struct uuid none;
    char text[UUID_TEXT_BYTES];

    if (field->nullable && uuid_equals(from, &none))
        return NULL;
    uuid_format(from, text);
    return json_object_new_string_len(text, sizeof text - 1);
}

static struct json_object *render_text(const void *from, const struct field *field)
{
    const struct span *text = from;

    if (field->nullable && text->data == NULL)
        return NULL;
    return json_object_new_string_len(text->data, (int)text->len);
}

static struct json_object *render_flag(const void *from, const struct field *field)
{
    (void)field;
    return json_object_new_int(*(const uint8_t *)from);
}

static struct json_object *render_integer(const void *from, const struct field *field)
{
    (void)field;
    return json_object_new_int64(*(const int64_t *)from);
}

static struct json_object *render_word(const void *from, const struct field *field)
{
    return json_object_new_string(field->words[*(const int *)from]);
}

static struct json_object *render_list(const void *from, const struct field *field)
{
    const struct field_list *list = from;
    struct json_object *array = json_object_new_array_ext((int)list->count);

    for (size_t i = 0; array != NULL && i < list->count; i++)
        (void)json_object_array_add(
            array, fields_render((const char *)list->rows + i * list->row_size,
                                 field->fields, field->field_count));
    return array;
}

static struct json_object *(*const renderers[])(const void *from,
                                                const struct field *field) = {
    [FIELD_ID] = render_id,     [FIELD_TEXT] = render_text,
    [FIELD_FLAG] = render_flag, [FIELD_INTEGER] = render_integer,
    [FIELD_WORD] = render_word, [FIELD_LIST] = render_list,
};

struct json_object *fields_render(const void *from, const struct field *fields,
                                  size_t count)
{
    struct json_object *object = json_object_new_object();

    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        json_add(object, field->name,
                 field->type == FIELD_OBJECT
                     ? fields_render(from, field->fields, field->field_count)
                     : renderers[field->type]((const char *)from + field->offset, field));
    }
    return object;
}
