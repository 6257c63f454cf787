#include "app/store/note.h"

/* Columns of every version, whichever table it stands in: v is the version, n the note. */
#define COLUMNS                                                                            \
    "n.note_id, n.contact_id, n.author_id, n.created_at, v.version AS version, "           \
    "v.content, v.editable, v.visible, v.written_by, v.written_at, v.developer_key_id, "   \
    "v.request_id, v.address, v.country, v.city, v.network"

#define PRESENT "SELECT " COLUMNS " FROM notes AS n JOIN notes AS v USING (note_id)"
#define FORMER  "SELECT " COLUMNS " FROM notes AS n JOIN note_revisions AS v USING (note_id)"

static const char find[] = PRESENT " WHERE n.note_id = ?1";
static const char list[] = PRESENT " WHERE n.contact_id = ?1 ORDER BY n.note_id";
static const char history[] = FORMER " WHERE n.note_id = ?1"
                                     " UNION ALL " PRESENT " WHERE n.note_id = ?1"
                                     " ORDER BY version";

static struct note read_row(const struct db_rows *rows)
{
    struct note note = {
        .created_at_ms = db_int(rows, 3),
        .version = db_int(rows, 4),
        .content = db_text(rows, 5),
        .editable = db_int(rows, 6),
        .visible = db_int(rows, 7),
        .written_at_ms = db_int(rows, 9),
        .origin.request_id = db_text(rows, 11),
        .origin.address = address_of_bytes(db_bytes(rows, 12)),
        .origin.country = db_text(rows, 13),
        .origin.city = db_text(rows, 14),
        .origin.network = db_text(rows, 15),
    };

    (void)db_blob(rows, 0, note.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, note.contact_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 2, note.author_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 8, note.written_by.bytes, UUID_BYTES);
    (void)db_blob(rows, 10, note.origin.developer_key_id.bytes, UUID_BYTES);
    return note;
}

/* Goes through the rows of a query that gave this status. */
static enum status visit(struct db_rows *rows, enum status status, note_each *each,
                         void *arg)
{
    while (status == STATUS_OK) {
        struct note note = read_row(rows);
        status = each(arg, &note);
        if (status == STATUS_OK)
            status = db_next(rows);
    }
    db_done(rows);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status note_find(struct db *db, const struct uuid *id, note_each *each, void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, find, DB_BLOB(id->bytes, UUID_BYTES));

    return status == STATUS_NOT_FOUND ? status : visit(&rows, status, each, arg);
}

enum status note_list(struct db *db, const struct uuid *contact_id, note_each *each,
                      void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, list, DB_BLOB(contact_id->bytes, UUID_BYTES));

    return visit(&rows, status, each, arg);
}

enum status note_history(struct db *db, const struct uuid *id, note_each *each, void *arg)
{
    struct db_rows rows;
    enum status status = DB_QUERY(db, &rows, history, DB_BLOB(id->bytes, UUID_BYTES));

    return status == STATUS_NOT_FOUND ? status : visit(&rows, status, each, arg);
}
