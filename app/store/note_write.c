#include "app/store/note_write.h"

static const char insert_note[] =
    "INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version,"
    " content, editable, visible, written_by, written_at, developer_key_id, request_id,"
    " address, country, city, network, previous)"
    " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?4, ?5, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
static const char find_last[] = "SELECT note FROM last_notes WHERE contact = ?1";
static const char begin_chain[] = "INSERT INTO last_notes VALUES (?1, ?2)";
static const char prolong_chain[] = "UPDATE last_notes SET note = ?2 WHERE contact = ?1";
static const char keep_version[] =
    "INSERT INTO note_revisions (note_id, version, org_id, content, editable, visible,"
    " written_by, written_at, developer_key_id, request_id, address, country, city,"
    " network, former)"
    " SELECT note_id, version, org_id, content, editable, visible, written_by, written_at,"
    " developer_key_id, request_id, address, country, city, network, former"
    " FROM notes WHERE number = ?1";
static const char update_note[] =
    "UPDATE notes SET version = version + 1, written_by = ?2, written_at = ?3,"
    " content = ?4, editable = ?5, visible = ?6, developer_key_id = ?7, request_id = ?8,"
    " address = ?9, country = ?10, city = ?11, network = ?12, former = ?13"
    " WHERE number = ?1";

/* The number of the last note of a contact, by that of the contact. */
static const struct fact_kind last_notes = {
    .key_bytes = sizeof(int64_t),
    .value_bytes = sizeof(int64_t),
    .count = 16384,
};

#define UUID(id) DB_BLOB((id).bytes, sizeof(id).bytes)

static struct db_value address_or_null(const struct address *address)
{
    return db_blob_or_null(address->bytes, address_bytes(address));
}

static struct db_value tag(const char *text)
{
    return db_text_or_null(span_of(text));
}

static enum status keep_number(void *arg, const struct db_rows *rows)
{
    *(int64_t *)arg = db_int(rows, 0);
    return STATUS_OK;
}

/* 0: the contact has no note yet. */
static enum status read_last(int64_t *note, struct db *db, int64_t contact)
{
    *note = 0;
    if (db_recall(db, &last_notes, &contact, note))
        return STATUS_OK;
    enum status status = DB_FIRST(db, keep_number, note, find_last, DB_INT(contact));
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Makes a note the last one of its contact, behind the one that was. */
static enum status write_last(struct db *db, int64_t contact, int64_t previous,
                              int64_t note)
{
    const char *sql = previous == 0 ? begin_chain : prolong_chain;
    enum status status = DB_RUN(db, NULL, sql, DB_INT(contact), DB_INT(note));

    if (status == STATUS_OK)
        db_remember(db, &last_notes, &contact, &note);
    return status;
}

static enum status insert(int64_t *number, struct db *db, int64_t previous,
                          const struct note_result *result, const struct caller *caller,
                          const struct note_command *command)
{
    const struct command *c = &command->common;

    return DB_INSERT(db, number, insert_note, UUID(result->note_id), UUID(caller->org_id),
                     UUID(command->contact_id.uuid), UUID(command->member_id.uuid),
                     DB_INT(c->now_ms), DB_TEXT(command->content), DB_INT(result->editable),
                     DB_INT(result->visible), UUID(caller->developer_key_id),
                     DB_TEXT(span_of(c->request_id)),
                     address_or_null(&c->credentials.address), tag(c->tags.country),
                     tag(c->tags.city), tag(c->tags.network), DB_INT(previous));
}

enum status note_create(struct db *db, int64_t contact, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command)
{
    int64_t previous, note;
    enum status status = read_last(&previous, db, contact);

    if (status == STATUS_OK)
        status = insert(&note, db, previous, result, caller, command);
    return status == STATUS_OK ? write_last(db, contact, previous, note) : status;
}

enum status note_update(struct db *db, int64_t number, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command)
{
    const struct command *c = &command->common;
    int64_t former;
    enum status status = DB_INSERT(db, &former, keep_version, DB_INT(number));

    if (status != STATUS_OK)
        return status;
    return DB_RUN(db, NULL, update_note, DB_INT(number), UUID(command->member_id.uuid),
                  DB_INT(c->now_ms), DB_TEXT(command->content), DB_INT(result->editable),
                  DB_INT(result->visible), UUID(caller->developer_key_id),
                  DB_TEXT(span_of(c->request_id)), address_or_null(&c->credentials.address),
                  tag(c->tags.country), tag(c->tags.city), tag(c->tags.network),
                  DB_INT(former));
}
