#include "app/store/note_write.h"

#include "app/store/idempotency.h"

/* With an organization as ?2, contacts of others are as good as not there: they are passed
 * over before anything else is read of them. One look-up more tells them from unknown ones. */
static const char find_contact[] =
    "SELECT contacts.org_id, owner_id, active"
    " FROM contacts JOIN members ON member_id = owner_id"
    " WHERE contact_id = ?1 AND (?2 IS NULL OR contacts.org_id = ?2)";
static const char find_note[] =
    "SELECT author_id, editable, visible FROM notes WHERE note_id = ?1 AND contact_id = ?2";
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

static enum status refuse(enum error *refusal, enum error error)
{
    *refusal = error;
    return STATUS_REFUSED;
}

static bool is_id(const struct given_id *given, const struct uuid *id)
{
    return given->is_uuid && uuid_equals(&given->uuid, id);
}

/* Rows 9 to 11. */
static enum status check_contact(enum error *refusal, struct db *db,
                                 const struct caller *caller,
                                 const struct note_command *command)
{
    struct db_rows rows;
    struct uuid org_id, owner_id;

    if (!command->contact_id.is_uuid)
        return refuse(refusal, ERROR_NOT_FOUND);
    enum status status = DB_QUERY(db, &rows, find_contact, UUID(command->contact_id.uuid),
                                  command->uniform_errors ? UUID(caller->org_id) : DB_NULL);
    if (status == STATUS_NOT_FOUND)
        return refuse(refusal, ERROR_NOT_FOUND);
    if (status != STATUS_OK)
        return status;
    (void)db_blob(&rows, 0, &org_id, sizeof org_id);
    (void)db_blob(&rows, 1, &owner_id, sizeof owner_id);
    bool owner_active = db_int(&rows, 2) != 0;
    db_done(&rows);
    if (!is_id(&command->org_id, &org_id) || !uuid_equals(&org_id, &caller->org_id))
        return refuse(refusal, ERROR_WRONG_ORG);
    if (!is_id(&command->member_id, &owner_id) || !owner_active)
        return refuse(refusal, ERROR_NOT_OWNER);
    return STATUS_OK;
}

/* Rows 12 and 13. The flags as they stand go to *now. */
static enum status check_note(enum error *refusal, struct note_result *now, struct db *db,
                              const struct note_command *command)
{
    struct db_rows rows;
    struct uuid author_id;

    if (!command->note_id.is_uuid)
        return refuse(refusal, ERROR_NOTE_NOT_FOUND);
    enum status status = DB_QUERY(db, &rows, find_note, UUID(command->note_id.uuid),
                                  UUID(command->contact_id.uuid));
    if (status == STATUS_NOT_FOUND)
        return refuse(refusal, ERROR_NOTE_NOT_FOUND);
    if (status != STATUS_OK)
        return status;
    (void)db_blob(&rows, 0, &author_id, sizeof author_id);
    now->editable = (int)db_int(&rows, 1);
    now->visible = (int)db_int(&rows, 2);
    db_done(&rows);
    if (is_id(&command->member_id, &author_id))
        return STATUS_OK;
    if (!now->visible)
        return refuse(refusal, ERROR_NOTE_NOT_FOUND);
    return now->editable ? STATUS_OK : refuse(refusal, ERROR_NOTE_NOT_EDITABLE);
}

static enum status check(enum error *refusal, struct note_result *now, struct db *db,
                         const struct caller *caller, const struct note_command *command)
{
    enum status status = check_contact(refusal, db, caller, command);

    if (status == STATUS_OK && command->note_id.given)
        status = check_note(refusal, now, db, command);
    return status;
}

enum status note_check(enum error *refusal, struct db *db, const struct caller *caller,
                       const struct note_command *command)
{
    struct note_result unused;

    return check(refusal, &unused, db, caller, command);
}

static struct db_value address_or_null(const struct address *address)
{
    return db_blob_or_null(address->bytes, address_bytes(address));
}

static struct db_value tag(const char *text)
{
    return db_text_or_null(span_of(text));
}

static enum status create(struct note_result *result, struct db *db,
                          const struct caller *caller, const struct note_command *c)
{
    result->note_id = c->new_note_id;
    result->editable = c->editable == FLAG_ON;
    result->visible = c->visible == FLAG_ON;
    return DB_RUN(db, NULL, insert_note, UUID(c->new_note_id), UUID(caller->org_id),
                  UUID(c->contact_id.uuid), UUID(c->member_id.uuid), DB_INT(c->now_ms),
                  DB_TEXT(c->content), DB_INT(result->editable), DB_INT(result->visible),
                  UUID(caller->developer_key_id), DB_TEXT(span_of(c->request_id)),
                  address_or_null(&c->credentials.address), tag(c->tags.country),
                  tag(c->tags.city), tag(c->tags.network));
}

/* *result holds the flags as they were. */
static enum status update(struct note_result *result, struct db *db,
                          const struct caller *caller, const struct note_command *c)
{
    result->note_id = c->note_id.uuid;
    if (c->editable != FLAG_NOT_SENT)
        result->editable = c->editable;
    if (c->visible != FLAG_NOT_SENT)
        result->visible = c->visible;
    enum status status = DB_RUN(db, NULL, keep_version, UUID(c->note_id.uuid));
    if (status != STATUS_OK)
        return status;
    return DB_RUN(db, NULL, update_note, UUID(c->note_id.uuid), UUID(c->member_id.uuid),
                  DB_INT(c->now_ms), DB_TEXT(c->content), DB_INT(result->editable),
                  DB_INT(result->visible), UUID(caller->developer_key_id),
                  DB_TEXT(span_of(c->request_id)), address_or_null(&c->credentials.address),
                  tag(c->tags.country), tag(c->tags.city), tag(c->tags.network));
}

static enum status write_new(struct note_result *result, struct db *db,
                             const struct caller *caller,
                             const struct note_command *command)
{
    enum status status = check(&result->refusal, result, db, caller, command);

    if (status == STATUS_OK)
        status = command->note_id.given ? update(result, db, caller, command)
                                        : create(result, db, caller, command);
    if (status == STATUS_OK)
        status = idempotency_keep(db, caller, command, result);
    return status;
}

static enum status write_once(struct note_result *result, struct db *db,
                              const struct caller *caller,
                              const struct note_command *command)
{
    enum status status = idempotency_find(result, &result->refusal, db, caller, command);

    if (status == STATUS_NOT_FOUND)
        status = write_new(result, db, caller, command);
    if (status != STATUS_OK)
        return status;
    return access_touch(db, caller, &command->credentials.address, command->now_ms);
}

enum status note_write(struct note_result *result, struct db *db,
                       const struct note_command *command)
{
    struct caller caller;

    *result = (struct note_result){.refusal = ERROR_NONE};
    enum status status =
        access_check(&caller, &result->refusal, db, &command->credentials, command->now_ms);
    if (status == STATUS_OK)
        status = write_once(result, db, &caller, command);
    result->former = caller.former;
    return status;
}
