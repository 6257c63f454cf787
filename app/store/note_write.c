#include "app/store/note_write.h"

static const char insert_note[] =
    "INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version,"
    " content, editable, visible, written_by, written_at, developer_key_id, request_id,"
    " address, country, city, network, previous)"
    " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
    " ?17)";
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

static const char set_previous[] = "UPDATE notes SET previous = ?2 WHERE number = ?1";

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

/* 0: the contact has no note yet. */
static enum status read_last(int64_t *note, struct db *db, int64_t contact)
{
    *note = 0;
    if (db_recall(db, &last_notes, &contact, note))
        return STATUS_OK;
    enum status status = DB_FIRST(db, db_keep_int, note, find_last, DB_INT(contact));
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status note_set_last(struct db *db, int64_t contact, int64_t number, bool is_first)
{
    enum status status = DB_RUN(db, NULL, is_first ? begin_chain : prolong_chain,
                                DB_INT(contact), DB_INT(number));

    if (status == STATUS_OK)
        db_remember(db, &last_notes, &contact, &number);
    return status;
}

enum status note_set_previous(struct db *db, int64_t number, int64_t previous)
{
    return DB_RUN(db, NULL, set_previous, DB_INT(number), DB_INT(previous));
}

enum status note_insert(struct db *db, int64_t *number, const struct uuid *org_id,
                        int64_t previous, const struct note *note)
{
    const struct note_origin *from = &note->origin;

    return DB_INSERT(db, number, insert_note, UUID(note->id), UUID(*org_id),
                     UUID(note->contact_id), UUID(note->author_id),
                     DB_INT(note->created_at_ms), DB_TEXT(note->content),
                     DB_INT(note->editable), DB_INT(note->visible), UUID(note->written_by),
                     DB_INT(note->written_at_ms), UUID(from->developer_key_id),
                     DB_TEXT(from->request_id), address_or_null(&from->address),
                     db_text_or_null(from->country), db_text_or_null(from->city),
                     db_text_or_null(from->network), DB_INT(previous));
}

enum status note_add_version(struct db *db, int64_t number, const struct note *version)
{
    const struct note_origin *from = &version->origin;
    int64_t former;
    enum status status = DB_INSERT(db, &former, keep_version, DB_INT(number));

    if (status != STATUS_OK)
        return status;
    return DB_RUN(db, NULL, update_note, DB_INT(number), UUID(version->written_by),
                  DB_INT(version->written_at_ms), DB_TEXT(version->content),
                  DB_INT(version->editable), DB_INT(version->visible),
                  UUID(from->developer_key_id), DB_TEXT(from->request_id),
                  address_or_null(&from->address), db_text_or_null(from->country),
                  db_text_or_null(from->city), db_text_or_null(from->network),
                  DB_INT(former));
}

/* What a command writes, as a note or a version of one. */
static struct note note_of(const struct note_result *result, const struct caller *caller,
                           const struct note_command *command)
{
    const struct command *c = &command->common;

    return (struct note){
        .id = result->note_id,
        .contact_id = command->contact_id.uuid,
        .author_id = command->member_id.uuid,
        .content = command->content,
        .editable = result->editable,
        .visible = result->visible,
        .created_at_ms = c->now_ms,
        .written_at_ms = c->now_ms,
        .written_by = command->member_id.uuid,
        .origin = {.address = c->credentials.address,
                   .country = span_of(c->tags.country),
                   .city = span_of(c->tags.city),
                   .network = span_of(c->tags.network),
                   .developer_key_id = caller->developer_key_id,
                   .request_id = span_of(c->request_id)},
    };
}

enum status note_create(struct db *db, int64_t contact, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command)
{
    const struct note created = note_of(result, caller, command);
    int64_t previous, number;
    enum status status = read_last(&previous, db, contact);

    if (status == STATUS_OK)
        status = note_insert(db, &number, &caller->org_id, previous, &created);
    return status == STATUS_OK ? note_set_last(db, contact, number, previous == 0) : status;
}

enum status note_update(struct db *db, int64_t number, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command)
{
    const struct note version = note_of(result, caller, command);

    return note_add_version(db, number, &version);
}
