#include "app/rules/refusal_rules.h"

static bool has_ended(const struct key_record *key, int64_t now_ms)
{
    return key->is_former && key->life.former_until_ms <= now_ms;
}

static enum reason api_key_reason(const struct key_record *key, int64_t now_ms)
{
    if (!key->found)
        return REASON_KEY_UNKNOWN;
    if (key_rules_state(&key->life, now_ms) != KEY_LIVE)
        return REASON_KEY_REVOKED;
    if (has_ended(key, now_ms))
        return REASON_KEY_ROTATED;
    return key->member_active ? REASON_NONE : REASON_MEMBER_DEACTIVATED;
}

static enum reason developer_key_reason(const struct key_record *key,
                                        const struct caller *caller, int64_t now_ms)
{
    static const enum reason of_state[] = {
        [KEY_LIVE] = REASON_NONE,
        [KEY_REVOKED] = REASON_DEVELOPER_KEY_REVOKED,
        [KEY_EXPIRED] = REASON_DEVELOPER_KEY_EXPIRED,
    };
    enum reason reason = of_state[key_rules_state(&key->life, now_ms)];

    if (!key->found)
        return REASON_DEVELOPER_KEY_UNKNOWN;
    if (reason == REASON_NONE && has_ended(key, now_ms))
        reason = REASON_DEVELOPER_KEY_ROTATED;
    if (reason == REASON_NONE && !uuid_equals(&key->org_id, &caller->org_id))
        reason = REASON_DEVELOPER_KEY_OF_ANOTHER_ORGANIZATION;
    return reason;
}

static enum reason address_reason(const struct credential_records *records,
                                  const struct caller *caller,
                                  const struct credentials *credentials, int64_t now_ms)
{
    if (credentials->address.family == ADDRESS_NONE)
        return REASON_ADDRESS_UNKNOWN;
    if (!records->org_has_live_keys)
        return REASON_ORGANIZATION_KEYS_REVOKED;
    return records->developer_key.found &&
                   developer_key_reason(&records->developer_key, caller, now_ms) ==
                       REASON_NONE
               ? REASON_ADDRESS_OUTSIDE
               : REASON_ADDRESS_OUTSIDE_ORGANIZATION;
}

enum reason caller_reason(enum error error, const struct credential_records *records,
                          const struct caller *caller,
                          const struct credentials *credentials, int64_t now_ms)
{
    switch (error) {
    case ERROR_INVALID_API_KEY:
        return api_key_reason(&records->api_key, now_ms);
    case ERROR_INVALID_DEVELOPER_SECRET:
        return developer_key_reason(&records->developer_key, caller, now_ms);
    case ERROR_IP_NOT_WHITELISTED:
        return address_reason(records, caller, credentials, now_ms);
    default:
        return REASON_NONE;
    }
}

static enum reason contact_reason(const struct note_existence *existence,
                                  const struct note_command *command)
{
    if (!command->contact_id.is_uuid)
        return REASON_CONTACT_ID_MALFORMED;
    return existence->contact ? REASON_CONTACT_OF_ANOTHER_ORGANIZATION
                              : REASON_CONTACT_UNKNOWN;
}

static enum reason missing_note_reason(const struct note_facts *facts,
                                       const struct note_existence *existence,
                                       const struct note_command *command)
{
    if (!command->note_id.is_uuid)
        return REASON_NOTE_ID_MALFORMED;
    if (facts->note_found)
        return REASON_NOTE_PRIVATE;
    return existence->note ? REASON_NOTE_OF_ANOTHER_CONTACT : REASON_NOTE_UNKNOWN;
}

enum reason note_reason(enum error error, const struct note_facts *facts,
                        const struct note_existence *existence, const struct caller *caller,
                        const struct note_command *command)
{
    switch (error) {
    case ERROR_NOT_FOUND:
        return contact_reason(existence, command);
    case ERROR_WRONG_ORG:
        return uuid_equals(&facts->org_id, &caller->org_id)
                   ? REASON_ORG_ID_NOT_OF_THE_KEY
                   : REASON_CONTACT_OF_ANOTHER_ORGANIZATION;
    case ERROR_NOT_OWNER:
        return given_id_is(&command->member_id, &facts->owner_id) ? REASON_OWNER_DEACTIVATED
                                                                  : REASON_NOT_OWNER;
    case ERROR_NOTE_NOT_FOUND:
        return missing_note_reason(facts, existence, command);
    default:
        return REASON_NONE;
    }
}
