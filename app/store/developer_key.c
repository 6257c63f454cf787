#include "app/store/developer_key.h"

#define COLUMNS                                                                            \
    "developer_key_id, org_id, name, created_at, expires_at, last_used_at, revoked_at,"    \
    " last_used_from,"                                                                     \
    " (SELECT max(good_until) FROM former_developer_secrets AS former"                     \
    "  WHERE former.developer_key_id = developer_keys.developer_key_id)"

static const char add[] = "INSERT INTO developer_keys"
                          " (developer_key_id, org_id, name, hash, created_at, expires_at)"
                          " SELECT ?1, ?2, ?3, ?4, ?5, ?6"
                          " WHERE NOT EXISTS"
                          " (SELECT * FROM former_developer_secrets WHERE hash = ?4)";
static const char find[] =
    "SELECT " COLUMNS " FROM developer_keys WHERE developer_key_id = ?1";
static const char list[] =
    "SELECT " COLUMNS " FROM developer_keys WHERE org_id = ?1 ORDER BY developer_key_id";
static const char revoke[] = "UPDATE developer_keys SET revoked_at = ?2"
                             " WHERE developer_key_id = ?1 AND revoked_at IS NULL";
static const char shorten[] = "UPDATE former_developer_secrets SET good_until = ?2"
                              " WHERE developer_key_id = ?1 AND good_until > ?2";
static const char keep[] =
    "INSERT INTO former_developer_secrets (hash, developer_key_id, org_id, replaced_at,"
    " good_until)"
    " SELECT hash, developer_key_id, org_id, ?2, ?3 FROM developer_keys"
    " WHERE developer_key_id = ?1";
static const char replace[] =
    "UPDATE developer_keys SET hash = ?2 WHERE developer_key_id = ?1"
    " AND NOT EXISTS (SELECT * FROM former_developer_secrets WHERE hash = ?2)";

static struct developer_key read_row(const struct db_rows *rows)
{
    struct developer_key key = {
        .name = db_text(rows, 2),
        .created_at_ms = db_int(rows, 3),
        .expires_at_ms = db_int(rows, 4),
        .last_used_at_ms = db_int(rows, 5),
        .revoked_at_ms = db_int(rows, 6),
        .last_used_from = address_of_bytes(db_bytes(rows, 7)),
        .former_until_ms = db_int(rows, 8),
    };

    (void)db_blob(rows, 0, key.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, key.org_id.bytes, UUID_BYTES);
    return key;
}

enum status developer_key_add(struct db *db, const struct developer_key *key,
                              const struct secret_hash *hash)
{
    int added = 0;
    enum status status =
        DB_RUN(db, &added, add, DB_BLOB(key->id.bytes, UUID_BYTES),
               DB_BLOB(key->org_id.bytes, UUID_BYTES), DB_TEXT(key->name),
               DB_BLOB(hash->bytes, SECRET_HASH_BYTES), DB_INT(key->created_at_ms),
               key->expires_at_ms == 0 ? DB_NULL : DB_INT(key->expires_at_ms));

    return status == STATUS_OK && added == 0 ? STATUS_EXISTS : status;
}

enum status developer_key_find(struct db *db, const struct uuid *id,
                               developer_key_each *each, void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find, DB_BLOB(id->bytes, UUID_BYTES));

    if (status == STATUS_OK && each != NULL) {
        struct developer_key key = read_row(&rows);
        status = each(arg, &key);
    }
    db_done(&rows);
    return status;
}

enum status developer_key_list(struct db *db, const struct uuid *org_id,
                               developer_key_each *each, void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, list, DB_BLOB(org_id->bytes, UUID_BYTES));

    while (status == STATUS_OK) {
        struct developer_key key = read_row(&rows);
        status = each(arg, &key);
        if (status == STATUS_OK)
            status = db_next(&rows);
    }
    db_done(&rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status developer_key_revoke(struct db *db, bool *changed, const struct uuid *id,
                                 int64_t now_ms)
{
    int rows = 0;
    enum status status =
        DB_RUN(db, &rows, revoke, DB_BLOB(id->bytes, UUID_BYTES), DB_INT(now_ms));

    *changed = rows > 0;
    return status;
}

enum status developer_key_rotate(struct db *db, const struct uuid *id,
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
