#include "app/serve/explain.h"

#include "app/rules/refusal_rules.h"
#include "app/store/key_facts.h"

/* An id that is known already stays, because the quota of its key may have been charged. */
static void set_if_unknown(struct uuid *id, const struct uuid *found)
{
    static const struct uuid none;

    if (uuid_equals(id, &none))
        *id = *found;
}

/* The log names keys that were refused, too. */
static void name_keys(struct caller *caller, const struct credential_records *records)
{
    if (records->api_key.found) {
        set_if_unknown(&caller->api_key_id, &records->api_key.id);
        set_if_unknown(&caller->org_id, &records->api_key.org_id);
    }
    if (records->developer_key.found)
        set_if_unknown(&caller->developer_key_id, &records->developer_key.id);
}

static void explain_credentials(struct exchange *x, struct db *db)
{
    struct credential_records records;

    if (key_records_read(&records, db, x->refusal, &x->credentials, &x->caller.org_id,
                         x->now_ms) != STATUS_OK)
        return;
    x->reason = caller_reason(x->refusal, &records, &x->caller, &x->credentials, x->now_ms);
    name_keys(&x->caller, &records);
}

static void explain_by_call(struct exchange *x, const struct settings *settings,
                            struct db *db)
{
    const struct reading reading = {
        .db = db,
        .caller = &x->caller,
        .settings = settings,
        .arena = x->arena,
        .now_ms = x->now_ms,
    };

    if (x->call->explain(&x->reason, x->refusal, &reading, x->input) != STATUS_OK)
        x->reason = REASON_NONE;
}

void explain_refusal(struct exchange *x, const struct settings *settings, struct db *db)
{
    switch (x->refusal) {
    case ERROR_INVALID_API_KEY:
    case ERROR_INVALID_DEVELOPER_SECRET:
    case ERROR_IP_NOT_WHITELISTED:
        explain_credentials(x, db);
        break;
    case ERROR_RATE_LIMITED:
        x->reason = REASON_QUOTA_USED_UP;
        break;
    case ERROR_MISSING_FIELDS:
    case ERROR_INVALID_FIELDS:
        break; /* x->complaints says it */
    default:
        if (x->call->explain != NULL)
            explain_by_call(x, settings, db);
    }
}

void explain_failure(struct exchange *x, enum status status)
{
    static const enum reason reasons[STATUS_COUNT] = {
        [STATUS_BUSY] = REASON_BUSY,
        [STATUS_UNAVAILABLE] = REASON_DATABASE_UNAVAILABLE,
        [STATUS_SCHEMA] = REASON_DATABASE_UNAVAILABLE,
        [STATUS_IO] = REASON_DATABASE_IO,
        [STATUS_NO_MEMORY] = REASON_NO_MEMORY,
        [STATUS_UNKNOWN] = REASON_COMMIT_UNKNOWN,
    };

    /* it may come from another process */
    if (x->reason == REASON_NONE && (unsigned)status < STATUS_COUNT)
        x->reason = reasons[status];
}
