#include "app/store/handed_out.h"

#include <string.h>

static const char find[] =
    "SELECT api_key_id FROM api_keys JOIN members USING (member_id)"
    " WHERE hash = ?2 AND api_keys.org_id = ?1 AND revoked_at IS NULL AND active = 1";
static const char add[] = "INSERT INTO handed_out_keys VALUES (?1, ?2, ?3)";
static const char renew[] = "UPDATE handed_out_keys SET sealed = ?2 WHERE api_key_id = ?1";
static const char forget[] =
    "DELETE FROM handed_out_keys WHERE api_key_id = ?1 OR developer_key_id = ?1";
static const char read_sealed[] =
    "SELECT sealed FROM handed_out_keys JOIN api_keys USING (api_key_id)"
    " JOIN members USING (member_id)"
    " WHERE developer_key_id = ?1 AND revoked_at IS NULL AND active = 1";

#define UUID(id)     DB_BLOB((id)->bytes, UUID_BYTES)
#define SEALED(text) DB_BLOB((text)->bytes, (text)->len)

static enum status keep_id(void *arg, const struct db_rows *rows)
{
    (void)db_blob(rows, 0, arg, UUID_BYTES);
    return STATUS_OK;
}

enum status handed_out_find(struct db *db, struct uuid *api_key_id,
                            const struct uuid *org_id, const struct secret_hash *hash)
{
    return DB_FIRST(db, keep_id, api_key_id, find, UUID(org_id),
                    DB_BLOB(hash->bytes, sizeof hash->bytes));
}

enum status handed_out_add(struct db *db, const struct uuid *developer_key_id,
                           const struct uuid *api_key_id, const struct sealed *text)
{
    return DB_RUN(db, NULL, add, UUID(developer_key_id), UUID(api_key_id), SEALED(text));
}

enum status handed_out_renew(struct db *db, const struct uuid *api_key_id,
                             const struct sealed *text)
{
    return DB_RUN(db, NULL, renew, UUID(api_key_id), SEALED(text));
}

enum status handed_out_forget(struct db *db, const struct uuid *key_id)
{
    return DB_RUN(db, NULL, forget, UUID(key_id));
}

static enum status keep_sealed(void *arg, const struct db_rows *rows)
{
    struct sealed *sealed = arg;
    const struct span bytes = db_bytes(rows, 0);

    if (bytes.len > sizeof sealed->bytes)
        return STATUS_INTERNAL;
    memcpy(sealed->bytes, bytes.data, bytes.len);
    sealed->len = bytes.len;
    return STATUS_OK;
}

enum status handed_out_read(struct sealed *out, struct db *db,
                            const struct uuid *developer_key_id)
{
    out->len = 0;
    enum status status =
        DB_FIRST(db, keep_sealed, out, read_sealed, UUID(developer_key_id));
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
