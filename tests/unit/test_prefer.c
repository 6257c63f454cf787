#include "lib/prefer.h"

#include "tests/unit/unit.h"

static bool is_strict(const char *header)
{
    return prefer_has(span_of(header), "status", "strict");
}

static void a_preference_is_found_in_every_form(void **state)
{
    static const char *const forms[] = {
        "status=strict",
        "STATUS=Strict",
        "status = strict",
        " status=strict\t",
        "status=\"strict\"",
        "status=\"str\\ict\"",
        "status=strict; until=\"later, or never\"",
        "status=strict;a;b=c",
        "respond-async, status=strict",
        "respond-async,wait=10 ,\tstatus=\"STRICT\" ;x, handling=lenient",
        "foo; status=published, status=strict",
        "foo=\"a, status=published\", status=strict",
        "foo=\"a\\\", status=published\", status=strict",
        ",, ,status=strict,",
        "=x, status=strict",
        "status=strict, status=published",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++)
        if (!is_strict(forms[i]))
            fail_msg("%s", forms[i]);
}

static void a_preference_is_not_found_where_it_is_not_asked_for(void **state)
{
    static const char *const others[] = {
        "",
        ",",
        "status",
        "status=",
        "status=\"\"",
        "status=published",
        "status=published, status=strict",
        "status, status=strict",
        "status=stricter",
        "status=stric",
        "xstatus=strict",
        "strict",
        "strict=status",
        "status strict",
        "status=strict strict",
        "status='strict'",
        "status=\"strict",
        "status=\"strict\"x",
        "status=\" strict\"",
        "status=\"strict\\\"",
        "foo; status=strict",
        "foo=\"a, status=strict\"",
        "foo=\"a, status=strict",
        "\"status\"=strict",
        "\\",
        "\"\\",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        if (is_strict(others[i]))
            fail_msg("%s", others[i]);
    assert_false(prefer_has((struct span){NULL, 0}, "status", "strict"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_preference_is_found_in_every_form),
        cmocka_unit_test(a_preference_is_not_found_where_it_is_not_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
