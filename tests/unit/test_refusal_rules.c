/* Why credentials and contacts were refused, and the words for it. */
#include "app/rules/refusal_rules.h"

#include "app/api/reason.h"

#include "tests/unit/unit.h"

enum {
    NOW_MS = 1000,
};

static const struct uuid ours = {{1}}, theirs = {{2}}, ann = {{3}}, bob = {{4}};
static const struct caller caller = {.org_id = {{1}}};
static const struct credentials from_somewhere = {.address.family = ADDRESS_IPV4};

#define FOUND  .found = true, .member_active = true, .org_id = {{1}}
#define FORMER .found = true, .is_former = true, .member_active = true, .org_id = {{1}}

static void why_an_api_key_is_invalid(void **state)
{
    static const struct {
        struct key_record key;
        enum reason reason;
    } rows[] = {
        {{.found = false}, REASON_KEY_UNKNOWN},
        {{FOUND}, REASON_NONE},
        {{FOUND, .life.revoked_at_ms = 1}, REASON_KEY_REVOKED},
        {{FORMER, .life.former_until_ms = NOW_MS}, REASON_KEY_ROTATED},
        {{FORMER, .life.former_until_ms = 0}, REASON_KEY_ROTATED},
        {{FORMER, .life.former_until_ms = NOW_MS + 1}, REASON_NONE},
        {{FORMER, .life.former_until_ms = 1, .life.revoked_at_ms = 1}, REASON_KEY_REVOKED},
        {{.found = true}, REASON_MEMBER_DEACTIVATED},
        {{.found = true, .life.revoked_at_ms = 1}, REASON_KEY_REVOKED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct credential_records records = {.api_key = rows[i].key};
        enum reason reason = caller_reason(ERROR_INVALID_API_KEY, &records, &caller,
                                           &from_somewhere, NOW_MS);
        if (reason != rows[i].reason)
            fail_msg("row %zu: '%s'", i, reason_word(reason));
    }
}

static void why_a_developer_secret_is_invalid(void **state)
{
    static const struct {
        struct key_record key;
        enum reason reason;
    } rows[] = {
        {{.found = false}, REASON_DEVELOPER_KEY_UNKNOWN},
        {{FOUND}, REASON_NONE},
        {{FOUND, .life.revoked_at_ms = 1}, REASON_DEVELOPER_KEY_REVOKED},
        {{FOUND, .life.expires_at_ms = NOW_MS}, REASON_DEVELOPER_KEY_EXPIRED},
        {{FOUND, .life.expires_at_ms = NOW_MS + 1}, REASON_NONE},
        {{FORMER, .life.former_until_ms = NOW_MS}, REASON_DEVELOPER_KEY_ROTATED},
        {{.found = true, .org_id = {{2}}}, REASON_DEVELOPER_KEY_OF_ANOTHER_ORGANIZATION},
        {{.found = true, .org_id = {{2}}, .life.revoked_at_ms = 1},
         REASON_DEVELOPER_KEY_REVOKED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct credential_records records = {.developer_key = rows[i].key};
        enum reason reason = caller_reason(ERROR_INVALID_DEVELOPER_SECRET, &records,
                                           &caller, &from_somewhere, NOW_MS);
        if (reason != rows[i].reason)
            fail_msg("row %zu: '%s'", i, reason_word(reason));
    }
}

static enum reason address_reason_of(struct key_record key, bool org_has_live_keys,
                                     uint8_t family)
{
    const struct credential_records records = {.developer_key = key,
                                               .org_has_live_keys = org_has_live_keys};
    const struct credentials credentials = {.address.family = family};

    return caller_reason(ERROR_IP_NOT_WHITELISTED, &records, &caller, &credentials, NOW_MS);
}

static void why_an_address_is_refused(void **state)
{
    const struct key_record live = {FOUND}, none = {.found = false};
    const struct key_record revoked = {FOUND, .life.revoked_at_ms = 1};

    (void)state;
    assert_int_equal(address_reason_of(live, true, ADDRESS_NONE), REASON_ADDRESS_UNKNOWN);
    assert_int_equal(address_reason_of(live, true, ADDRESS_IPV4), REASON_ADDRESS_OUTSIDE);
    assert_int_equal(address_reason_of(revoked, true, ADDRESS_IPV6),
                     REASON_ADDRESS_OUTSIDE_ORGANIZATION);
    assert_int_equal(address_reason_of(none, true, ADDRESS_IPV4),
                     REASON_ADDRESS_OUTSIDE_ORGANIZATION);
    assert_int_equal(address_reason_of(revoked, false, ADDRESS_IPV4),
                     REASON_ORGANIZATION_KEYS_REVOKED);
}

static void why_a_contact_or_a_note_is_refused(void **state)
{
    const struct note_existence both = {true, true}, neither = {false, false};
    const struct note_command ids = {.contact_id.is_uuid = true, .note_id.is_uuid = true};
    const struct note_command no_ids = {.contact_id.given = true, .note_id.given = true};
    const struct note_facts found = {.note_found = true};
    const struct note_facts absent = {.note_found = false};
    const struct {
        enum error error;
        enum reason reason;
        const struct note_facts *facts;
        const struct note_existence *existence;
        const struct note_command *command;
    } rows[] = {
        {ERROR_NOT_FOUND, REASON_CONTACT_UNKNOWN, &absent, &neither, &ids},
        {ERROR_NOT_FOUND, REASON_CONTACT_OF_ANOTHER_ORGANIZATION, &absent, &both, &ids},
        {ERROR_NOT_FOUND, REASON_CONTACT_ID_MALFORMED, &absent, &neither, &no_ids},
        {ERROR_NOTE_NOT_FOUND, REASON_NOTE_UNKNOWN, &absent, &neither, &ids},
        {ERROR_NOTE_NOT_FOUND, REASON_NOTE_OF_ANOTHER_CONTACT, &absent, &both, &ids},
        {ERROR_NOTE_NOT_FOUND, REASON_NOTE_PRIVATE, &found, &both, &ids},
        {ERROR_NOTE_NOT_FOUND, REASON_NOTE_ID_MALFORMED, &absent, &neither, &no_ids},
        {ERROR_NOTE_NOT_EDITABLE, REASON_NONE, &found, &both, &ids},
        {ERROR_IDEMPOTENCY_MISMATCH, REASON_NONE, &found, &both, &ids},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum reason reason = note_reason(rows[i].error, rows[i].facts, rows[i].existence,
                                         &caller, rows[i].command);
        if (reason != rows[i].reason)
            fail_msg("row %zu: '%s'", i, reason_word(reason));
    }
}

static void why_organization_or_owner_are_wrong(void **state)
{
    const struct note_existence existence = {true, false};
    const struct note_command by_ann = {.member_id = {true, true, ann}};
    const struct note_facts of_ours = {.org_id = ours, .owner_id = ann};
    const struct note_facts of_theirs = {.org_id = theirs, .owner_id = bob};

    (void)state;
    assert_int_equal(note_reason(ERROR_WRONG_ORG, &of_ours, &existence, &caller, &by_ann),
                     REASON_ORG_ID_NOT_OF_THE_KEY);
    assert_int_equal(note_reason(ERROR_WRONG_ORG, &of_theirs, &existence, &caller, &by_ann),
                     REASON_CONTACT_OF_ANOTHER_ORGANIZATION);
    assert_int_equal(note_reason(ERROR_NOT_OWNER, &of_ours, &existence, &caller, &by_ann),
                     REASON_OWNER_DEACTIVATED);
    assert_int_equal(note_reason(ERROR_NOT_OWNER, &of_theirs, &existence, &caller, &by_ann),
                     REASON_NOT_OWNER);
}

static void every_reason_has_a_word_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(reason_word(REASON_NONE), "");
    for (enum reason i = REASON_NONE + 1; i < REASON_COUNT; i++) {
        assert_true(strspn(reason_word(i), "abcdefghijklmnopqrstuvwxyz_8") > 3);
        for (enum reason j = REASON_NONE; j < i; j++)
            assert_string_not_equal(reason_word(i), reason_word(j));
    }
    assert_string_equal(reason_field_word(FIELD_GOOD), "");
    for (enum field_fault i = FIELD_GOOD + 1; i < FIELD_FAULTS; i++)
        for (enum field_fault j = FIELD_GOOD; j < i; j++)
            assert_string_not_equal(reason_field_word(i), reason_field_word(j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_an_api_key_is_invalid),
        cmocka_unit_test(why_a_developer_secret_is_invalid),
        cmocka_unit_test(why_an_address_is_refused),
        cmocka_unit_test(why_a_contact_or_a_note_is_refused),
        cmocka_unit_test(why_organization_or_owner_are_wrong),
        cmocka_unit_test(every_reason_has_a_word_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
