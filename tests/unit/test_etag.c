#include "lib/etag.h"

#include <string.h>

#include "lib/secret.h"
#include "tests/unit/unit.h"

static void a_tag_is_32_digits_in_quotes(void **state)
{
    char tag[ETAG_BYTES];

    (void)state;
    etag_make(tag, span_of("text"));
    assert_int_equal(strlen(tag), ETAG_BYTES - 1);
    assert_int_equal(tag[0], '"');
    assert_int_equal(strspn(tag + 1, "0123456789abcdef"), 32);
    assert_int_equal(tag[ETAG_BYTES - 2], '"');
}

static void equal_bytes_have_equal_tags_and_others_have_others(void **state)
{
    static const struct span texts[] = {SPAN(""), SPAN("a"), SPAN("b"), SPAN("ab"),
                                        SPAN("a\0")};
    char one[ETAG_BYTES], other[ETAG_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        for (size_t k = 0; k < COUNT(texts); k++) {
            etag_make(one, texts[i]);
            etag_make(other, texts[k]);
            assert_int_equal(strcmp(one, other) == 0, i == k);
        }
}

static void a_tag_is_found_in_every_form_of_the_list(void **state)
{
    static const char *const listed[] = {
        "\"x\"",
        "W/\"x\"",
        "\"a\", \"x\"",
        "\"x\", \"a\"",
        "\"a\",\"x\"",
        "\"a\",W/\"x\"",
        "W/\"a\" ,\t\"x\"",
        ", ,\"x\"",
        "\"a,b\",\"x\"",
        "\"\", \"x\"",
        "\"x\"junk",
        "*",
        " * ",
        "\"\xc3\xa9\",\"x\"",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(listed); i++)
        assert_true(etag_is_listed(span_of(listed[i]), "\"x\""));
}

static void a_tag_is_not_found_in_what_does_not_list_it(void **state)
{
    static const char *const others[] = {
        "",    " ",         "x",         "\"X\"",    "\"x",
        "x\"", "\"xx\"",    "\" x\"",    "w/\"x\"",  "W/ \"x\"",
        "W/",  "\"",        "**",        "*x",       "\"a\"junk,\"x\"",
        "'x'", "\"a,\"x\"", "\"W/\"x\"", "*, \"a\"", "\"a x\"",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        assert_false(etag_is_listed(span_of(others[i]), "\"x\""));
    assert_false(etag_is_listed((struct span){NULL, 0}, "\"x\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_32_digits_in_quotes),
        cmocka_unit_test(equal_bytes_have_equal_tags_and_others_have_others),
        cmocka_unit_test(a_tag_is_found_in_every_form_of_the_list),
        cmocka_unit_test(a_tag_is_not_found_in_what_does_not_list_it),
    };

    if (secret_init() != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
