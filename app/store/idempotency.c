#include "app/store/idempotency.h"

#include <string.h>

enum {
    KEEP_MS = 25 * 60 * 60 * 1000, /* a day, and an hour for clocks that are set */
};

static const char find[] = "SELECT fingerprint, note_id, editable, visible"
                           " FROM idempotency_keys"
                           " WHERE developer_key_id = ?1 AND idempotency_key = ?2";
static const char keep[] =
    "INSERT INTO idempotency_keys (developer_key_id, idempotency_key, org_id, fingerprint,"
    " note_id, editable, visible, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
/* more than one for each that comes, so that old ones never gather */
static const char forget_some[] =
    "DELETE FROM idempotency_keys WHERE (developer_key_id, idempotency_key) IN"
    " (SELECT developer_key_id, idempotency_key FROM idempotency_keys"
    "  WHERE created_at < ?1 ORDER BY created_at LIMIT 4)";

#define BYTES(field) DB_BLOB((field).bytes, sizeof(field).bytes)

enum status idempotency_find(struct note_result *result, enum error *refusal, struct db *db,
                             const struct caller *caller,
                             const struct note_command *command)
{
    struct db_rows rows;
    struct secret_hash fingerprint;

    if (command->idempotency_key[0] == '\0')
        return STATUS_NOT_FOUND;
    enum status status = DB_QUERY(db, &rows, find, BYTES(caller->developer_key_id),
                                  DB_TEXT(span_of(command->idempotency_key)));
    if (status != STATUS_OK)
        return status;
    (void)db_blob(&rows, 0, &fingerprint, sizeof fingerprint);
    *result = (struct note_result){
        .replayed = true,
        .editable = (int)db_int(&rows, 2),
        .visible = (int)db_int(&rows, 3),
    };
    (void)db_blob(&rows, 1, &result->note_id, sizeof result->note_id);
    db_done(&rows);
    if (memcmp(&fingerprint, &command->fingerprint, sizeof fingerprint) == 0)
        return STATUS_OK;
    *refusal = ERROR_IDEMPOTENCY_MISMATCH;
    return STATUS_REFUSED;
}

enum status idempotency_keep(struct db *db, const struct caller *caller,
                             const struct note_command *command,
                             const struct note_result *result)
{
    if (command->idempotency_key[0] == '\0')
        return STATUS_OK;
    enum status status =
        DB_RUN(db, NULL, keep, BYTES(caller->developer_key_id),
               DB_TEXT(span_of(command->idempotency_key)), BYTES(caller->org_id),
               BYTES(command->fingerprint), BYTES(result->note_id),
               DB_INT(result->editable), DB_INT(result->visible), DB_INT(command->now_ms));
    if (status != STATUS_OK)
        return status;
    return DB_RUN(db, NULL, forget_some, DB_INT(command->now_ms - KEEP_MS));
}

/* A flag that is not sent means 0 for a new note, and no change for one that exists. */
static int8_t meaning_of(enum given_flag flag, const struct note_command *command)
{
    return (int8_t)(flag == FLAG_NOT_SENT && !command->note_id.given ? FLAG_OFF : flag);
}

void idempotency_set_fingerprint(struct note_command *command)
{
    struct {
        struct uuid org_id, member_id, contact_id, note_id;
        struct secret_hash content;
        int8_t is_update, editable, visible;
    } fields;

    memset(&fields, 0, sizeof fields); /* the padding is hashed, too */
    fields.org_id = command->org_id.uuid;
    fields.member_id = command->member_id.uuid;
    fields.contact_id = command->contact_id.uuid;
    fields.note_id = command->note_id.uuid;
    secret_hash(&fields.content, NULL, "note content", command->content);
    fields.is_update = command->note_id.given;
    fields.editable = meaning_of(command->editable, command);
    fields.visible = meaning_of(command->visible, command);
    secret_hash(&command->fingerprint, NULL, "note request",
                (struct span){(const char *)&fields, sizeof fields});
}
