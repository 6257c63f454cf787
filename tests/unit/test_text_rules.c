#include "app/rules/text_rules.h"

#include "tests/unit/scratch.h"

typedef enum status text_rule(struct span text, struct problem *why);

static char letters[300]; /* all of them x */

static struct span long_text(size_t len)
{
    memset(letters, 'x', sizeof letters);
    return (struct span){letters, len};
}

static void must_refuse(text_rule *rule, struct span text, const char *sentence)
{
    struct problem why = {""};

    assert_int_equal(rule(text, &why), STATUS_INVALID);
    assert_string_equal(why.text, sentence);
}

static void names_and_phones_are_text_that_can_be_printed(void **state)
{
    static const struct {
        const char *text, *sentence;
    } bad[] = {
        {"", "must not be empty or blank"},
        {" \u3000", "must not be empty or blank"},
        {"a\nb", "must not hold control characters"},
        {"a\x7f", "must not hold control characters"},
        {"a\xc2\x85", "must not hold control characters"},
        {"a\xff", "must be UTF-8"},
    };
    static const char *const good[] = {"Ann", "Zoë Müller", "名前", "+49 (30) 1",
                                       "a\u00a0b"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        must_refuse(text_rules_name, span_of(bad[i].text), bad[i].sentence);
        must_refuse(text_rules_phone, span_of(bad[i].text), bad[i].sentence);
        must_refuse(text_rules_email, span_of(bad[i].text), bad[i].sentence);
    }
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(text_rules_name(span_of(good[i]), NULL), STATUS_OK);
        assert_int_equal(text_rules_phone(span_of(good[i]), NULL), STATUS_OK);
    }
}

static void a_nul_inside_is_a_control_character(void **state)
{
    (void)state;
    must_refuse(text_rules_name, (struct span){"a\0b", 3},
                "must not hold control characters");
}

static void each_kind_of_text_has_a_limit_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(text_rules_name(long_text(NAME_MAX_BYTES), NULL), STATUS_OK);
    must_refuse(text_rules_name, long_text(NAME_MAX_BYTES + 1),
                "must have at most 200 bytes, not 201");
    assert_int_equal(text_rules_phone(long_text(PHONE_MAX_BYTES), NULL), STATUS_OK);
    must_refuse(text_rules_phone, long_text(PHONE_MAX_BYTES + 1),
                "must have at most 64 bytes, not 65");
    must_refuse(text_rules_email, long_text(EMAIL_MAX_BYTES + 1),
                "must have at most 254 bytes, not 255");
}

static void an_email_address_has_one_at_sign_inside_and_no_blank(void **state)
{
    static const char *const bad[] = {"a",     "@",     "@b",    "a@",
                                      "a@b@c", "a b@c", "a@b c", "a@b@"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        must_refuse(text_rules_email, span_of(bad[i]), "must look like name@example.com");
    assert_int_equal(text_rules_email(span_of("a@b"), NULL), STATUS_OK);
    assert_int_equal(text_rules_email(span_of("zoë@example.com"), NULL), STATUS_OK);
}

/* The text of a request or a form does not end with NUL. */
static void nothing_behind_the_text_is_read(void **state)
{
    (void)state;
    must_refuse(text_rules_email, (struct span){"a@b", 2},
                "must look like name@example.com");
    assert_int_equal(text_rules_email((struct span){"a@b@c", 3}, NULL), STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_phones_are_text_that_can_be_printed),
        cmocka_unit_test(a_nul_inside_is_a_control_character),
        cmocka_unit_test(each_kind_of_text_has_a_limit_of_its_own),
        cmocka_unit_test(an_email_address_has_one_at_sign_inside_and_no_blank),
        cmocka_unit_test(nothing_behind_the_text_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
