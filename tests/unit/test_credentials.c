#include "app/rules/credentials.h"

#include "tests/unit/unit.h"

static const struct secret_key key = {"a key for hashes in tests......"};

static struct secret_hash hash_of(enum credential_kind kind, const char *text)
{
    struct secret_hash hash;

    credential_hash(&hash, &key, kind, span_of(text));
    return hash;
}

static void a_new_credential_tells_its_kind_and_is_acceptable(void **state)
{
    static const char *const prefixes[] = {
        [CREDENTIAL_API_KEY] = "zak_",
        [CREDENTIAL_DEVELOPER_SECRET] = "zdk_",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        char text[CREDENTIAL_TEXT_BYTES], other[CREDENTIAL_TEXT_BYTES];

        credential_make(text, (enum credential_kind)i);
        credential_make(other, (enum credential_kind)i);
        assert_memory_equal(text, prefixes[i], 4);
        assert_int_equal(strlen(text), 4 + 43);
        assert_string_not_equal(text, other);
        assert_int_equal(credential_check(span_of(text), NULL), STATUS_OK);
        assert_true(credential_begins(text));
    }
}

/* One text as API key and as developer secret has two hashes, so that neither serves as the
 * other. */
static void a_text_has_a_hash_for_each_kind(void **state)
{
    struct secret_hash api_key = hash_of(CREDENTIAL_API_KEY, "text");
    struct secret_hash secret = hash_of(CREDENTIAL_DEVELOPER_SECRET, "text");
    struct secret_hash again = hash_of(CREDENTIAL_API_KEY, "text");

    (void)state;
    assert_memory_not_equal(&api_key, &secret, sizeof api_key);
    assert_memory_equal(&api_key, &again, sizeof api_key);
}

static void credentials_from_elsewhere_are_16_to_255_printable_characters(void **state)
{
    static const struct {
        const char *text;
        enum status status;
    } rows[] = {
        {"0123456789abcdef", STATUS_OK},
        {"!~0123456789\"\\'{", STATUS_OK},
        {"0123456789abcde", STATUS_INVALID},
        {"", STATUS_INVALID},
        {"0123456789 abcdef", STATUS_INVALID},
        {"0123456789abcdef ", STATUS_INVALID},
        {"0123456789\tabcdef", STATUS_INVALID},
        {"0123456789\x7f"
         "abcdef",
         STATUS_INVALID},
        {"0123456789\xc3\xa4"
         "abcdef",
         STATUS_INVALID},
    };
    char text[257];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (credential_check(span_of(rows[i].text), NULL) != rows[i].status)
            fail_msg("'%s'", rows[i].text);
    memset(text, 'x', sizeof text - 1);
    text[256] = '\0';
    assert_int_equal(credential_check(span_of(text), NULL), STATUS_INVALID);
    text[255] = '\0';
    assert_int_equal(credential_check(span_of(text), NULL), STATUS_OK);
}

static void a_complaint_does_not_repeat_the_credential(void **state)
{
    struct problem why = {""};

    (void)state;
    assert_int_equal(credential_check(span_of("zak_secret"), &why), STATUS_INVALID);
    assert_string_equal(why.text, "a key must have 16 to 255 characters, not 10");
    assert_int_equal(credential_check(span_of("zak_secret secret"), &why), STATUS_INVALID);
    assert_null(strstr(why.text, "secret"));
    assert_non_null(strstr(why.text, "character 11 is none"));
}

static void a_credential_is_noticed_anywhere_in_a_text(void **state)
{
    static const struct {
        const char *text;
        bool is_in;
    } rows[] = {
        {"zak_0123456789abcdef", true},
        {"zdk_0123456789abcdef", true},
        {"my key: zak_0123456789abcdefXYZ!", true},
        {"zak_short zdk_0123456789abcdef", true},
        {"zak_zak_0123456789abcdef", true},
        {"", false},
        {"zak_", false},
        {"zak_0123456789abcde", false},
        {"zak_0123456789abcde!", false},
        {"zbk_0123456789abcdef", false},
        {"0123456789abcdef0123", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (credential_is_in(rows[i].text) != rows[i].is_in)
            fail_msg("'%s'", rows[i].text);
}

static int start_library(void **state)
{
    (void)state;
    return secret_init() == STATUS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_credential_tells_its_kind_and_is_acceptable),
        cmocka_unit_test(a_text_has_a_hash_for_each_kind),
        cmocka_unit_test(credentials_from_elsewhere_are_16_to_255_printable_characters),
        cmocka_unit_test(a_complaint_does_not_repeat_the_credential),
        cmocka_unit_test(a_credential_is_noticed_anywhere_in_a_text),
    };

    return cmocka_run_group_tests(tests, start_library, NULL);
}
