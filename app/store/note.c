#include "app/store/note.h"

/* The columns of a version: v is the row of the version, in either table, n that of the
 * note. */
#define COLUMNS                                                                            \
    "n.note_id, n.contact_id, n.author_id, n.created_at, v.version AS version, "           \
    "v.content, v.editable, v.visible, v.written_by, v.written_at AS written_at, "         \
    "v.developer_key_id, "                                                                 \
    "v.request_id, v.address, v.country, v.city, v.network"

#define PRESENT "SELECT " COLUMNS " FROM notes AS n JOIN notes AS v USING (number)"

#define FORMER "SELECT " COLUMNS " FROM note_revisions AS v JOIN notes AS n USING (note_id)"

/* Numbers along the chain of a contact's notes, from the last one down, but those after ?4
 * only. */
#define NOTES_OF_CONTACT                                                                   \
    "WITH RECURSIVE chain (number) AS ("                                                   \
    " SELECT note FROM contacts AS c JOIN last_notes ON contact = c.number"                \
    " WHERE contact_id = ?1 AND note > ?4"                                                 \
    " UNION ALL SELECT previous FROM chain JOIN notes USING (number)"                      \
    " WHERE previous BETWEEN ?4 + 1 AND number - 1) "

/* Numbers along the chains of former versions of those notes for which the condition
 * holds. */
#define VERSIONS_OF(condition)                                                             \
    "WITH RECURSIVE chain (number) AS ("                                                   \
    " SELECT former FROM notes WHERE former > 0 AND " condition " UNION ALL"               \
    " SELECT former FROM chain JOIN note_revisions USING (number)"                         \
    " WHERE former BETWEEN 1 AND number - 1) "

#define IN_CHAIN " WHERE v.number IN (SELECT number FROM chain)"

#define VISIBLE(all, member) " AND " NOTE_VISIBLE("n", "v", all, member)

static const char find[] = PRESENT " WHERE n.note_id = ?1" VISIBLE("?2", "?3");
static const char get_number[] = "SELECT number FROM notes WHERE note_id = ?1";
/* in the order in which SQLite keeps the numbers, so that no text is sorted */
static const char list[] = NOTES_OF_CONTACT PRESENT
    " WHERE n.number IN (SELECT number FROM chain)" VISIBLE("?2",
                                                            "?3") " ORDER BY n.number";
static const char history[] = VERSIONS_OF("note_id = ?1") FORMER IN_CHAIN VISIBLE(
    "?2", "?3") " UNION ALL " PRESENT
                " WHERE n.note_id = ?1" VISIBLE("?2", "?3") " ORDER BY version";

#define OF_REQUEST "v.request_id = ?1" VISIBLE("?2", "?3")
#define IN_RANGE   "note_id BETWEEN ?4 AND ?5"
#define BY_TIME    " ORDER BY written_at, version"

static const char written_by[] =
    PRESENT " WHERE " OF_REQUEST " UNION ALL " FORMER " WHERE " OF_REQUEST BY_TIME;
static const char written_by_in_range[] =
    VERSIONS_OF(IN_RANGE) PRESENT " WHERE v." IN_RANGE " AND " OF_REQUEST
                                  " UNION ALL " FORMER IN_CHAIN " AND " OF_REQUEST BY_TIME;

#define VIEWER(viewer) NOTE_VIEWER_ALL(viewer), NOTE_VIEWER_MEMBER(viewer)

/* The callback that gets the rows of a statement. */
struct reader {
    note_each *each;
    void *arg;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    const struct reader *reader = arg;
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
    return reader->each(reader->arg, &note);
}

enum status note_find(struct db *db, const struct uuid *id,
                      const struct note_viewer *viewer, note_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, give_row, &reader, find, DB_BLOB(id->bytes, UUID_BYTES),
                    VIEWER(viewer));
}

static enum status keep_number(void *arg, const struct db_rows *rows)
{
    *(int64_t *)arg = db_int(rows, 0);
    return STATUS_OK;
}

enum status note_list(struct db *db, const struct uuid *contact_id,
                      const struct note_viewer *viewer, const struct uuid *after,
                      note_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};
    int64_t number = 0;
    enum status status = after == NULL ? STATUS_OK
                                       : DB_FIRST(db, keep_number, &number, get_number,
                                                  DB_BLOB(after->bytes, UUID_BYTES));

    return status == STATUS_OK ? DB_EACH(db, give_row, &reader, list,
                                         DB_BLOB(contact_id->bytes, UUID_BYTES),
                                         VIEWER(viewer), DB_INT(number))
                               : status;
}

/* A reader that also tells whether there was any row. */
struct version_reader {
    struct reader reader;
    bool found;
};

static enum status give_version(void *arg, const struct db_rows *rows)
{
    struct version_reader *versions = arg;

    versions->found = true;
    return give_row(&versions->reader, rows);
}

enum status note_history(struct db *db, const struct uuid *id,
                         const struct note_viewer *viewer, note_each *each, void *arg)
{
    struct version_reader versions = {.reader = {.each = each, .arg = arg}};
    enum status status = DB_EACH(db, give_version, &versions, history,
                                 DB_BLOB(id->bytes, UUID_BYTES), VIEWER(viewer));

    return status == STATUS_OK && !versions.found ? STATUS_NOT_FOUND : status;
}

enum status note_written_by(struct db *db, struct span request_id,
                            const struct note_range *range,
                            const struct note_viewer *viewer, note_each *each, void *arg)
{
    struct reader reader = {.each = each, .arg = arg};

    if (range == NULL)
        return DB_EACH(db, give_row, &reader, written_by, DB_TEXT(request_id),
                       VIEWER(viewer));
    return DB_EACH(db, give_row, &reader, written_by_in_range, DB_TEXT(request_id),
                   VIEWER(viewer), DB_BLOB(range->first.bytes, UUID_BYTES),
                   DB_BLOB(range->last.bytes, UUID_BYTES));
}
