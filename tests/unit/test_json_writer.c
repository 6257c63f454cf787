#include "lib/json_writer.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum {
    ARENA_BYTES = 1 << 20,
};

static int make_arena(void **state)
{
    *state = arena_create(ARENA_BYTES);
    return *state == NULL ? -1 : 0;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

static void expect(const struct json_writer *w, const char *expected)
{
    struct span text = json_written(w);

    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void commas_stand_between_members_and_elements(void **state)
{
    struct json_writer w;

    json_begin(&w, *state, 0);
    json_open(&w, '{');
    json_put_name(&w, "a");
    json_open(&w, '[');
    json_put_integer(&w, 1);
    json_put_text(&w, (struct span)SPAN("null"));
    json_open(&w, '[');
    json_close(&w, ']');
    json_open(&w, '{');
    json_close(&w, '}');
    json_close(&w, ']');
    json_put_name(&w, "b");
    json_put_string(&w, (struct span)SPAN(""));
    json_put_name(&w, "c");
    json_put_string(&w, (struct span){NULL, 0});
    json_close(&w, '}');
    expect(&w, "{\"a\":[1,null,[],{}],\"b\":\"\",\"c\":\"\"}");
}

static void integers_have_all_their_digits(void **state)
{
    struct json_writer w;

    json_begin(&w, *state, 0);
    json_open(&w, '[');
    json_put_integer(&w, 0);
    json_put_integer(&w, -7);
    json_put_integer(&w, INT64_MAX);
    json_put_integer(&w, INT64_MIN);
    json_close(&w, ']');
    expect(&w, "[0,-7,9223372036854775807,-9223372036854775808]");
}

/* As json-c writes it, which the service used before, and so for every byte at every place
 * within and around the words that are looked at together. */
static void strings_have_the_escapes_of_json_c(void **state)
{
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 20; place++) {
            char text[] = "abcdefghijklmnopqrst";
            struct json_writer w;

            text[place] = (char)byte;
            text[19] = (char)(place % 2 == 0 ? '"' : byte);
            struct json_object *string = json_object_new_string_len(text, 20);
            json_begin(&w, *state, 0);
            json_put_string(&w, (struct span){text, 20});
            expect(&w,
                   json_object_to_json_string_ext(
                       string, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
            json_object_put(string);
            arena_reset(*state);
        }
    }
}

static void a_text_grows_and_keeps_the_room_in_front(void **state)
{
    static char text[100000];
    struct json_writer w;

    memset(text, 'x', sizeof text);
    text[50000] = '\n';
    json_begin(&w, *state, 100);
    json_open(&w, '[');
    json_put_string(&w, (struct span){text, sizeof text});
    json_close(&w, ']');
    struct span written = json_written(&w);
    assert_int_equal(written.len, sizeof text + 5);
    memset((char *)written.data - 100, 0, 100);
    assert_memory_equal(written.data, "[\"xxx", 5);
    assert_memory_equal(written.data + 50000, "xx\\nxx", 6);
    assert_memory_equal(written.data + written.len - 4, "xx\"]", 4);
}

static void what_does_not_fit_is_reported_at_the_end(void **state)
{
    static char text[ARENA_BYTES];
    struct json_writer w;

    memset(text, 'x', sizeof text);
    json_begin(&w, *state, 0);
    json_open(&w, '[');
    json_put_string(&w, (struct span){text, sizeof text});
    json_put_string(&w, (struct span)SPAN("\n"));
    json_put_name(&w, "n");
    json_close(&w, ']');
    assert_null(json_written(&w).data);

    json_begin(&w, *state, ARENA_BYTES); /* no memory from the beginning */
    json_put_integer(&w, 1);
    assert_null(json_written(&w).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(commas_stand_between_members_and_elements,
                                        make_arena, free_arena),
        cmocka_unit_test_setup_teardown(integers_have_all_their_digits, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(strings_have_the_escapes_of_json_c, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(a_text_grows_and_keeps_the_room_in_front,
                                        make_arena, free_arena),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_reported_at_the_end,
                                        make_arena, free_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
