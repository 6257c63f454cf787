/* What json_scan_telling says of a text that is broken, and where it is. */
#include "lib/json_scan.h"

#include "tests/unit/json_texts.h"

static struct json_findings findings_of(struct span text, size_t arena_bytes)
{
    struct json_findings findings = {.members = 99, .offset = 99};
    struct arena *arena = arena_create(arena_bytes);

    assert_non_null(arena);
    assert_int_equal(json_scan_telling(text, arena, &findings), JSON_BROKEN);
    arena_free(arena);
    return findings;
}

static void the_byte_and_the_fault_are_told(void **state)
{
    static const struct {
        struct span text;
        enum json_fault fault;
        size_t offset;
    } rows[] = {
        {BYTES(""), JSON_FAULT_SYNTAX, 0},
        {BYTES("  "), JSON_FAULT_SYNTAX, 2},
        {BYTES("{"), JSON_FAULT_SYNTAX, 1},
        {BYTES("{\"a\":tru}"), JSON_FAULT_SYNTAX, 5},
        {BYTES("{\"a\":\"\n\"}"), JSON_FAULT_SYNTAX, 6},
        {BYTES("{\"a\":\"\\ud800\"}"), JSON_FAULT_SYNTAX, 12},
        {BYTES("{} {}"), JSON_FAULT_SYNTAX, 3},
        {BYTES("\xef\xbb\xbf{}"), JSON_FAULT_SYNTAX, 0},
        {BYTES("{\"a\":\"b\xc0\x80\"}"), JSON_FAULT_UTF8, 7},
        {BYTES("{\"\xe2\x82\":1}"), JSON_FAULT_UTF8, 2},
        {BYTES("{\"a\":1,\"\\u0061\":2}"), JSON_FAULT_NAME_TWICE, 18},
        {BYTES("[{\"a\":1,\"a\":2},3]"), JSON_FAULT_NAME_TWICE, 14},
        {BYTES("[[[[[[[[[[[[[[[[[0]"), JSON_FAULT_DEPTH, 17},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_findings findings = findings_of(rows[i].text, ARENA_BYTES);
        if (findings.fault != rows[i].fault || findings.offset != rows[i].offset)
            fail_msg("row %zu: fault %d at %zu", i, (int)findings.fault, findings.offset);
    }
}

static void what_is_too_large_is_told(void **state)
{
    static const char name[] = "{\"\\u0061bcdefgh\":1}";
    static char values[2 * JSON_MAX_VALUES + 3];
    size_t len = 0;

    (void)state;
    values[len++] = '[';
    for (int i = 1; i < JSON_MAX_VALUES; i++) {
        values[len++] = '0';
        values[len++] = ',';
    }
    values[len++] = '0';
    values[len++] = ']';
    struct json_findings findings = findings_of((struct span){values, len}, ARENA_BYTES);
    assert_int_equal(findings.fault, JSON_FAULT_SIZE);
    assert_int_equal(findings.offset, len - 2);
    assert_int_equal(findings_of(span_of(name), 1).fault, JSON_FAULT_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_byte_and_the_fault_are_told),
        cmocka_unit_test(what_is_too_large_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
