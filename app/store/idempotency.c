#include "app/store/idempotency.h"

#include <string.h>

enum {
    KEEP_MS = 25 * 60 * 60 * 1000, /* a day, and an hour for clocks that are set */
};

static const char find[] = "SELECT fingerprint, answer FROM idempotency_keys"
                           " WHERE developer_key_id = ?1 AND idempotency_key = ?2";
static const char keep[] =
    "INSERT INTO idempotency_keys (developer_key_id, idempotency_key, org_id, fingerprint,"
    " answer, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
/* more than one for each new answer, so that old ones do not accumulate */
static const char forget_some[] =
    "DELETE FROM idempotency_keys WHERE (developer_key_id, idempotency_key) IN"
    " (SELECT developer_key_id, idempotency_key FROM idempotency_keys"
    "  WHERE created_at < ?1 ORDER BY created_at LIMIT 4)";

enum status idempotency_find(struct idempotency_answer *out, struct db *db,
                             const struct uuid *developer_key_id,
                             const struct command *command)
{
    struct db_rows rows;

    if (command->idempotency_key[0] == '\0')
        return STATUS_NOT_FOUND;
    enum status status = DB_QUERY(db, &rows, find, DB_BLOB(developer_key_id, UUID_BYTES),
                                  DB_TEXT(span_of(command->idempotency_key)));
    if (status != STATUS_OK)
        return status;
    struct span answer = db_bytes(&rows, 1);
    (void)db_blob(&rows, 0, &out->fingerprint, sizeof out->fingerprint);
    out->len = answer.len < sizeof out->bytes ? answer.len : sizeof out->bytes;
    memcpy(out->bytes, answer.data, out->len);
    db_done(&rows);
    return STATUS_OK;
}

enum status idempotency_keep(struct db *db, const struct uuid *developer_key_id,
                             const struct uuid *org_id, const struct command *command,
                             const void *answer, size_t len)
{
    if (command->idempotency_key[0] == '\0')
        return STATUS_OK;
    enum status status =
        DB_RUN(db, NULL, keep, DB_BLOB(developer_key_id, UUID_BYTES),
               DB_TEXT(span_of(command->idempotency_key)), DB_BLOB(org_id, UUID_BYTES),
               DB_BLOB(command->fingerprint.bytes, sizeof command->fingerprint.bytes),
               DB_BLOB(answer, len), DB_INT(command->now_ms));
    if (status != STATUS_OK)
        return status;
    return DB_RUN(db, NULL, forget_some, DB_INT(command->now_ms - KEEP_MS));
}
