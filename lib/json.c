#include "lib/json.h"

#include <limits.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/json_pairs.h"

enum {
    KEPT_BYTES = 4096, /* of the longest text whose tokener is kept for the next one */
    FEW_MEMBERS = 16,  /* comparing with each is quicker than hashing a name */
};

/* json-c reads numbers in the locale "C", into which it changes a copy of the present one
 * for each text. Where that is "C" already, libc needs no copy. */
static struct json_object *parse_in_c(struct json_tokener *tokener, struct span text)
{
    static locale_t c;

    if (c == (locale_t)0)
        c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = uselocale(c); /* without a locale that only asks */
    struct json_object *object = json_tokener_parse_ex(tokener, text.data, (int)text.len);

    (void)uselocale(before);
    return object;
}

/* Parses text that json_scan has accepted. NULL: no memory. To make a tokener costs a tenth
 * of what parsing costs, so that of a short text is used again. */
static struct json_object *parse(struct span text)
{
    static struct json_tokener *tokener;

    if (tokener == NULL)
        tokener = json_tokener_new_ex(2 * JSON_MAX_DEPTH);
    if (tokener == NULL)
        return NULL;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *object = parse_in_c(tokener, text);
    json_tokener_reset(tokener);
    if (text.len > KEPT_BYTES) {
        json_tokener_free(tokener);
        tokener = NULL;
    }
    return object;
}

enum json_kind json_parse_telling(struct json_object **out, struct span text,
                                  struct arena *arena, struct json_findings *findings)
{
    enum json_kind kind = json_scan_telling(text, arena, findings);

    *out = NULL;
    if (kind != JSON_OBJECT || text.len > INT_MAX)
        return kind == JSON_OBJECT ? JSON_BROKEN : kind;
    if (json_pairs_resolve(&text, arena) != STATUS_OK)
        return JSON_NO_MEMORY;
    struct json_object *object = parse(text);
    if (object == NULL || (size_t)json_object_object_length(object) != findings->members) {
        json_object_put(object);
        return JSON_NO_MEMORY;
    }
    *out = object;
    return JSON_OBJECT;
}

enum json_kind json_parse(struct json_object **out, struct span text, struct arena *arena)
{
    struct json_findings ignored;

    return json_parse_telling(out, text, arena, &ignored);
}

static struct json_object *find_among_few(struct json_object *object, const char *name)
{
    struct lh_entry *entry;

    lh_foreach(json_object_get_object(object), entry)
    {
        const char *key = lh_entry_k(entry);
        if (key[0] == name[0] && strcmp(key, name) == 0)
            return lh_entry_v(entry);
    }
    return NULL;
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    if (json_object_object_length(object) <= FEW_MEMBERS)
        return find_among_few(object, name);
    (void)json_object_object_get_ex(object, name, &value);
    return value;
}

struct span json_string(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return (struct span){NULL, 0};
    return (struct span){json_object_get_string(value),
                         (size_t)json_object_get_string_len(value)};
}

void json_wipe_string(struct json_object *value)
{
    struct span text = json_string(value);

    if (text.data != NULL)
        explicit_bzero((char *)text.data, text.len);
}

void json_add(struct json_object *object, const char *name, struct json_object *value)
{
    if (object == NULL ||
        json_object_object_add_ex(object, name, value,
                                  JSON_C_OBJECT_ADD_KEY_IS_NEW |
                                      JSON_C_OBJECT_ADD_CONSTANT_KEY) != 0)
        json_object_put(value);
}

static size_t string_text_len(struct span text)
{
    size_t len = 2; /* the quotes */

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\' || (c != 0 && strchr("\b\f\n\r\t", c) != NULL))
            len += 2;
        else
            len += c < ' ' ? 6 : 1;
    }
    return len;
}

static size_t text_len(struct json_object *value, bool nulls);

static size_t children_text_len(struct json_object *value, bool nulls)
{
    size_t len = 1, count = 0; /* one bracket, and behind each child a comma or the other */

    if (json_object_is_type(value, json_type_array)) {
        count = json_object_array_length(value);
        for (size_t i = 0; i < count; i++)
            len += text_len(json_object_array_get_idx(value, i), nulls) + 1;
    } else {
        json_object_object_foreach(value, name, child)
        {
            len += string_text_len(span_of(name)) + 1 + text_len(child, nulls) + 1;
            count++;
        }
    }
    return len + (count == 0);
}

/* The length of the text of value; SIZE_MAX / 2 or more when there is a null that nulls
 * does not allow. It only counts what json-c writes: json_text compares the lengths to find
 * out whether json-c had no memory for a part. */
static size_t text_len(struct json_object *value, bool nulls)
{
    char digits[24];

    switch (json_object_get_type(value)) {
    case json_type_null:
        return nulls ? sizeof "null" - 1 : SIZE_MAX / 2;
    case json_type_boolean:
        return json_object_get_boolean(value) ? sizeof "true" - 1 : sizeof "false" - 1;
    case json_type_string:
        return string_text_len(json_string(value));
    case json_type_int:
        return (size_t)snprintf(digits, sizeof digits, "%lld",
                                (long long)json_object_get_int64(value));
    default:
        return children_text_len(value, nulls);
    }
}

struct span json_text(struct json_object *object, bool nulls)
{
    size_t len = 0;
    const char *text = json_object_to_json_string_length(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    if (text == NULL || len != text_len(object, nulls))
        return (struct span){NULL, 0};
    return (struct span){text, len};
}
