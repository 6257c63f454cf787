#include "app/store/key_facts.h"

#include <string.h>

#include "app/store/network.h"

enum {
    TOUCH_EVERY_MS = 60 * 1000,
};

/* By the present secret, which nearly all requests have, and only then by a former one. */
static const char find_api_key[] = "SELECT api_key_id, api_keys.org_id, last_used_at, 0"
                                   " FROM api_keys JOIN members USING (member_id)"
                                   " WHERE hash = ?1 AND revoked_at IS NULL AND active";
static const char find_former_api_key[] =
    "SELECT api_key_id, api_keys.org_id, last_used_at, good_until"
    " FROM former_api_keys AS former JOIN api_keys USING (api_key_id)"
    " JOIN members USING (member_id)"
    " WHERE former.hash = ?1 AND good_until > ?2 AND revoked_at IS NULL AND active";
#define LIVE_DEVELOPER_KEY " revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)"
static const char find_developer_key[] =
    "SELECT developer_key_id, org_id, last_used_at, 0, expires_at FROM developer_keys"
    " WHERE hash = ?1 AND" LIVE_DEVELOPER_KEY;
static const char find_former_secret[] =
    "SELECT developer_key_id, developer_keys.org_id, last_used_at, good_until, expires_at"
    " FROM former_developer_secrets AS former JOIN developer_keys USING (developer_key_id)"
    " WHERE former.hash = ?1 AND good_until > ?2 AND" LIVE_DEVELOPER_KEY;
static const char list_developer_keys[] =
    "SELECT developer_key_id FROM developer_keys WHERE org_id = ?1 AND" LIVE_DEVELOPER_KEY;
/* Also of keys that are not live: what find_… above leave out. */
static const char find_api_key_record[] =
    "SELECT api_key_id, api_keys.org_id, active, NULL, revoked_at, NULL"
    " FROM api_keys JOIN members USING (member_id) WHERE hash = ?1"
    " UNION ALL"
    " SELECT api_key_id, api_keys.org_id, active, NULL, revoked_at, good_until"
    " FROM former_api_keys AS former JOIN api_keys USING (api_key_id)"
    " JOIN members USING (member_id) WHERE former.hash = ?1";
static const char find_developer_key_record[] =
    "SELECT developer_key_id, org_id, 1, expires_at, revoked_at, NULL"
    " FROM developer_keys WHERE hash = ?1"
    " UNION ALL"
    " SELECT developer_key_id, developer_keys.org_id, 1, expires_at, revoked_at, good_until"
    " FROM former_developer_secrets AS former JOIN developer_keys USING (developer_key_id)"
    " WHERE former.hash = ?1";
static const char touch_api_key[] =
    "UPDATE api_keys SET last_used_at = ?2, last_used_from = ?3 WHERE api_key_id = ?1";
static const char touch_developer_key[] =
    "UPDATE developer_keys SET last_used_at = ?2, last_used_from = ?3"
    " WHERE developer_key_id = ?1";

/* until_ms: 0 where there is no end. */
static void end_by(struct key_facts *out, int64_t until_ms)
{
    if (until_ms != 0 && until_ms < out->until_ms)
        out->until_ms = until_ms;
}

static enum status read_api_key(struct key_facts *out, struct db *db,
                                const struct secret_hash *hash, int64_t now_ms)
{
    const struct db_value bytes = DB_BLOB(hash->bytes, sizeof hash->bytes);
    struct caller *caller = &out->caller;
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find_api_key, bytes);

    if (status == STATUS_NOT_FOUND)
        status = DB_QUERY(db, &rows, find_former_api_key, bytes, DB_INT(now_ms));
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    out->api_key_found = true;
    (void)db_blob(&rows, 0, &caller->api_key_id, sizeof caller->api_key_id);
    (void)db_blob(&rows, 1, &caller->org_id, sizeof caller->org_id);
    caller->api_key_used_at = db_int(&rows, 2);
    caller->former.api_key_until_ms = db_int(&rows, 3);
    end_by(out, caller->former.api_key_until_ms);
    db_done(&rows);
    return STATUS_OK;
}

/* A live key of another organization than the API key's counts as not found. */
static enum status read_developer_key(struct key_facts *out, struct db *db,
                                      const struct secret_hash *hash, int64_t now_ms)
{
    const struct db_value bytes = DB_BLOB(hash->bytes, sizeof hash->bytes);
    struct caller *caller = &out->caller;
    struct db_rows rows;
    struct uuid org_id;
    enum status status = DB_QUERY(db, &rows, find_developer_key, bytes, DB_INT(now_ms));

    if (status == STATUS_NOT_FOUND)
        status = DB_QUERY(db, &rows, find_former_secret, bytes, DB_INT(now_ms));
    if (status != STATUS_OK)
        return status == STATUS_NOT_FOUND ? STATUS_OK : status;
    (void)db_blob(&rows, 1, &org_id, sizeof org_id);
    out->secret_found = !out->api_key_found || uuid_equals(&org_id, &caller->org_id);
    if (out->secret_found) {
        caller->org_id = org_id;
        (void)db_blob(&rows, 0, &caller->developer_key_id, sizeof caller->developer_key_id);
        caller->developer_key_used_at = db_int(&rows, 2);
        caller->former.secret_until_ms = db_int(&rows, 3);
        end_by(out, caller->former.secret_until_ms);
        end_by(out, db_int(&rows, 4));
    }
    db_done(&rows);
    return STATUS_OK;
}

static enum status read_key_allows(bool *allows, struct db *db, const struct uuid *key_id,
                                   const struct address *address)
{
    enum status status = network_find(db, key_id, address, NULL);

    *allows = status == STATUS_OK;
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Whether a live developer key of the organization allows the address. */
static enum status read_org_allows(bool *allows, struct db *db, const struct uuid *org_id,
                                   const struct address *address, int64_t now_ms)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, list_developer_keys,
                                  DB_BLOB(org_id, sizeof *org_id), DB_INT(now_ms));

    while (status == STATUS_OK) {
        struct uuid key_id;

        (void)db_blob(&rows, 0, &key_id, sizeof key_id);
        status = read_key_allows(allows, db, &key_id, address);
        if (status != STATUS_OK || *allows)
            break;
        status = db_next(&rows);
    }
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status key_facts_read(struct key_facts *out, struct db *db,
                           const struct credentials *credentials,
                           enum credentials_needed needed, int64_t now_ms)
{
    const struct address *from = &credentials->address;
    enum status status = STATUS_OK;

    *out = (struct key_facts){.until_ms = INT64_MAX};
    if (needed == CREDENTIALS_BOTH && credentials->has_api_key)
        status = read_api_key(out, db, &credentials->api_key, now_ms);
    if (status != STATUS_OK || (needed == CREDENTIALS_BOTH && !out->api_key_found))
        return status;
    if (credentials->has_secret)
        status = read_developer_key(out, db, &credentials->secret, now_ms);
    if (status == STATUS_OK && out->secret_found)
        status = read_key_allows(&out->key_allows, db, &out->caller.developer_key_id, from);
    if (status == STATUS_OK && !out->key_allows && out->api_key_found)
        status = read_org_allows(&out->org_allows, db, &out->caller.org_id, from, now_ms);
    return status;
}

static enum status keep_record(void *arg, const struct db_rows *rows)
{
    struct key_record *out = arg;

    out->found = true;
    (void)db_blob(rows, 0, &out->id, sizeof out->id);
    (void)db_blob(rows, 1, &out->org_id, sizeof out->org_id);
    out->member_active = db_int(rows, 2) != 0;
    out->life.expires_at_ms = db_int(rows, 3);
    out->life.revoked_at_ms = db_int(rows, 4);
    out->is_former = !db_is_null(rows, 5);
    out->life.former_until_ms = db_int(rows, 5);
    return STATUS_OK;
}

static enum status read_record(struct key_record *out, struct db *db, const char *sql,
                               const struct secret_hash *hash)
{
    enum status status =
        DB_FIRST(db, keep_record, out, sql, DB_BLOB(hash->bytes, sizeof hash->bytes));

    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status read_has_live_keys(bool *has, struct db *db, const struct uuid *org_id,
                                      int64_t now_ms)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, list_developer_keys,
                                  DB_BLOB(org_id, sizeof *org_id), DB_INT(now_ms));

    *has = status == STATUS_OK;
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status key_records_read(struct credential_records *out, struct db *db,
                             enum error refusal, const struct credentials *credentials,
                             const struct uuid *org_id, int64_t now_ms)
{
    *out = (struct credential_records){.org_has_live_keys = false};
    enum status status =
        read_record(&out->api_key, db, find_api_key_record, &credentials->api_key);
    if (status == STATUS_OK)
        status = read_record(&out->developer_key, db, find_developer_key_record,
                             &credentials->secret);
    if (status == STATUS_OK && refusal == ERROR_IP_NOT_WHITELISTED)
        status = read_has_live_keys(&out->org_has_live_keys, db, org_id, now_ms);
    return status;
}

static enum status touch(bool *touched, struct db *db, const char *sql,
                         const struct uuid *id, int64_t *used_at,
                         const struct address *from, int64_t now_ms)
{
    /* also when the clock was set back */
    if (now_ms >= *used_at && now_ms - *used_at < TOUCH_EVERY_MS)
        return STATUS_OK;
    *touched = true;
    *used_at = now_ms;
    return DB_RUN(db, NULL, sql, DB_BLOB(id, sizeof *id), DB_INT(now_ms),
                  db_blob_or_null(from->bytes, address_bytes(from)));
}

enum status key_touch(bool *touched, struct db *db, struct caller *caller,
                      const struct address *from, int64_t now_ms)
{
    *touched = false;
    enum status status = touch(touched, db, touch_api_key, &caller->api_key_id,
                               &caller->api_key_used_at, from, now_ms);

    if (status != STATUS_OK)
        return status;
    return touch(touched, db, touch_developer_key, &caller->developer_key_id,
                 &caller->developer_key_used_at, from, now_ms);
}
