/*
 * Request bodies: json-c must parse whatever json_scan accepts, and print it as text that
 * is accepted again; and no text may need more of the arena than workers have.
 */
#include <json.h>
#include <string.h>

#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

enum {
    BYTES_PER_BYTE = 32, /* of the arena for each of the text, as in app/serve/worker.c */
    ROOMY_BYTES = 64 << 20,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static enum json_kind scan(struct span text, size_t arena_bytes)
{
    struct arena *arena = arena_create(arena_bytes);

    CHECK(arena != NULL);
    enum json_kind kind = json_scan(text, arena);
    arena_free(arena);
    return kind;
}

static void check_arena(struct span text, enum json_kind kind)
{
    enum json_kind tight = scan(text, text.len / 2);

    CHECK(scan(text, text.len * BYTES_PER_BYTE) == kind);
    CHECK(tight == kind || tight == JSON_BROKEN);
}

/* Parses with json-c alone; in an array, because json-c does not end at a bare number. */
static struct json_object *parse_in_array(struct span text)
{
    struct json_tokener *tokener = json_tokener_new_ex(2 * JSON_MAX_DEPTH);
    char *all = malloc(text.len + 2);

    CHECK(tokener != NULL && all != NULL);
    all[0] = '[';
    memcpy(all + 1, text.data, text.len);
    all[text.len + 1] = ']';
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *array = json_tokener_parse_ex(tokener, all, (int)text.len + 2);
    json_tokener_free(tokener);
    free(all);
    return array;
}

static struct span text_of(struct json_object *value)
{
    struct span text;

    text.data = json_object_to_json_string_length(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &text.len);
    CHECK(text.data != NULL);
    return text;
}

static void check_other(struct span text)
{
    struct json_object *array = parse_in_array(text);

    CHECK(array != NULL && json_object_array_length(array) == 1);
    struct json_object *value = json_object_array_get_idx(array, 0);
    CHECK(!json_object_is_type(value, json_type_object));
    CHECK(scan(text_of(value), ROOMY_BYTES) == JSON_OTHER);
    json_object_put(array);
}

static struct json_object *parse(struct span text)
{
    struct arena *arena = arena_create(ROOMY_BYTES);
    struct json_object *value = NULL;

    CHECK(arena != NULL);
    CHECK(json_parse(&value, text, arena) == JSON_OBJECT);
    CHECK(json_object_is_type(value, json_type_object));
    arena_free(arena);
    return value;
}

static void check_object(struct span text)
{
    struct json_object *value = parse(text);
    struct span written = text_of(value);
    struct json_object *again = parse(written);

    CHECK(scan(written, ROOMY_BYTES) == JSON_OBJECT);
    CHECK(span_equals(text_of(again), written));
    json_object_put(again);
    json_object_put(value);
}

/* json_parse must give no value for a text that is not an object. */
static void check_refusal(struct span text, enum json_kind kind)
{
    struct arena *arena = arena_create(ROOMY_BYTES);
    struct json_object *value = NULL;

    CHECK(arena != NULL);
    CHECK(json_parse(&value, text, arena) == kind && value == NULL);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = {(const char *)data, size};
    enum json_kind kind = scan(text, ROOMY_BYTES);

    check_arena(text, kind);
    if (kind == JSON_OBJECT)
        check_object(text);
    else
        check_refusal(text, kind);
    if (kind == JSON_OTHER)
        check_other(text);
    return 0;
}
