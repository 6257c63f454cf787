#include "lib/json_scan.h"

#include "tests/unit/json_texts.h"

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
        cmocka_unit_test(every_cut_and_every_changed_byte_is_judged_without_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
