#include "app/rules/caller_rules.h"

/* Checks 4 and 5. */
static enum error judge_secret(const struct key_facts *facts,
                               const struct credentials *credentials)
{
    if (!credentials->has_secret)
        return ERROR_MISSING_DEVELOPER_SECRET;
    return facts->secret_found ? ERROR_NONE : ERROR_INVALID_DEVELOPER_SECRET;
}

enum error caller_judge(const struct key_facts *facts,
                        const struct credentials *credentials,
                        enum credentials_needed needed)
{
    if (needed == CREDENTIALS_NONE)
        return ERROR_NONE;
    if (needed == CREDENTIALS_BOTH) {
        if (!credentials->has_api_key)
            return ERROR_MISSING_API_KEY;
        if (!facts->api_key_found)
            return ERROR_INVALID_API_KEY;
        if (!facts->key_allows && !facts->org_allows)
            return ERROR_IP_NOT_WHITELISTED;
    }
    enum error error = judge_secret(facts, credentials);
    if (error != ERROR_NONE)
        return error;
    return facts->key_allows ? ERROR_NONE : ERROR_IP_NOT_WHITELISTED;
}
