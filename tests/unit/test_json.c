#include "lib/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#include "lib/utf8.h"

/* A literal with its length, so that it may hold NUL. */
#define BYTES(literal)                                                                     \
    {                                                                                      \
        (literal), sizeof(literal) - 1                                                     \
    }

static enum json_kind parse(struct json_object **out, struct span text)
{
    struct arena *arena = arena_create(1 << 20);

    assert_non_null(arena);
    enum json_kind kind = json_parse(out, text, arena);
    arena_free(arena);
    assert_true((kind == JSON_OBJECT) == (*out != NULL));
    return kind;
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;

    assert_true(json_object_object_get_ex(object, name, &value));
    return value;
}

/* Texts that json-c 0.16 accepts although RFC 8259 forbids them. */
static void what_json_c_lets_through_is_refused(void **state)
{
    static const struct span rows[] = {
        BYTES("{\"a\":1,\"a\":2}"),
        BYTES("{\"a\":1,\"\\u0061\":2}"),
        BYTES("{\"a\\u0000b\":1}"),
        BYTES("{\"a\":1}\0{\"b\":2}"),
        BYTES("{\"a\":1}\0"),
        BYTES("{\"a\":\"\n\"}"),
        BYTES("{\"a\":\"\xc0\x80\"}"),
        BYTES("{\"a\":\"\xed\xa0\x80\"}"),
        BYTES("{\"a\":\"\xf5\x80\x80\x80\"}"),
        BYTES("{\"a\":\"\xc3(\"}"),
        BYTES("{\"a\":\"\\ud800\"}"),
        BYTES("{\"a\":NaN}"),
        BYTES("{\"a\":Infinity}"),
        BYTES("{\"a\":-Infinity}"),
        BYTES("{\"a\":1.}"),
        BYTES("{'a':1}"),
        BYTES("{\"a\":01}"),
        BYTES("{\"a\":1}/**/"),
        BYTES("{\"a\":1,}"),
        BYTES("{\"a\":1}x"),
        BYTES("{\"a\":1}{}"),
        BYTES("\xef\xbb\xbf{\"a\":1}"),
        BYTES(""),
        BYTES("{"),
    };
    struct json_object *object = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (parse(&object, rows[i]) != JSON_BROKEN)
            fail_msg("row %zu: %.*s", i, (int)rows[i].len, rows[i].data);
}

static void other_values_than_objects_are_told_apart_and_not_parsed(void **state)
{
    static const struct span rows[] = {BYTES("[]"),    BYTES("[{}]"), BYTES("\"\""),
                                       BYTES("0"),     BYTES("null"), BYTES("true"),
                                       BYTES("1e400"), BYTES(" 5 ")};
    struct json_object *object = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(parse(&object, rows[i]), JSON_OTHER);
}

static void what_passes_the_scan_passes_json_c(void **state)
{
    static const struct span rows[] = {
        BYTES("{}"),
        BYTES(" \t\r\n{ } \t\r\n"),
        BYTES("{\"a\":12345678901234567890123}"),
        BYTES("{\"a\":1e400,\"b\":-1e-400,\"c\":-0,\"d\":0.0e+0}"),
        BYTES("{\"\":0}"),
        BYTES("{\"a\":\"\\u0000\",\"b\":\"\\ud83d\\ude00\"}"),
        BYTES("{\"a\":\"\xef\xbf\xbf\",\"b\":\"\x7f\"}"),
        BYTES("{\"a\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}"),
        BYTES("{\"a\":[true,false,null,{},[]]}"),
    };
    struct json_object *object = NULL;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (parse(&object, rows[i]) != JSON_OBJECT)
            fail_msg("row %zu: %.*s", i, (int)rows[i].len, rows[i].data);
        json_object_put(object);
    }
}

/* {"a":"…"} with every character of a plane, either as pairs of escapes or as UTF-8. */
static struct span plane(uint32_t number, bool escaped)
{
    char *text = malloc(16 + 12 * 0x10000);
    size_t len = 0;

    assert_non_null(text);
    memcpy(text, "{\"a\":\"", 6);
    len = 6;
    for (uint32_t low = 0; low < 0x10000; low++) {
        uint32_t c = number << 16 | low;
        if (escaped)
            len += (size_t)snprintf(text + len, 13, "\\u%04x\\u%04X",
                                    0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
        else
            len += utf8_encode(c, text + len);
    }
    memcpy(text + len, "\"}", 2);
    return (struct span){text, len + 2};
}

static void every_supplementary_character_is_read_whichever_way_it_is_written(void **state)
{
    (void)state;
    for (uint32_t number = 1; number <= 16; number++) {
        struct span escaped = plane(number, true), plain = plane(number, false);
        struct json_object *object = NULL;

        assert_int_equal(parse(&object, escaped), JSON_OBJECT);
        struct span read = json_string(member(object, "a"));
        assert_true(span_equals(read, (struct span){plain.data + 6, plain.len - 8}));
        json_object_put(object);
        free((char *)escaped.data);
        free((char *)plain.data);
    }
}

static void pairs_are_resolved_in_names_and_next_to_other_escapes(void **state)
{
    static const struct span text =
        BYTES("{\"\\uD836\\uDE00\":\"\\\\ud836\\ud876\\udc00\\n\\u00e4x\\ud83d\\ude00\"}");
    static const struct span wanted =
        BYTES("\\ud836\xf0\xad\xa0\x80\n\xc3\xa4x\xf0\x9f\x98\x80");
    struct json_object *object = NULL;

    (void)state;
    assert_int_equal(parse(&object, text), JSON_OBJECT);
    assert_true(span_equals(json_string(member(object, "\xf0\x9d\xa8\x80")), wanted));
    json_object_put(object);
}

static void a_lack_of_memory_for_pairs_is_told_from_bad_text(void **state)
{
    static const struct span text = BYTES("{\"a\":\"\\ud836\\ude00\"}");
    struct arena *arena = arena_create(8);
    struct json_object *object = NULL;

    (void)state;
    assert_non_null(arena);
    assert_int_equal(json_parse(&object, text, arena), JSON_NO_MEMORY);
    assert_null(object);
    arena_free(arena);
}

static void text_need_not_end_with_a_nul(void **state)
{
    static const char bytes[] = "{\"a\":\"b\"}";
    size_t len = sizeof bytes - 1;
    char *exact = malloc(len);
    struct json_object *object = NULL;

    (void)state;
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    assert_int_equal(parse(&object, (struct span){exact, len}), JSON_OBJECT);
    free(exact);
    assert_true(span_equals(json_string(member(object, "a")), span_of("b")));
    json_object_put(object);
}

static void strings_keep_their_nul_characters(void **state)
{
    static const struct span text = BYTES("{\"a\":\"x\\u0000y\\u0000\",\"b\":\"\\u0000\"}");
    struct json_object *object = NULL;

    (void)state;
    assert_int_equal(parse(&object, text), JSON_OBJECT);
    assert_true(span_equals(json_string(member(object, "a")), (struct span){"x\0y\0", 4}));
    assert_true(span_equals(json_string(member(object, "b")), (struct span){"\0", 1}));
    json_object_put(object);
}

static void only_strings_are_strings(void **state)
{
    static const struct span text = BYTES(
        "{\"a\":5,\"b\":null,\"c\":true,\"d\":[\"x\"],\"e\":{},\"f\":1.5,\"g\":\"\"}");
    static const char *const others[] = {"a", "b", "c", "d", "e", "f"};
    struct json_object *object = NULL;

    (void)state;
    assert_int_equal(parse(&object, text), JSON_OBJECT);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_null(json_string(member(object, others[i])).data);
    assert_null(json_string(NULL).data);
    assert_non_null(json_string(member(object, "g")).data);
    assert_int_equal(json_string(member(object, "g")).len, 0);
    json_object_put(object);
}

static void a_wiped_string_is_gone_from_its_memory(void **state)
{
    static const struct span text =
        BYTES("{\"short\":\"secret\",\"long\":\"a secret that is too long for any small "
              "buffer inside of the object\",\"number\":5}");
    static const char *const names[] = {"short", "long"};
    struct json_object *object = NULL;

    (void)state;
    assert_int_equal(parse(&object, text), JSON_OBJECT);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct span before = json_string(member(object, names[i]));

        json_wipe_string(member(object, names[i]));
        for (size_t j = 0; j < before.len; j++)
            assert_int_equal(before.data[j], 0);
    }
    json_wipe_string(member(object, "number"));
    json_wipe_string(NULL);
    assert_int_equal(json_object_get_int(member(object, "number")), 5);
    json_object_put(object);
}

static struct json_object *everything(void)
{
    struct json_object *object = json_object_new_object();
    struct json_object *array = json_object_new_array();

    (void)json_object_array_add(array, json_object_new_int64(INT64_MIN));
    (void)json_object_array_add(array, json_object_new_boolean(true));
    (void)json_object_array_add(array, json_object_new_boolean(false));
    json_add(object, "array", array);
    json_add(object, "empty", json_object_new_array());
    json_add(object, "object", json_object_new_object());
    json_add(object, "text",
             json_object_new_string_len("\"\\/\b\f\n\r\t\x01\0\x1f\x7f\xc3\xa9", 14));
    return object;
}

static void text_is_whole(void **state)
{
    static const char expected[] =
        "{\"array\":[-9223372036854775808,true,false],\"empty\":[],\"object\":{},"
        "\"text\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u0000\\u001f\x7f\xc3\xa9\"}";
    struct json_object *object = everything();
    struct span text = json_text(object, false);

    (void)state;
    assert_int_equal(text.len, sizeof expected - 1);
    assert_memory_equal(text.data, expected, text.len);
    json_object_put(object);
}

static void a_null_that_is_not_meant_is_a_lack_of_memory(void **state)
{
    struct json_object *object = json_object_new_object();

    (void)state;
    json_add(object, "x", NULL);
    assert_null(json_text(object, false).data);
    assert_int_equal(json_text(object, true).len, sizeof "{\"x\":null}" - 1);
    json_object_put(object);
    assert_null(json_text(NULL, false).data);
    json_add(NULL, "x", json_object_new_int(1)); /* which is freed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_whole),
        cmocka_unit_test(a_null_that_is_not_meant_is_a_lack_of_memory),
        cmocka_unit_test(what_json_c_lets_through_is_refused),
        cmocka_unit_test(other_values_than_objects_are_told_apart_and_not_parsed),
        cmocka_unit_test(what_passes_the_scan_passes_json_c),
        cmocka_unit_test(every_supplementary_character_is_read_whichever_way_it_is_written),
        cmocka_unit_test(pairs_are_resolved_in_names_and_next_to_other_escapes),
        cmocka_unit_test(a_lack_of_memory_for_pairs_is_told_from_bad_text),
        cmocka_unit_test(text_need_not_end_with_a_nul),
        cmocka_unit_test(strings_keep_their_nul_characters),
        cmocka_unit_test(only_strings_are_strings),
        cmocka_unit_test(a_wiped_string_is_gone_from_its_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
