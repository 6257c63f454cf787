#include "app/api/reason.h"

#include <assert.h>

static const char *const words[REASON_COUNT] = {
    [REASON_NONE] = "",
    [REASON_BODY_INCOMPLETE] = "body_incomplete",
    [REASON_JSON_SYNTAX] = "json_syntax",
    [REASON_JSON_NOT_UTF8] = "json_not_utf8",
    [REASON_JSON_NAME_TWICE] = "json_name_twice",
    [REASON_JSON_TOO_DEEP] = "json_too_deep",
    [REASON_JSON_TOO_LARGE] = "json_too_large",
    [REASON_JSON_NO_OBJECT] = "json_no_object",
    [REASON_IDEMPOTENCY_KEY_EMPTY] = "idempotency_key_empty",
    [REASON_IDEMPOTENCY_KEY_TWICE] = "idempotency_key_twice",
    [REASON_IDEMPOTENCY_KEY_TOO_LONG] = "idempotency_key_too_long",
    [REASON_IDEMPOTENCY_KEY_NOT_PRINTABLE] = "idempotency_key_not_printable",
    [REASON_KEY_UNKNOWN] = "key_unknown",
    [REASON_KEY_REVOKED] = "key_revoked",
    [REASON_KEY_ROTATED] = "key_rotated",
    [REASON_MEMBER_DEACTIVATED] = "member_deactivated",
    [REASON_DEVELOPER_KEY_UNKNOWN] = "developer_key_unknown",
    [REASON_DEVELOPER_KEY_REVOKED] = "developer_key_revoked",
    [REASON_DEVELOPER_KEY_EXPIRED] = "developer_key_expired",
    [REASON_DEVELOPER_KEY_ROTATED] = "developer_key_rotated",
    [REASON_DEVELOPER_KEY_OF_ANOTHER_ORGANIZATION] =
        "developer_key_of_another_organization",
    [REASON_ADDRESS_UNKNOWN] = "address_unknown",
    [REASON_ADDRESS_OUTSIDE] = "address_outside",
    [REASON_ADDRESS_OUTSIDE_ORGANIZATION] = "address_outside_organization",
    [REASON_ORGANIZATION_KEYS_REVOKED] = "organization_keys_revoked",
    [REASON_CONTACT_ID_MALFORMED] = "contact_id_malformed",
    [REASON_CONTACT_UNKNOWN] = "contact_unknown",
    [REASON_CONTACT_OF_ANOTHER_ORGANIZATION] = "contact_of_another_organization",
    [REASON_ORG_ID_NOT_OF_THE_KEY] = "org_id_not_of_the_key",
    [REASON_NOT_OWNER] = "not_owner",
    [REASON_OWNER_DEACTIVATED] = "owner_deactivated",
    [REASON_NOTE_ID_MALFORMED] = "note_id_malformed",
    [REASON_NOTE_UNKNOWN] = "note_unknown",
    [REASON_NOTE_OF_ANOTHER_CONTACT] = "note_of_another_contact",
    [REASON_NOTE_PRIVATE] = "note_private",
    [REASON_QUOTA_USED_UP] = "quota_used_up",
    [REASON_KEY_FILE_WRONG] = "key_file_wrong",
    [REASON_OVERLOADED] = "overloaded",
    [REASON_BUSY] = "busy",
    [REASON_DATABASE_UNAVAILABLE] = "database_unavailable",
    [REASON_DATABASE_IO] = "database_io",
    [REASON_NO_MEMORY] = "no_memory",
    [REASON_COMMIT_UNKNOWN] = "commit_unknown",
};

static const char *const field_words[FIELD_FAULTS] = {
    [FIELD_GOOD] = "",
    [FIELD_ABSENT] = "absent",
    [FIELD_BLANK] = "blank",
    [FIELD_NO_STRING] = "no_string",
    [FIELD_NUL] = "nul",
    [FIELD_TOO_LONG] = "too_long",
    [FIELD_MALFORMED] = "malformed",
    [FIELD_NO_FLAG] = "no_flag",
    [FIELD_NO_INTEGER] = "no_integer",
    [FIELD_OUT_OF_RANGE] = "out_of_range",
    [FIELD_UNKNOWN_WORD] = "unknown_word",
    [FIELD_NO_OBJECT] = "no_object",
};

const char *reason_word(enum reason reason)
{
    assert((unsigned)reason < REASON_COUNT);
    return words[reason];
}

const char *reason_field_word(enum field_fault fault)
{
    assert((unsigned)fault < FIELD_FAULTS);
    return field_words[fault];
}
