#include "app/store/access.h"

#include <string.h>

#include "app/store/network.h"

enum {
    TOUCH_EVERY_MS = 60 * 1000,
};

/* By the present secret, which is what nearly all have, and only then by a former one. */
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
    "SELECT developer_key_id, org_id, last_used_at, 0 FROM developer_keys"
    " WHERE hash = ?1 AND" LIVE_DEVELOPER_KEY;
static const char find_former_secret[] =
    "SELECT developer_key_id, developer_keys.org_id, last_used_at, good_until"
    " FROM former_developer_secrets AS former JOIN developer_keys USING (developer_key_id)"
    " WHERE former.hash = ?1 AND good_until > ?2 AND" LIVE_DEVELOPER_KEY;
static const char list_developer_keys[] =
    "SELECT developer_key_id FROM developer_keys WHERE org_id = ?1 AND" LIVE_DEVELOPER_KEY;
static const char touch_api_key[] =
    "UPDATE api_keys SET last_used_at = ?2, last_used_from = ?3 WHERE api_key_id = ?1";
static const char touch_developer_key[] =
    "UPDATE developer_keys SET last_used_at = ?2, last_used_from = ?3"
    " WHERE developer_key_id = ?1";

static enum status refuse(enum error *refusal, enum error error)
{
    *refusal = error;
    return STATUS_REFUSED;
}

static enum status get_api_key(struct caller *out, struct db *db,
                               const struct secret_hash *hash, int64_t now_ms)
{
    const struct db_value bytes = DB_BLOB(hash->bytes, sizeof hash->bytes);
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find_api_key, bytes);

    if (status == STATUS_NOT_FOUND)
        status = DB_QUERY(db, &rows, find_former_api_key, bytes, DB_INT(now_ms));
    if (status != STATUS_OK)
        return status;
    (void)db_blob(&rows, 0, &out->api_key_id, sizeof out->api_key_id);
    (void)db_blob(&rows, 1, &out->org_id, sizeof out->org_id);
    out->api_key_used_at = db_int(&rows, 2);
    out->former.api_key_until_ms = db_int(&rows, 3);
    db_done(&rows);
    return STATUS_OK;
}

/* STATUS_NOT_FOUND also for a live key of another organization. */
static enum status get_developer_key(struct caller *out, struct db *db,
                                     const struct secret_hash *hash, int64_t now_ms)
{
    const struct db_value bytes = DB_BLOB(hash->bytes, sizeof hash->bytes);
    struct db_rows rows;
    struct uuid org_id;
    enum status status = DB_QUERY(db, &rows, find_developer_key, bytes, DB_INT(now_ms));

    if (status == STATUS_NOT_FOUND)
        status = DB_QUERY(db, &rows, find_former_secret, bytes, DB_INT(now_ms));
    if (status != STATUS_OK)
        return status;
    (void)db_blob(&rows, 1, &org_id, sizeof org_id);
    if (uuid_equals(&org_id, &out->org_id)) {
        (void)db_blob(&rows, 0, &out->developer_key_id, sizeof out->developer_key_id);
        out->developer_key_used_at = db_int(&rows, 2);
        out->former.secret_until_ms = db_int(&rows, 3);
    } else {
        status = STATUS_NOT_FOUND;
    }
    db_done(&rows);
    return status;
}

/* STATUS_OK when some live developer key of the organization may be used from there. */
static enum status org_knows_address(struct db *db, const struct uuid *org_id,
                                     const struct address *address, int64_t now_ms)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, list_developer_keys,
                                  DB_BLOB(org_id, sizeof *org_id), DB_INT(now_ms));

    for (; status == STATUS_OK; status = db_next(&rows)) {
        struct uuid key_id;

        (void)db_blob(&rows, 0, &key_id, sizeof key_id);
        enum status found = network_find(db, &key_id, address, NULL);
        if (found == STATUS_NOT_FOUND)
            continue;
        db_done(&rows);
        return found;
    }
    return status;
}

/* Rows 3 to 6 for a caller whose secret and address do not fit together. */
static enum status explain(enum error *refusal, struct db *db,
                           const struct credentials *credentials, const struct uuid *org_id,
                           bool secret_found, int64_t now_ms)
{
    enum status status = org_knows_address(db, org_id, &credentials->address, now_ms);

    if (status == STATUS_NOT_FOUND)
        return refuse(refusal, ERROR_IP_NOT_WHITELISTED);
    if (status != STATUS_OK)
        return status;
    if (!credentials->has_secret)
        return refuse(refusal, ERROR_MISSING_DEVELOPER_SECRET);
    return refuse(refusal,
                  secret_found ? ERROR_IP_NOT_WHITELISTED : ERROR_INVALID_DEVELOPER_SECRET);
}

enum status access_check(struct caller *out, enum error *refusal, struct db *db,
                         const struct credentials *credentials, int64_t now_ms)
{
    memset(out, 0, sizeof *out);
    if (!credentials->has_api_key)
        return refuse(refusal, ERROR_MISSING_API_KEY);
    enum status status = get_api_key(out, db, &credentials->api_key, now_ms);
    if (status == STATUS_NOT_FOUND)
        return refuse(refusal, ERROR_INVALID_API_KEY);
    if (status != STATUS_OK)
        return status;
    /* the caller who is in order is found out first, with the fewest look-ups */
    status = credentials->has_secret
                 ? get_developer_key(out, db, &credentials->secret, now_ms)
                 : STATUS_NOT_FOUND;
    bool secret_found = status == STATUS_OK;
    if (secret_found)
        status = network_find(db, &out->developer_key_id, &credentials->address, NULL);
    if (status != STATUS_NOT_FOUND)
        return status;
    return explain(refusal, db, credentials, &out->org_id, secret_found, now_ms);
}

static enum status touch(struct db *db, const char *sql, const struct uuid *id,
                         int64_t used_at, const struct address *from, int64_t now_ms)
{
    /* also when the clock was set back */
    if (now_ms >= used_at && now_ms - used_at < TOUCH_EVERY_MS)
        return STATUS_OK;
    return DB_RUN(db, NULL, sql, DB_BLOB(id, sizeof *id), DB_INT(now_ms),
                  db_blob_or_null(from->bytes, address_bytes(from)));
}

enum status access_touch(struct db *db, const struct caller *caller,
                         const struct address *from, int64_t now_ms)
{
    enum status status = touch(db, touch_api_key, &caller->api_key_id,
                               caller->api_key_used_at, from, now_ms);

    if (status != STATUS_OK)
        return status;
    return touch(db, touch_developer_key, &caller->developer_key_id,
                 caller->developer_key_used_at, from, now_ms);
}
