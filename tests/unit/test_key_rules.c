#include "app/rules/key_rules.h"

#include "tests/unit/scratch.h"

enum {
    NOW_MS = 1000000,
    HOUR_MS = 3600000,
};

static void a_key_is_live_until_it_is_revoked_or_expires(void **state)
{
    static const struct {
        struct key_life life;
        enum key_state state;
        const char *word;
    } rows[] = {
        {{.expires_at_ms = 0}, KEY_LIVE, "live"},
        {{.expires_at_ms = NOW_MS + 1}, KEY_LIVE, "live"},
        {{.expires_at_ms = NOW_MS}, KEY_EXPIRED, "expired"},
        {{.revoked_at_ms = 1}, KEY_REVOKED, "revoked"},
        {{.revoked_at_ms = 1, .expires_at_ms = NOW_MS + 1}, KEY_REVOKED, "revoked"},
        {{.revoked_at_ms = 1, .expires_at_ms = NOW_MS}, KEY_EXPIRED, "expired"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(key_rules_state(&rows[i].life, NOW_MS), rows[i].state);
        assert_string_equal(key_rules_state_word(rows[i].state), rows[i].word);
    }
}

static void only_a_live_key_may_be_rotated(void **state)
{
    const struct key_life live = {.expires_at_ms = NOW_MS + 1};
    const struct key_life revoked = {.revoked_at_ms = 1};
    const struct key_life expired = {.expires_at_ms = NOW_MS};
    struct problem why = {""};

    (void)state;
    assert_int_equal(key_rules_may_rotate(&live, NOW_MS, &why), STATUS_OK);
    assert_string_equal(why.text, "");
    assert_int_equal(key_rules_may_rotate(&revoked, NOW_MS, &why), STATUS_REFUSED);
    assert_string_equal(why.text, "the key is revoked");
    assert_int_equal(key_rules_may_rotate(&expired, NOW_MS, &why), STATUS_REFUSED);
    assert_string_equal(why.text, "the key is expired");
}

static void
a_former_secret_works_for_the_grace_time_but_not_longer_than_the_key(void **state)
{
    static const struct {
        int64_t expires_at_ms, grace_ms, until_ms;
    } rows[] = {
        {0, HOUR_MS, NOW_MS + HOUR_MS},
        {0, 0, 0},
        {NOW_MS + HOUR_MS + 1, HOUR_MS, NOW_MS + HOUR_MS},
        {NOW_MS + HOUR_MS - 1, HOUR_MS, NOW_MS + HOUR_MS - 1},
        {NOW_MS + 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct key_life life = {.expires_at_ms = rows[i].expires_at_ms};
        assert_int_equal(key_rules_former_until(&life, NOW_MS, rows[i].grace_ms),
                         rows[i].until_ms);
    }
}

static void older_secrets_keep_their_time_unless_the_new_end_is_before(void **state)
{
    static const struct {
        int64_t former_until_ms, until_ms, older_until_ms;
    } rows[] = {
        {0, NOW_MS + 10, -1},      /* there is none */
        {NOW_MS, NOW_MS + 10, -1}, /* its time is over */
        {NOW_MS + 5, NOW_MS + 10, NOW_MS + 5},
        {NOW_MS + 20, NOW_MS + 10, NOW_MS + 10},
        {NOW_MS + 20, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct key_life life = {.former_until_ms = rows[i].former_until_ms};
        assert_int_equal(key_rules_older_until(&life, NOW_MS, rows[i].until_ms),
                         rows[i].older_until_ms);
    }
}

static void the_end_of_a_former_secret_is_told_while_it_works(void **state)
{
    static const struct {
        struct key_life life;
        int64_t until_ms;
    } rows[] = {
        {{.former_until_ms = 0}, 0},
        {{.former_until_ms = NOW_MS}, 0},
        {{.former_until_ms = NOW_MS + 1}, NOW_MS + 1},
        {{.former_until_ms = NOW_MS + 1, .revoked_at_ms = 1}, 0},
        {{.former_until_ms = NOW_MS + 9, .expires_at_ms = NOW_MS + 1}, NOW_MS + 1},
        {{.former_until_ms = NOW_MS + 1, .expires_at_ms = NOW_MS + 9}, NOW_MS + 1},
        {{.former_until_ms = NOW_MS + 1, .expires_at_ms = NOW_MS}, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(key_rules_former_now(&rows[i].life, NOW_MS), rows[i].until_ms);
}

static void a_block_that_holds_every_address_needs_consent(void **state)
{
    static const struct cidr blocks[] = {
        {{.family = ADDRESS_IPV4, .bytes = {10}}, 8},
        {{.family = ADDRESS_IPV4, .bytes = {128}}, 1},
        {{.family = ADDRESS_IPV6}, 0},
        {{.family = ADDRESS_IPV4}, 0},
    };

    struct problem why = {""};

    (void)state;
    assert_int_equal(key_rules_may_allow(NULL, 0, false, &why), STATUS_OK);
    assert_int_equal(key_rules_may_allow(blocks, 2, false, &why), STATUS_OK);
    assert_int_equal(key_rules_may_allow(blocks, COUNT(blocks), true, &why), STATUS_OK);
    assert_string_equal(why.text, "");
    assert_int_equal(key_rules_may_allow(blocks, COUNT(blocks), false, &why),
                     STATUS_REFUSED);
    assert_string_equal(why.text, "::/0 allows every address");
    assert_int_equal(key_rules_may_allow(blocks + 3, 1, false, &why), STATUS_REFUSED);
    assert_string_equal(why.text, "0.0.0.0/0 allows every address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_live_until_it_is_revoked_or_expires),
        cmocka_unit_test(only_a_live_key_may_be_rotated),
        cmocka_unit_test(
            a_former_secret_works_for_the_grace_time_but_not_longer_than_the_key),
        cmocka_unit_test(older_secrets_keep_their_time_unless_the_new_end_is_before),
        cmocka_unit_test(the_end_of_a_former_secret_is_told_while_it_works),
        cmocka_unit_test(a_block_that_holds_every_address_needs_consent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
