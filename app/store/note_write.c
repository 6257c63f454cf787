#include "app/store/note_write.h"

static const char insert_note[] =
    "INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version, "
    "content,"
    " editable, visible, written_by, written_at, developer_key_id, request_id, address,"
    " country, city, network)"
    " VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8, ?4, ?5, ?9, ?10, ?11, ?12, ?13, ?14)";
static const char keep_version[] =
    "INSERT INTO note_revisions (note_id, version, org_id, content, editable, visible,"
    " written_by, written_at, developer_key_id, request_id, address, country, city, "
    "network)"
    " SELECT note_id, version, org_id, content, editable, visible, written_by, written_at,"
    " developer_key_id, request_id, address, country, city, network"
    " FROM notes WHERE note_id = ?1";
static const char update_note[] =
    "UPDATE notes SET version = version + 1, written_by = ?2, written_at = ?3, content = "
    "?4,"
    " editable = ?5, visible = ?6, developer_key_id = ?7, request_id = ?8, address = ?9,"
    " country = ?10, city = ?11, network = ?12 WHERE note_id = ?1";

#define UUID(id) DB_BLOB((id).bytes, sizeof(id).bytes)

static struct db_value address_or_null(const struct address *address)
{
    return db_blob_or_null(address->bytes, address_bytes(address));
}

static struct db_value tag(const char *text)
{
    return db_text_or_null(span_of(text));
}

enum status note_create(struct db *db, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command)
{
    const struct command *c = &command->common;

    return DB_RUN(db, NULL, insert_note, UUID(result->note_id), UUID(caller->org_id),
                  UUID(command->contact_id.uuid), UUID(command->member_id.uuid),
                  DB_INT(c->now_ms), DB_TEXT(command->content), DB_INT(result->editable),
                  DB_INT(result->visible), UUID(caller->developer_key_id),
                  DB_TEXT(span_of(c->request_id)), address_or_null(&c->credentials.address),
                  tag(c->tags.country), tag(c->tags.city), tag(c->tags.network));
}

enum status note_update(struct db *db, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command)
{
    const struct command *c = &command->common;
    enum status status = DB_RUN(db, NULL, keep_version, UUID(result->note_id));

    if (status != STATUS_OK)
        return status;
    return DB_RUN(db, NULL, update_note, UUID(result->note_id),
                  UUID(command->member_id.uuid), DB_INT(c->now_ms),
                  DB_TEXT(command->content), DB_INT(result->editable),
                  DB_INT(result->visible), UUID(caller->developer_key_id),
                  DB_TEXT(span_of(c->request_id)), address_or_null(&c->credentials.address),
                  tag(c->tags.country), tag(c->tags.city), tag(c->tags.network));
}
