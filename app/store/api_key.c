#include "app/store/api_key.h"

#define COLUMNS                                                                            \
    "api_key_id, org_id, member_id, label, created_at, last_used_at, revoked_at,"          \
    " last_used_from,"                                                                     \
    " (SELECT max(good_until) FROM former_api_keys AS former"                              \
    "  WHERE former.api_key_id = api_keys.api_key_id)"

static const char add[] =
    "INSERT INTO api_keys (api_key_id, org_id, member_id, hash, label, created_at)"
    " SELECT ?1, ?2, ?3, ?4, ?5, ?6"
    " WHERE NOT EXISTS (SELECT * FROM former_api_keys WHERE hash = ?4)";
static const char find[] = "SELECT " COLUMNS " FROM api_keys WHERE api_key_id = ?1";
static const char list[] =
    "SELECT " COLUMNS " FROM api_keys WHERE org_id = ?1 ORDER BY api_key_id";
static const char revoke[] =
    "UPDATE api_keys SET revoked_at = ?2 WHERE api_key_id = ?1 AND revoked_at IS NULL";
static const char shorten[] = "UPDATE former_api_keys SET good_until = ?2"
                              " WHERE api_key_id = ?1 AND good_until > ?2";
static const char keep[] =
    "INSERT INTO former_api_keys (hash, api_key_id, org_id, replaced_at,"
    " good_until)"
    " SELECT hash, api_key_id, org_id, ?2, ?3 FROM api_keys"
    " WHERE api_key_id = ?1";
static const char replace[] =
    "UPDATE api_keys SET hash = ?2 WHERE api_key_id = ?1"
    " AND NOT EXISTS (SELECT * FROM former_api_keys WHERE hash = ?2)";

static struct api_key read_row(const struct db_rows *rows)
{
    struct api_key key = {
        .label = db_text(rows, 3),
        .created_at_ms = db_int(rows, 4),
        .last_used_at_ms = db_int(rows, 5),
        .revoked_at_ms = db_int(rows, 6),
        .last_used_from = address_of_bytes(db_bytes(rows, 7)),
        .former_until_ms = db_int(rows, 8),
    };

    (void)db_blob(rows, 0, key.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, key.org_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 2, key.member_id.bytes, UUID_BYTES);
    return key;
}

enum status api_key_add(struct db *db, const struct api_key *key,
                        const struct secret_hash *hash)
{
    int added = 0;
    enum status status = DB_RUN(db, &added, add, DB_BLOB(key->id.bytes, UUID_BYTES),
                                DB_BLOB(key->org_id.bytes, UUID_BYTES),
                                DB_BLOB(key->member_id.bytes, UUID_BYTES),
                                DB_BLOB(hash->bytes, SECRET_HASH_BYTES),
                                db_text_or_null(key->label), DB_INT(key->created_at_ms));

    return status == STATUS_OK && added == 0 ? STATUS_EXISTS : status;
}

enum status api_key_find(struct db *db, const struct uuid *id, api_key_each *each,
                         void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find, DB_BLOB(id->bytes, UUID_BYTES));

    if (status == STATUS_OK && each != NULL) {
        struct api_key key = read_row(&rows);
        status = each(arg, &key);
    }
    db_done(&rows);
    return status;
}

enum status api_key_list(struct db *db, const struct uuid *org_id, api_key_each *each,
                         void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, list, DB_BLOB(org_id->bytes, UUID_BYTES));

    while (status == STATUS_OK) {
        struct api_key key = read_row(&rows);
        status = each(arg, &key);
        if (status == STATUS_OK)
            status = db_next(&rows);
    }
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status api_key_revoke(struct db *db, bool *changed, const struct uuid *id,
                           int64_t now_ms)
{
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, revoke, DB_BLOB(id->bytes, UUID_BYTES), DB_INT(now_ms));

    *changed = rows > 0;
    return status;
}

enum status api_key_rotate(struct db *db, const struct uuid *id,
                           const struct secret_hash *hash, int64_t now_ms,
                           int64_t former_until_ms)
{
    const struct db_value key = DB_BLOB(id->bytes, UUID_BYTES);
    int changed = 0;
    enum status status = DB_RUN(db, NULL, shorten, key, DB_INT(former_until_ms));

    if (status == STATUS_OK)
        status = DB_RUN(db, NULL, keep, key, DB_INT(now_ms), DB_INT(former_until_ms));
    if (status == STATUS_OK)
        status =
            DB_RUN(db, &changed, replace, key, DB_BLOB(hash->bytes, SECRET_HASH_BYTES));
    return status == STATUS_OK && changed == 0 ? STATUS_EXISTS : status;
}
