/* Limits of json_scan: members, depth, values and memory. */
#include "lib/json_scan.h"

#include "tests/unit/json_texts.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeated_names_are_found_among_few_and_many),
        cmocka_unit_test(sixteen_levels_are_allowed_and_no_more),
        cmocka_unit_test(depth_counts_what_is_open_and_not_what_was),
        cmocka_unit_test(a_hundred_thousand_brackets_do_no_harm),
        cmocka_unit_test(values_of_all_kinds_are_counted),
        cmocka_unit_test(memory_is_bounded_for_the_largest_bodies),
        cmocka_unit_test(an_exhausted_arena_means_broken),
        cmocka_unit_test(a_plain_request_needs_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
