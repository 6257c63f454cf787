#include "app/api/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/api/error.h"
#include "app/rules/given.h"
#include "lib/json.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    TEXT_MAX_BYTES = 20,
};

struct filled {
    struct given_id id, other_id;
    struct span text;
    enum given_flag flag, other_flag;
};

static const struct field fields[] = {
    {.name = "id",
     .type = FIELD_ID,
     .required = true,
     .offset = offsetof(struct filled, id),
     .missing = "Missing id",
     .invalid = "Invalid id"},
    {.name = "text",
     .type = FIELD_TEXT,
     .required = true,
     .offset = offsetof(struct filled, text),
     .max_bytes = TEXT_MAX_BYTES,
     .missing = "Missing text",
     .invalid = "Invalid text"},
    {.name = "other_id",
     .type = FIELD_ID,
     .offset = offsetof(struct filled, other_id),
     .invalid = "Invalid other"},
    {.name = "flag",
     .type = FIELD_FLAG,
     .offset = offsetof(struct filled, flag),
     .invalid = "Invalid flag"},
    {.name = "other_flag",
     .type = FIELD_FLAG,
     .offset = offsetof(struct filled, other_flag),
     .invalid = "Invalid other flag"},
};

/* The body that was parsed last; texts point into it. */
static struct json_object *body;

static int forget_body(void **state)
{
    (void)state;
    json_object_put(body);
    body = NULL;
    return 0;
}

static enum status read(struct filled *out, struct complaints *complaints, const char *text)
{
    struct arena *arena = arena_create(1 << 20);

    json_object_put(body);
    if (json_parse(&body, span_of(text), arena) != JSON_OBJECT)
        fail_msg("no object: %s", text);
    arena_free(arena);
    *complaints = (struct complaints){.error = ERROR_NONE};
    memset(out, 0x5a, sizeof *out); /* all of this must be overwritten */
    fields_read(out, fields, COUNT(fields), body, NULL, complaints);
    return complaints->error == ERROR_NONE ? STATUS_OK : STATUS_REFUSED;
}

static struct filled must_read(const char *text)
{
    struct filled filled;
    struct complaints complaints;

    if (read(&filled, &complaints, text) != STATUS_OK)
        fail_msg("%s: %s", text, complaints.messages[0]);
    assert_int_equal(complaints.error, ERROR_NONE);
    assert_int_equal(complaints.message_count, 0);
    return filled;
}

/* A body with valid id and text, and more: `,"name":value`. */
static struct filled must_read_with(const char *more)
{
    char text[512];

    (void)snprintf(text, sizeof text, "{\"id\":\"x\",\"text\":\"x\"%s}", more);
    return must_read(text);
}

static void expect_complaints(const char *text, enum error error, const char *expected)
{
    struct filled filled;
    struct complaints complaints;
    char got[256] = "";

    assert_int_equal(read(&filled, &complaints, text), STATUS_REFUSED);
    for (size_t i = 0; i < complaints.message_count; i++)
        (void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? ", " : "",
                       complaints.messages[i]);
    if (complaints.error != error || strcmp(got, expected) != 0)
        fail_msg("%s: %s: %s", text, error_text(complaints.error)->code, got);
}

static void ids_are_read_in_either_case_and_need_not_be_uuids(void **state)
{
    static const struct {
        const char *value;
        bool is_uuid;
    } rows[] = {
        {"0190a3f2-7b4c-7d3e-9f10-123456789abc", true},
        {"0190A3F2-7B4C-7D3E-9F10-123456789ABC", true},
        {"0190a3f27b4c7d3e9f10123456789abc", false},
        {"{0190a3f2-7b4c-7d3e-9f10-123456789abc}", false},
        {" 0190a3f2-7b4c-7d3e-9f10-123456789abc", false},
        {" ", false},
        {"\\u0000", false},
        {"0190a3f2-7b4c-7d3e-9f10-123456789abc\\u0000", false},
    };
    char text[256];
    struct uuid expected;

    (void)state;
    assert_true(uuid_parse(&expected, span_of(rows[0].value)));
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(text, sizeof text, "{\"id\":\"%s\",\"text\":\"x\"}", rows[i].value);
        struct filled filled = must_read(text);
        assert_true(filled.id.given);
        assert_int_equal(filled.id.is_uuid, rows[i].is_uuid);
        if (rows[i].is_uuid)
            assert_true(uuid_equals(&filled.id.uuid, &expected));
    }
}

static void absent_null_and_empty_are_the_same(void **state)
{
    static const char *const mores[] = {
        "",
        ",\"other_id\":null,\"flag\":null,\"other_flag\":null",
        ",\"other_id\":\"\",\"flag\":\"\",\"other_flag\":\"\"",
        ",\"unknown\":[1,{\"flag\":1}]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(mores); i++) {
        struct filled filled = must_read_with(mores[i]);
        assert_false(filled.other_id.given);
        assert_false(filled.other_id.is_uuid);
        assert_int_equal(filled.flag, FLAG_NOT_SENT);
        assert_int_equal(filled.other_flag, FLAG_NOT_SENT);
    }
}

static void flags_are_read_in_every_form_that_clients_send(void **state)
{
    static const struct {
        const char *value;
        enum given_flag flag;
    } rows[] = {
        {"0", FLAG_OFF},     {"1", FLAG_ON},          {"-0", FLAG_OFF},
        {"0.0", FLAG_OFF},   {"1.0", FLAG_ON},        {"-0.0", FLAG_OFF},
        {"0e9", FLAG_OFF},   {"1e0", FLAG_ON},        {"10E-1", FLAG_ON},
        {"\"0\"", FLAG_OFF}, {"\"1\"", FLAG_ON},      {"false", FLAG_OFF},
        {"true", FLAG_ON},   {"null", FLAG_NOT_SENT}, {"\"\"", FLAG_NOT_SENT},
    };
    char more[64];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(more, sizeof more, ",\"flag\":%s", rows[i].value);
        assert_int_equal(must_read_with(more).flag, rows[i].flag);
    }
}

static void nothing_else_is_a_flag(void **state)
{
    static const char *const values[] = {
        "2",           "-1",           "1.5",
        "0.1",         "-1.0",         "1e1",
        "2.0",         "-1e400",       "\"true\"",
        "\"false\"",   "\" 1\"",       "\"1 \"",
        "\"01\"",      "\"2\"",        "\"yes\"",
        "[]",          "[1]",          "{}",
        "\"\\u0000\"", "\"1\\u0000\"", "18446744073709551617",
        "4294967297",  "1e400",
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        (void)snprintf(text, sizeof text, "{\"id\":\"x\",\"text\":\"x\",\"flag\":%s}",
                       values[i]);
        expect_complaints(text, ERROR_INVALID_FIELDS, "Invalid flag");
    }
}

static void texts_are_handed_on_as_they_are(void **state)
{
    static const struct {
        const char *value;
        struct span text;
    } rows[] = {
        {"x", {"x", 1}},
        {" x\\n", {" x\n", 3}},
        {"01234567890123456789", {"01234567890123456789", 20}},
        {"\\u20ac\\ud83d\\ude00", {"\xe2\x82\xac\xf0\x9f\x98\x80", 7}},
        {"\\u0001\\u001f", {"\x01\x1f", 2}},
        {"\\u200b", {"\xe2\x80\x8b", 3}}, /* no white space by Unicode */
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(text, sizeof text, "{\"id\":\"x\",\"text\":\"%s\"}", rows[i].value);
        assert_true(span_equals(must_read(text).text, rows[i].text));
    }
}

static void blank_text_is_missing(void **state)
{
    static const char *const values[] = {"\"\"",           "\" \"",
                                         "\"\\t\\r\\n \"", "\"\\u00a0\\u2003\\u3000\"",
                                         "null",           "\"                         \""};
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        (void)snprintf(text, sizeof text, "{\"id\":\"x\",\"text\":%s}", values[i]);
        expect_complaints(text, ERROR_MISSING_FIELDS, "Missing text");
    }
}

static void text_that_is_too_long_or_holds_nul_is_invalid(void **state)
{
    static const char *const values[] = {
        "\"012345678901234567890\"",
        "\"\\u0000\"",
        "\"x\\u0000y\"",
        "\" \\u0000 \"",
        "\"\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\"",
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        (void)snprintf(text, sizeof text, "{\"id\":\"x\",\"text\":%s}", values[i]);
        expect_complaints(text, ERROR_INVALID_FIELDS, "Invalid text");
    }
}

static void values_of_other_types_are_invalid(void **state)
{
    static const char *const values[] = {"0",  "5",  "1.5",     "true",  "false",
                                         "[]", "{}", "[\"x\"]", "[null]"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < COUNT(values); i++) {
        const char *v = values[i];
        (void)snprintf(text, sizeof text, "{\"id\":%s,\"text\":%s,\"other_id\":%s}", v, v,
                       v);
        expect_complaints(text, ERROR_INVALID_FIELDS,
                          "Invalid id, Invalid text, Invalid other");
    }
}

static void all_that_is_missing_is_told_before_anything_that_is_invalid(void **state)
{
    static const struct {
        const char *text;
        enum error error;
        const char *complaints;
    } rows[] = {
        {"{}", ERROR_MISSING_FIELDS, "Missing id, Missing text"},
        {"{\"text\":\"x\"}", ERROR_MISSING_FIELDS, "Missing id"},
        {"{\"id\":5}", ERROR_MISSING_FIELDS, "Missing text"},
        {"{\"text\":5}", ERROR_MISSING_FIELDS, "Missing id"},
        {"{\"flag\":5,\"other_id\":5}", ERROR_MISSING_FIELDS, "Missing id, Missing text"},
        {"{\"id\":null,\"text\":null,\"flag\":2}", ERROR_MISSING_FIELDS,
         "Missing id, Missing text"},
        {"{\"id\":5,\"text\":\"x\",\"other_flag\":2,\"flag\":2}", ERROR_INVALID_FIELDS,
         "Invalid id, Invalid flag, Invalid other flag"},
        {"{\"id\":5,\"text\":5,\"other_id\":5,\"flag\":5,\"other_flag\":5}",
         ERROR_INVALID_FIELDS,
         "Invalid id, Invalid text, Invalid other, Invalid flag, Invalid other flag"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        expect_complaints(rows[i].text, rows[i].error, rows[i].complaints);
}

static void names_are_compared_exactly(void **state)
{
    (void)state;
    expect_complaints("{\"ID\":\"x\",\"Text\":\"x\",\"id \":\"x\"}", ERROR_MISSING_FIELDS,
                      "Missing id, Missing text");
    struct filled filled = must_read("{\"\\u0069d\":\"x\",\"te\\u0078t\":\"y\"}");
    assert_true(filled.id.given);
}

#define with_body(test) cmocka_unit_test_teardown(test, forget_body)

struct numbers {
    int64_t small, any;
};

static const struct field integers[] = {
    {.name = "small",
     .type = FIELD_INTEGER,
     .min = -2,
     .max = 7,
     .initial = 3,
     .offset = offsetof(struct numbers, small),
     .invalid = "Invalid small"},
    {.name = "any",
     .type = FIELD_INTEGER,
     .min = INT64_MIN,
     .max = INT64_MAX,
     .offset = offsetof(struct numbers, any),
     .invalid = "Invalid any"},
};

static enum error read_integers(struct numbers *out, const char *text)
{
    struct complaints complaints = {.error = ERROR_NONE};
    struct arena *arena = arena_create(1 << 20);

    json_object_put(body);
    assert_int_equal(json_parse(&body, span_of(text), arena), JSON_OBJECT);
    arena_free(arena);
    memset(out, 0x5a, sizeof *out);
    fields_read(out, integers, COUNT(integers), body, NULL, &complaints);
    return complaints.error;
}

static void integers_are_read_within_their_limits(void **state)
{
    static const char *const bad[] = {
        "{\"small\":8}",
        "{\"small\":-3}",
        "{\"small\":\"1\"}",
        "{\"small\":1.5}",
        "{\"small\":true}",
        "{\"any\":18446744073709551616}",
        "{\"any\":-9223372036854775809}",
        "{\"any\":9007199254740992.0}",
        "{\"any\":1e400}",
    };
    struct numbers numbers;

    (void)state;
    assert_int_equal(read_integers(&numbers, "{\"small\":-2,\"any\":9007199254740993}"),
                     ERROR_NONE);
    assert_int_equal(numbers.small, -2);
    assert_int_equal(numbers.any, 9007199254740993);
    assert_int_equal(read_integers(&numbers, "{\"small\":2.0,\"any\":1e3}"), ERROR_NONE);
    assert_int_equal(numbers.small, 2);
    assert_int_equal(numbers.any, 1000);
    assert_int_equal(read_integers(&numbers, "{\"small\":null}"), ERROR_NONE);
    assert_int_equal(numbers.small, 3);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (read_integers(&numbers, bad[i]) != ERROR_INVALID_FIELDS)
            fail_msg("%s is accepted", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_body(integers_are_read_within_their_limits),
        with_body(ids_are_read_in_either_case_and_need_not_be_uuids),
        with_body(absent_null_and_empty_are_the_same),
        with_body(flags_are_read_in_every_form_that_clients_send),
        with_body(nothing_else_is_a_flag),
        with_body(texts_are_handed_on_as_they_are),
        with_body(blank_text_is_missing),
        with_body(text_that_is_too_long_or_holds_nul_is_invalid),
        with_body(values_of_other_types_are_invalid),
        with_body(all_that_is_missing_is_told_before_anything_that_is_invalid),
        with_body(names_are_compared_exactly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
