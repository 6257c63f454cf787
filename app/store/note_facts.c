#include "app/store/note_facts.h"

#define CONTACT " FROM contacts AS c JOIN members ON member_id = owner_id"
#define THAT_CONTACT                                                                       \
    " WHERE c.contact_id = ?1 AND c.erased_at IS NULL AND (?2 IS NULL OR c.org_id = ?2)"

#define COLUMNS "SELECT c.org_id, owner_id, active, c.number"
static const char find_contact[] = COLUMNS CONTACT THAT_CONTACT;
static const char find_contact_and_note[] =
    COLUMNS ", author_id, editable, visible, n.number" CONTACT
            " LEFT JOIN notes AS n ON n.note_id = ?3 AND n.contact_id = c.contact_id"
            " AND n.erased_at IS NULL" THAT_CONTACT;

static const char find_note[] =
    "SELECT author_id, editable, visible, number FROM notes"
    " WHERE note_id = ?1 AND contact_id = ?2 AND erased_at IS NULL";

static const char find_existence[] =
    "SELECT EXISTS (SELECT 1 FROM contacts WHERE contact_id = ?1),"
    " EXISTS (SELECT 1 FROM notes WHERE note_id = ?2)";

/* The facts about a contact, without a note. */
static const struct fact_kind contacts = {
    .key_bytes = UUID_BYTES,
    .value_bytes = sizeof(struct note_facts),
    .count = 16384,
};

/* The columns of the note begin at first. */
static void put_note(struct note_facts *out, const struct db_rows *rows, int first)
{
    out->note_found = db_blob(rows, first, &out->author_id, sizeof out->author_id);
    out->editable = db_int(rows, first + 1) != 0;
    out->visible = db_int(rows, first + 2) != 0;
    out->note_number = db_int(rows, first + 3);
}

static enum status keep_note(void *arg, const struct db_rows *rows)
{
    put_note(arg, rows, 0);
    return STATUS_OK;
}

static enum status find(struct db_rows *rows, struct db *db,
                        const struct note_command *command, const struct uuid *only_org)
{
    const struct db_value contact = DB_BLOB(command->contact_id.uuid.bytes, UUID_BYTES);
    const struct db_value org =
        only_org != NULL ? DB_BLOB(only_org->bytes, UUID_BYTES) : DB_NULL;

    if (!command->note_id.is_uuid)
        return DB_QUERY(db, rows, find_contact, contact, org);
    return DB_QUERY(db, rows, find_contact_and_note, contact, org,
                    DB_BLOB(command->note_id.uuid.bytes, UUID_BYTES));
}

static enum status read_all(struct note_facts *out, struct db *db,
                            const struct note_command *command, const struct uuid *only_org)
{
    struct db_rows rows;
    enum status status = find(&rows, db, command, only_org);

    if (status != STATUS_OK)
        return status;
    out->contact_found = true;
    (void)db_blob(&rows, 0, &out->org_id, sizeof out->org_id);
    (void)db_blob(&rows, 1, &out->owner_id, sizeof out->owner_id);
    out->owner_active = db_int(&rows, 2) != 0;
    out->contact_number = db_int(&rows, 3);
    db_remember(db, &contacts, &command->contact_id.uuid, out);
    if (command->note_id.is_uuid)
        put_note(out, &rows, 4);
    db_done(&rows);
    return STATUS_OK;
}

static enum status read_note(struct note_facts *out, struct db *db,
                             const struct note_command *command)
{
    return DB_FIRST(db, keep_note, out, find_note,
                    DB_BLOB(command->note_id.uuid.bytes, UUID_BYTES),
                    DB_BLOB(command->contact_id.uuid.bytes, UUID_BYTES));
}

enum status note_facts_read(struct note_facts *out, struct db *db,
                            const struct note_command *command, const struct uuid *only_org)
{
    enum status status = STATUS_OK;

    *out = (struct note_facts){.contact_found = false};
    if (!command->contact_id.is_uuid)
        return STATUS_OK;
    if (!db_recall(db, &contacts, &command->contact_id.uuid, out))
        status = read_all(out, db, command, only_org);
    else if (only_org != NULL && !uuid_equals(only_org, &out->org_id))
        *out = (struct note_facts){.contact_found = false};
    else if (command->note_id.is_uuid)
        status = read_note(out, db, command);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status keep_existence(void *arg, const struct db_rows *rows)
{
    *(struct note_existence *)arg = (struct note_existence){
        .contact = db_int(rows, 0) != 0,
        .note = db_int(rows, 1) != 0,
    };
    return STATUS_OK;
}

enum status note_existence_read(struct note_existence *out, struct db *db,
                                const struct note_command *command)
{
    return DB_FIRST(db, keep_existence, out, find_existence,
                    DB_BLOB(command->contact_id.uuid.bytes, UUID_BYTES),
                    DB_BLOB(command->note_id.uuid.bytes, UUID_BYTES));
}
