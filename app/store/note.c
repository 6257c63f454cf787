#include "app/store/note.h"

#include "app/store/note_row.h"

#define FORMER                                                                             \
    "SELECT " NOTE_ROW_COLUMNS " FROM note_revisions AS v JOIN notes AS n USING (note_id)"

/* Numbers along the chains of former versions of those notes for which the condition
 * holds. */
#define VERSIONS_OF(condition)                                                             \
    "WITH RECURSIVE chain (number) AS ("                                                   \
    " SELECT former FROM notes WHERE former > 0 AND " condition " UNION ALL"               \
    " SELECT former FROM chain JOIN note_revisions USING (number)"                         \
    " WHERE former BETWEEN 1 AND number - 1) "

#define IN_CHAIN " WHERE v.number IN (SELECT number FROM chain)"

#define VISIBLE(all, member) " AND " NOTE_VISIBLE("n", "v", all, member)

static const char find[] = NOTE_ROW_PRESENT " WHERE n.note_id = ?1" VISIBLE("?2", "?3");
static const char get_number[] = "SELECT number FROM notes WHERE note_id = ?1";
/* in the order in which SQLite keeps the numbers, so that no text is sorted */
static const char list[] = NOTE_ROW_CHAIN NOTE_ROW_PRESENT
    " WHERE n.number IN (SELECT number FROM chain) AND n.number > ?4" VISIBLE(
        "?2", "?3") " ORDER BY n.number";
static const char history[] = VERSIONS_OF("note_id = ?1") FORMER IN_CHAIN VISIBLE(
    "?2", "?3") " UNION ALL " NOTE_ROW_PRESENT
                " WHERE n.note_id = ?1" VISIBLE("?2", "?3") " ORDER BY version";

#define OF_REQUEST "v.request_id = ?1" VISIBLE("?2", "?3")
#define IN_RANGE   "note_id BETWEEN ?4 AND ?5"
#define BY_TIME    " ORDER BY written_at, version"

static const char written_by[] =
    NOTE_ROW_PRESENT " WHERE " OF_REQUEST " UNION ALL " FORMER " WHERE " OF_REQUEST BY_TIME;
static const char written_by_in_range[] = VERSIONS_OF(IN_RANGE) NOTE_ROW_PRESENT
    " WHERE v." IN_RANGE " AND " OF_REQUEST " UNION ALL " FORMER IN_CHAIN
    " AND " OF_REQUEST BY_TIME;

#define VIEWER(viewer) NOTE_VIEWER_ALL(viewer), NOTE_VIEWER_MEMBER(viewer)

enum status note_find(struct db *db, const struct uuid *id,
                      const struct note_viewer *viewer, note_each *each, void *arg)
{
    struct note_row_reader reader = {.each = each, .arg = arg};

    return DB_FIRST(db, note_row_give, &reader, find, DB_BLOB(id->bytes, UUID_BYTES),
                    VIEWER(viewer));
}

enum status note_list(struct db *db, const struct uuid *contact_id,
                      const struct note_viewer *viewer, const struct uuid *after,
                      note_each *each, void *arg)
{
    struct note_row_reader reader = {.each = each, .arg = arg};
    int64_t number = 0;
    enum status status = after == NULL ? STATUS_OK
                                       : DB_FIRST(db, db_keep_int, &number, get_number,
                                                  DB_BLOB(after->bytes, UUID_BYTES));

    return status == STATUS_OK ? DB_EACH(db, note_row_give, &reader, list,
                                         DB_BLOB(contact_id->bytes, UUID_BYTES),
                                         VIEWER(viewer), DB_INT(number))
                               : status;
}

/* A reader that also tells whether there was any row. */
struct version_reader {
    struct note_row_reader reader;
    bool found;
};

static enum status give_version(void *arg, const struct db_rows *rows)
{
    struct version_reader *versions = arg;

    versions->found = true;
    return note_row_give(&versions->reader, rows);
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
    struct note_row_reader reader = {.each = each, .arg = arg};

    if (range == NULL)
        return DB_EACH(db, note_row_give, &reader, written_by, DB_TEXT(request_id),
                       VIEWER(viewer));
    return DB_EACH(db, note_row_give, &reader, written_by_in_range, DB_TEXT(request_id),
                   VIEWER(viewer), DB_BLOB(range->first.bytes, UUID_BYTES),
                   DB_BLOB(range->last.bytes, UUID_BYTES));
}
