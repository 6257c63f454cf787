/* Checks 1 to 6 of docs/api.md, without any database. */
#include "app/rules/caller_rules.h"

#include "tests/unit/unit.h"

struct row {
    bool has_api_key, api_key_found, has_secret, secret_found, key_allows, org_allows;
    enum error both, secret; /* what is said where both, or the secret alone, are needed */
};

static const struct row rows[] = {
    /* all is in order */
    {1, 1, 1, 1, 1, 0, ERROR_NONE, ERROR_NONE},
    {1, 1, 1, 1, 1, 1, ERROR_NONE, ERROR_NONE},
    /* check 1, whatever else is wrong */
    {0, 0, 1, 1, 1, 1, ERROR_MISSING_API_KEY, ERROR_NONE},
    {0, 0, 0, 0, 0, 0, ERROR_MISSING_API_KEY, ERROR_MISSING_DEVELOPER_SECRET},
    /* check 2 */
    {1, 0, 1, 1, 1, 1, ERROR_INVALID_API_KEY, ERROR_NONE},
    {1, 0, 0, 0, 0, 0, ERROR_INVALID_API_KEY, ERROR_MISSING_DEVELOPER_SECRET},
    /* check 3: nothing is said about the secret */
    {1, 1, 0, 0, 0, 0, ERROR_IP_NOT_WHITELISTED, ERROR_MISSING_DEVELOPER_SECRET},
    {1, 1, 1, 0, 0, 0, ERROR_IP_NOT_WHITELISTED, ERROR_INVALID_DEVELOPER_SECRET},
    {1, 1, 1, 1, 0, 0, ERROR_IP_NOT_WHITELISTED, ERROR_IP_NOT_WHITELISTED},
    /* check 4 */
    {1, 1, 0, 0, 0, 1, ERROR_MISSING_DEVELOPER_SECRET, ERROR_MISSING_DEVELOPER_SECRET},
    /* check 5 */
    {1, 1, 1, 0, 0, 1, ERROR_INVALID_DEVELOPER_SECRET, ERROR_INVALID_DEVELOPER_SECRET},
    /* check 6 */
    {1, 1, 1, 1, 0, 1, ERROR_IP_NOT_WHITELISTED, ERROR_IP_NOT_WHITELISTED},
};

static void the_first_check_that_fails_is_the_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        const struct key_facts facts = {.api_key_found = row->api_key_found,
                                        .secret_found = row->secret_found,
                                        .key_allows = row->key_allows,
                                        .org_allows = row->org_allows};
        const struct credentials credentials = {.has_api_key = row->has_api_key,
                                                .has_secret = row->has_secret};
        enum error both = caller_judge(&facts, &credentials, CREDENTIALS_BOTH);
        enum error secret = caller_judge(&facts, &credentials, CREDENTIALS_SECRET);
        if (both != row->both || secret != row->secret)
            fail_msg("row %zu: %d and %d", i, (int)both, (int)secret);
    }
}

static void a_call_without_credentials_asks_for_none(void **state)
{
    const struct key_facts facts = {.api_key_found = false};
    const struct credentials credentials = {.has_api_key = false};

    (void)state;
    assert_int_equal(caller_judge(&facts, &credentials, CREDENTIALS_NONE), ERROR_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_check_that_fails_is_the_verdict),
        cmocka_unit_test(a_call_without_credentials_asks_for_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
