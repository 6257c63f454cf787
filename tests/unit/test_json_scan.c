#include "lib/json_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* A literal with its length, so that it may hold NUL. */
#define BYTES(literal)                                                                     \
    {                                                                                      \
        (literal), sizeof(literal) - 1                                                     \
    }

enum {
    ARENA_BYTES = 4 << 20,
    BODY_BYTES = 128 << 10,
};

/* Scans a copy that ends where its memory ends, so that a sanitizer sees a read beyond
 * it. */
static enum json_kind scan_with(struct span text, size_t arena_bytes)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    struct arena *arena = arena_create(arena_bytes);

    assert_non_null(copy);
    assert_non_null(arena);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    enum json_kind kind = json_scan((struct span){copy, text.len}, arena);
    arena_free(arena);
    free(copy);
    return kind;
}

static enum json_kind scan(struct span text)
{
    return scan_with(text, ARENA_BYTES);
}

static void expect_all(const struct span *rows, size_t count, enum json_kind expected)
{
    for (size_t i = 0; i < count; i++) {
        enum json_kind kind = scan(rows[i]);

        if (kind != expected)
            fail_msg("row %zu: %d for %.*s", i, (int)kind, (int)rows[i].len, rows[i].data);
    }
}

static void objects_are_told_from_other_values(void **state)
{
    static const struct span objects[] = {
        BYTES("{}"),
        BYTES(" \t\r\n{ } \t\r\n"),
        BYTES("{\"a\":1}"),
        BYTES("{\"a\":{\"a\":{\"a\":[]}}}"),
        BYTES("{ \"a\" : 1 , \"b\" : [ 1 , 2 ] }"),
        BYTES("{\"\":0}"),
        BYTES("{\"a\":1,\"A\":2,\"aa\":3,\"\":4}"),
    };
    static const struct span others[] = {
        BYTES("[]"),   BYTES("[[],{}]"), BYTES("[{\"a\":1},{\"a\":1}]"),
        BYTES("\"\""), BYTES("0"),       BYTES("null"),
        BYTES("true"), BYTES(" false "), BYTES("[1,\"{\"]"),
    };

    (void)state;
    expect_all(objects, COUNT(objects), JSON_OBJECT);
    expect_all(others, COUNT(others), JSON_OTHER);
}

static void text_outside_the_grammar_is_broken(void **state)
{
    static const struct span rows[] = {
        BYTES(""),
        BYTES(" "),
        BYTES("{"),
        BYTES("}"),
        BYTES("["),
        BYTES("]"),
        BYTES("{]"),
        BYTES("[}"),
        BYTES("{}}"),
        BYTES("[]]"),
        BYTES("{}{}"),
        BYTES("{} x"),
        BYTES("{},"),
        BYTES("{\"a\"}"),
        BYTES("{\"a\":}"),
        BYTES("{\"a\":1,}"),
        BYTES("{,\"a\":1}"),
        BYTES("{\"a\":1,,\"b\":1}"),
        BYTES("{\"a\":1 \"b\":1}"),
        BYTES("{\"a\" 1}"),
        BYTES("{\"a\"::1}"),
        BYTES("{a:1}"),
        BYTES("{1:1}"),
        BYTES("{null:1}"),
        BYTES("{'a':1}"),
        BYTES("{\"a\":'b'}"),
        BYTES("[1,]"),
        BYTES("[,1]"),
        BYTES("[1 2]"),
        BYTES("[1"),
        BYTES("{\"a\":1"),
        BYTES("{\"a\":"),
        BYTES("{\"a\""),
        BYTES("{\"a"),
        BYTES("/* */{}"),
        BYTES("{}// x"),
        BYTES("{\"a\":1/**/}"),
        BYTES("\xef\xbb\xbf{}"),
        BYTES("{}\0"),
        BYTES("\0{}"),
        BYTES("{\0}"),
        BYTES("{\"a\":1}\0{\"b\":2}"),
        BYTES("{}\v"),
        BYTES("{}\f"),
        BYTES("{}\xc2\xa0"),
    };

    (void)state;
    expect_all(rows, COUNT(rows), JSON_BROKEN);
}

static void only_three_literals_exist(void **state)
{
    static const struct span rows[] = {
        BYTES("tru"),  BYTES("truE"),      BYTES("True"),      BYTES("TRUE"),
        BYTES("fals"), BYTES("falsey"),    BYTES("nul"),       BYTES("nullnull"),
        BYTES("None"), BYTES("NaN"),       BYTES("nan"),       BYTES("Infinity"),
        BYTES("inf"),  BYTES("-Infinity"), BYTES("undefined"), BYTES("[t]"),
    };

    (void)state;
    expect_all(rows, COUNT(rows), JSON_BROKEN);
}

static void numbers_follow_the_grammar(void **state)
{
    static const struct span good[] = {
        BYTES("0"),
        BYTES("-0"),
        BYTES("1"),
        BYTES("10"),
        BYTES("-1"),
        BYTES("0.0"),
        BYTES("0e0"),
        BYTES("1.5"),
        BYTES("-1.50e+10"),
        BYTES("1E-5"),
        BYTES("1e00005"),
        BYTES("1e400"),
        BYTES("-1e-400"),
        BYTES("100000000000000000000000000000"),
        BYTES("0.000000000000000000000000000001"),
    };
    static const struct span bad[] = {
        BYTES("-"),   BYTES("+1"),    BYTES("01"),    BYTES("-01"),      BYTES("00"),
        BYTES("1."),  BYTES(".5"),    BYTES("-.5"),   BYTES("1.e5"),     BYTES("1e"),
        BYTES("1e+"), BYTES("1e-"),   BYTES("1e1.5"), BYTES("1.5.5"),    BYTES("--1"),
        BYTES("- 1"), BYTES("1 0"),   BYTES("0x10"),  BYTES("1f"),       BYTES("1_000"),
        BYTES("1,5"), BYTES("1e5e5"), BYTES("-e5"),   BYTES("\xd9\xa1"),
    };

    (void)state;
    expect_all(good, COUNT(good), JSON_OTHER);
    expect_all(bad, COUNT(bad), JSON_BROKEN);
}

static void strings_hold_utf8_and_escapes(void **state)
{
    static const struct span good[] = {
        BYTES("\"plain\""),
        BYTES("\"\x7f\""),
        BYTES("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""),
        BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        BYTES("\"\\u00e9\\u20AC\\ud83d\\uDe00\""),
        BYTES("\"\\u0000\""),
        BYTES("\"\\uFFFF\\ufdd0\\ud7ff\\ue000\""),
        BYTES("\"\xef\xbb\xbf\""),
        BYTES("\"/\""),
    };

    (void)state;
    expect_all(good, COUNT(good), JSON_OTHER);
}

static void damaged_strings_are_broken(void **state)
{
    static const struct span bad[] = {
        BYTES("\""),
        BYTES("\"a"),
        BYTES("\"\\"),
        BYTES("\"\\\""),
        BYTES("\"\\a\""),
        BYTES("\"\\'\""),
        BYTES("\"\\v\""),
        BYTES("\"\\0\""),
        BYTES("\"\\x41\""),
        BYTES("\"\\U0041\""),
        BYTES("\"\\\0\""),
        BYTES("\"\\u\""),
        BYTES("\"\\u12"),
        BYTES("\"\\u123\""),
        BYTES("\"\\u123g\""),
        BYTES("\"\\u+123\""),
        BYTES("\"\\u 123\""),
        BYTES("\"\\ud800\""),
        BYTES("\"\\ud800x\""),
        BYTES("\"\\ud800\\n\""),
        BYTES("\"\\ud800\\"),
        BYTES("\"\\ud800\\u"),
        BYTES("\"\\ud800\\udc0"),
        BYTES("\"\\ud800\\u0041\""),
        BYTES("\"\\ud800\\ud800\""),
        BYTES("\"\\ud800\\ue000\""),
        BYTES("\"\\udbff\""),
        BYTES("\"\\udc00\""),
        BYTES("\"\\udfff\\ud800\""),
        BYTES("\"\n\""),
        BYTES("\"\t\""),
        BYTES("\"\0\""),
        BYTES("\"\x1f\""),
        BYTES("\"\xc0\x80\""),
        BYTES("\"\xed\xa0\x80\""),
        BYTES("\"\xf5\x80\x80\x80\""),
        BYTES("\"\xc3(\""),
        BYTES("\"\xc3\""),
        BYTES("\"\xe2\x82"),
        BYTES("\"\x80\""),
        BYTES("\"\xff\""),
        BYTES("{\"\xff\":1}"),
        BYTES("{\"\n\":1}"),
        BYTES("{\"\\ud800\":1}"),
    };

    (void)state;
    expect_all(bad, COUNT(bad), JSON_BROKEN);
}

static void every_control_character_is_refused_raw(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 0x80; c++) {
        char text[] = {'"', (char)c, '"'};
        bool good = c >= 0x20 && c != '"' && c != '\\';

        if (scan((struct span){text, sizeof text}) != (good ? JSON_OTHER : JSON_BROKEN))
            fail_msg("U+%04X", c);
    }
}

static void a_nul_may_be_escaped_in_values_but_not_in_names(void **state)
{
    static const struct span good[] = {
        BYTES("{\"a\":\"\\u0000\"}"),
        BYTES("{\"a\\\\u0000\":1}"),
    };
    static const struct span bad[] = {
        BYTES("{\"\\u0000\":1}"),
        BYTES("{\"a\\u0000b\":1}"),
        BYTES("{\"b\":{\"a\\u0000\":1}}"),
    };

    (void)state;
    expect_all(good, COUNT(good), JSON_OBJECT);
    expect_all(bad, COUNT(bad), JSON_BROKEN);
}

static void a_name_stands_once_in_an_object(void **state)
{
    static const struct span good[] = {
        BYTES("{\"a\":{\"a\":1},\"b\":{\"a\":1}}"),   BYTES("{\"a\":\"a\",\"b\":\"a\"}"),
        BYTES("{\"\xc3\xa9\":1,\"e\xcc\x81\":2}"),    BYTES("{\"a\":1,\"\\\\u0061\":2}"),
        BYTES("{\"ab\":1,\"a\":2,\"b\":3,\"ba\":4}"),
    };
    static const struct span bad[] = {
        BYTES("{\"a\":1,\"a\":2}"),
        BYTES("{\"a\":1,\"b\":2,\"a\":1}"),
        BYTES("{\"\":1,\"\":2}"),
        BYTES("{\"a\":1,\"\\u0061\":2}"),
        BYTES("{\"\\u0061\":1,\"a\":2}"),
        BYTES("{\"\\u00e9\":1,\"\xc3\xa9\":2}"),
        BYTES("{\"\\u20AC\":1,\"\xe2\x82\xac\":2}"),
        BYTES("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
        BYTES("{\"\\/\":1,\"/\":2}"),
        BYTES("{\"\\n\":1,\"\\u000A\":2}"),
        BYTES("{\"x\":{\"a\":1,\"a\":2}}"),
        BYTES("[{\"a\":1,\"a\":2}]"),
        BYTES("{\"a\":{\"b\":1},\"c\":2,\"a\":3}"),
    };

    (void)state;
    expect_all(good, COUNT(good), JSON_OBJECT);
    expect_all(bad, COUNT(bad), JSON_BROKEN);
}

/* {"n0":0,"n1":0,…} with the last name in the place of `repeated`, if that is less than
 * count. */
static size_t write_members(char *out, size_t room, unsigned count, unsigned repeated)
{
    size_t len = 0;

    for (unsigned i = 0; i < count; i++) {
        unsigned name = i == repeated ? count - 1 : i;

        len += (size_t)snprintf(out + len, room - len, "%c\"n%u\":0", i == 0 ? '{' : ',',
                                name);
    }
    return len + (size_t)snprintf(out + len, room - len, "}");
}

static void repeated_names_are_found_among_few_and_many(void **state)
{
    static const unsigned counts[] = {2, 15, 16, 17, 18, 63, 64, 65, 66, 1000, 9000};
    static char text[BODY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(counts); i++) {
        unsigned count = counts[i];
        const unsigned places[] = {0, count / 2 - (count == 2), count - 2};
        size_t len = write_members(text, sizeof text, count, count);

        assert_int_equal(scan((struct span){text, len}), JSON_OBJECT);
        for (size_t j = 0; j < COUNT(places); j++) {
            len = write_members(text, sizeof text, count, places[j]);
            if (scan((struct span){text, len}) != JSON_BROKEN)
                fail_msg("name %u of %u", places[j], count);
        }
    }
}

/* Returns the length of depth times open, inner, depth times close. */
static size_t write_nested(char *out, size_t depth, const char *open, char close)
{
    size_t len = 0;

    for (size_t i = 0; i < depth; i++) {
        memcpy(out + len, open, strlen(open));
        len += strlen(open);
    }
    out[len++] = '0';
    memset(out + len, close, depth);
    return len + depth;
}

static void sixteen_levels_are_allowed_and_no_more(void **state)
{
    char text[256];

    (void)state;
    size_t len = write_nested(text, JSON_MAX_DEPTH, "[", ']');
    assert_int_equal(scan((struct span){text, len}), JSON_OTHER);
    len = write_nested(text, JSON_MAX_DEPTH + 1, "[", ']');
    assert_int_equal(scan((struct span){text, len}), JSON_BROKEN);
    len = write_nested(text, JSON_MAX_DEPTH, "{\"a\":", '}');
    assert_int_equal(scan((struct span){text, len}), JSON_OBJECT);
    len = write_nested(text, JSON_MAX_DEPTH + 1, "{\"a\":", '}');
    assert_int_equal(scan((struct span){text, len}), JSON_BROKEN);
}

static void depth_counts_what_is_open_and_not_what_was(void **state)
{
    char text[2048];
    size_t len = 0;

    (void)state;
    text[len++] = '[';
    for (unsigned i = 0; i < 20; i++) {
        len += write_nested(text + len, JSON_MAX_DEPTH - 1, "[", ']');
        text[len++] = ',';
    }
    text[len - 1] = ']';
    assert_int_equal(scan((struct span){text, len}), JSON_OTHER);
}

static void a_hundred_thousand_brackets_do_no_harm(void **state)
{
    static char text[100000];

    (void)state;
    memset(text, '[', sizeof text);
    assert_int_equal(scan((struct span){text, sizeof text}), JSON_BROKEN);
}

/* An array that makes count values, itself included. */
static size_t write_values(char *out, size_t count)
{
    size_t len = 0;

    out[len++] = '[';
    for (size_t i = 1; i < count; i++) {
        out[len++] = '0';
        out[len++] = ',';
    }
    out[len - 1] = ']';
    return len;
}

static void values_of_all_kinds_are_counted(void **state)
{
    static char text[3 * JSON_MAX_VALUES];

    (void)state;
    size_t len = write_values(text, JSON_MAX_VALUES);
    assert_int_equal(scan((struct span){text, len}), JSON_OTHER);
    len = write_values(text, JSON_MAX_VALUES + 1);
    assert_int_equal(scan((struct span){text, len}), JSON_BROKEN);
}

/* As many copies of piece, between brackets and commas, as the limits on values and bytes
 * allow. */
static size_t fill_body(char *out, const char *piece, unsigned values)
{
    size_t len = 0;
    size_t size = strlen(piece);

    out[len++] = '[';
    for (unsigned left = JSON_MAX_VALUES - 1;
         left >= values && len + size + 1 <= BODY_BYTES; left -= values) {
        memcpy(out + len, piece, size);
        len += size;
        out[len++] = ',';
    }
    out[len - 1] = ']';
    return len;
}

static void memory_is_bounded_for_the_largest_bodies(void **state)
{
    static const struct {
        unsigned values;
        const char *piece;
    } rows[] = {
        {2, "{\"a\":1}"},
        {2, "{\"\\u0061\":1}"},
        {2, "{\"\\n\":1}"},
        {4, "{\"\\u0061\":{\"\\n\":{\"\\n\":0}}}"},
        {18, "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0,"
             "\"j\":0,\"k\":0,\"l\":0,\"m\":0,\"n\":0,\"o\":0,\"p\":0,\"\\n\":0}"},
    };
    static char text[BODY_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = fill_body(text, rows[i].piece, rows[i].values);

        if (scan((struct span){text, len}) != JSON_OTHER)
            fail_msg("%s", rows[i].piece);
    }
}

static void an_exhausted_arena_means_broken(void **state)
{
    static char text[BODY_BYTES];
    struct span escaped = BYTES("{\"\\u0061\\u0061\\u0061\\u0061\":1}");
    size_t len = write_members(text, sizeof text, 100, 100);

    (void)state;
    assert_int_equal(scan_with((struct span){text, len}, 512), JSON_BROKEN);
    assert_int_equal(scan_with(escaped, 8), JSON_BROKEN);
    assert_int_equal(scan_with(escaped, 64), JSON_OBJECT);
}

static void a_plain_request_needs_no_memory(void **state)
{
    struct span text =
        BYTES("{\"api_key\":\"a\",\"developer_secret\":\"b\",\"org_id\":\"c\","
              "\"member_id\":\"d\",\"contact_id\":\"e\",\"note\":\"\\u0066\","
              "\"note_id\":\"\",\"note_visibility\":0,\"note_editable\":1}");

    (void)state;
    assert_int_equal(scan_with(text, 0), JSON_OBJECT);
}

static void every_cut_and_every_changed_byte_is_judged_without_harm(void **state)
{
    static const struct span whole = BYTES(
        " {\"a\\u00e9\\ud83d\\ude00\":[1,-2.5e+3,true,false,null,\"\xc3\xa9\"],\"b\":{}}");
    char text[128];

    (void)state;
    assert_in_range(whole.len, 1, sizeof text);
    assert_int_equal(scan(whole), JSON_OBJECT);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(scan((struct span){whole.data, len}), JSON_BROKEN);
    for (size_t i = 0; i < whole.len; i++) {
        memcpy(text, whole.data, whole.len);
        for (unsigned c = 0; c < 256; c++) {
            text[i] = (char)c;
            (void)scan((struct span){text, whole.len});
        }
        text[i] = '\0';
        assert_int_equal(scan((struct span){text, whole.len}), JSON_BROKEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_told_from_other_values),
        cmocka_unit_test(text_outside_the_grammar_is_broken),
        cmocka_unit_test(only_three_literals_exist),
        cmocka_unit_test(numbers_follow_the_grammar),
        cmocka_unit_test(strings_hold_utf8_and_escapes),
        cmocka_unit_test(damaged_strings_are_broken),
        cmocka_unit_test(every_control_character_is_refused_raw),
        cmocka_unit_test(a_nul_may_be_escaped_in_values_but_not_in_names),
        cmocka_unit_test(a_name_stands_once_in_an_object),
        cmocka_unit_test(repeated_names_are_found_among_few_and_many),
        cmocka_unit_test(sixteen_levels_are_allowed_and_no_more),
        cmocka_unit_test(depth_counts_what_is_open_and_not_what_was),
        cmocka_unit_test(a_hundred_thousand_brackets_do_no_harm),
        cmocka_unit_test(values_of_all_kinds_are_counted),
        cmocka_unit_test(memory_is_bounded_for_the_largest_bodies),
        cmocka_unit_test(an_exhausted_arena_means_broken),
        cmocka_unit_test(a_plain_request_needs_no_memory),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_judged_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
