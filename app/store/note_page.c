#include "app/store/note_page.h"

static const char find_last[] = "SELECT note FROM last_notes WHERE contact = ?1";
static const char find_previous[] =
    "SELECT previous FROM notes WHERE note_id = ?1 AND contact_id = ?2";
static const char find_note[] = "SELECT previous, " NOTE_VISIBLE(
    "n", "n", "?2",
    "?3") ", note_id, author_id, editable,"
          " visible, created_at, written_at, content FROM notes AS n WHERE number = ?1";

/* The number of the first note; 0: there is none. */
static enum status find_first(int64_t *number, struct db *db, const struct note_page *page)
{
    enum status status;

    *number = 0;
    if (page->after != NULL) {
        status = DB_FIRST(db, db_keep_int, number, find_previous,
                          DB_BLOB(page->after->bytes, UUID_BYTES),
                          DB_BLOB(page->contact_id.bytes, UUID_BYTES));
        return status == STATUS_NOT_FOUND ? STATUS_INVALID : status;
    }
    status = DB_FIRST(db, db_keep_int, number, find_last, DB_INT(page->contact));
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* A page that is being read. */
struct reader {
    const struct note_page *page;
    note_read_each *each;
    void *arg;
    int64_t next; /* the number of the next note; 0: none */
    bool ended;
};

static enum status give_row(void *arg, const struct db_rows *rows)
{
    struct reader *reader = arg;
    struct note_read note;

    reader->next = db_int(rows, 0);
    if (db_int(rows, 1) == 0)
        return STATUS_OK;
    note.contact_id = reader->page->contact_id;
    (void)db_blob(rows, 2, note.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 3, note.author_id.bytes, UUID_BYTES);
    note.editable = db_int(rows, 4) != 0;
    note.visible = db_int(rows, 5) != 0;
    note.created_at_ms = db_int(rows, 6);
    note.written_at_ms = db_int(rows, 7);
    note.content = db_text(rows, 8);
    enum status status = reader->each(reader->arg, &note);
    reader->ended = status == STATUS_NOT_FOUND;
    return reader->ended ? STATUS_OK : status;
}

enum status note_page_read(struct db *db, const struct note_page *page,
                           note_read_each *each, void *arg)
{
    struct reader reader = {.page = page, .each = each, .arg = arg};
    enum status status = find_first(&reader.next, db, page);

    while (status == STATUS_OK && reader.next > 0 && !reader.ended)
        status =
            DB_FIRST(db, give_row, &reader, find_note, DB_INT(reader.next),
                     NOTE_VIEWER_ALL(&page->viewer), NOTE_VIEWER_MEMBER(&page->viewer));
    /* a number that leads nowhere is a fault of the database, for `db check` to find */
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}
