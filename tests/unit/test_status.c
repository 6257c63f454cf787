#include "lib/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < STATUS_COUNT; i++) {
        const char *name = status_name((enum status)i);

        assert_non_null(name);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_true(name[0] != '\0');
        for (int j = 0; j < i; j++)
            assert_string_not_equal(name, status_name((enum status)j));
    }
}

static void a_problem_is_set_and_the_status_handed_on(void **state)
{
    struct problem why = {"before"};

    (void)state;
    assert_int_equal(problem_set(&why, STATUS_BUSY, "%s is %d", "x", 5), STATUS_BUSY);
    assert_string_equal(why.text, "x is 5");
    assert_int_equal(problem_set(NULL, STATUS_IO, "%s", "nobody listens"), STATUS_IO);
}

static void a_prefix_goes_before_the_sentence(void **state)
{
    struct problem why = {"no such file"};
    struct problem empty = {""};

    (void)state;
    problem_prefix(&why, "%s:%d", "a.conf", 7);
    assert_string_equal(why.text, "a.conf:7: no such file");
    problem_prefix(&empty, "alone");
    assert_string_equal(empty.text, "alone");
    problem_prefix(NULL, "nobody listens");
}

static void long_sentences_are_cut_to_fit(void **state)
{
    char text[2 * PROBLEM_MAX_BYTES];
    struct problem why;

    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    (void)problem_set(&why, STATUS_IO, "%s", text);
    assert_int_equal(strlen(why.text), PROBLEM_MAX_BYTES - 1);
    problem_prefix(&why, "before");
    assert_int_equal(strlen(why.text), PROBLEM_MAX_BYTES - 1);
    assert_memory_equal(why.text, "before: xxx", 11);
    problem_prefix(&why, "%s", text);
    assert_int_equal(strlen(why.text), PROBLEM_MAX_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(a_problem_is_set_and_the_status_handed_on),
        cmocka_unit_test(a_prefix_goes_before_the_sentence),
        cmocka_unit_test(long_sentences_are_cut_to_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
