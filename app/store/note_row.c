#include "app/store/note_row.h"

enum status note_row_give(void *arg, const struct db_rows *rows)
{
    const struct note_row_reader *reader = arg;
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
        .erased_at_ms = db_int(rows, 16),
    };

    (void)db_blob(rows, 0, note.id.bytes, UUID_BYTES);
    (void)db_blob(rows, 1, note.contact_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 2, note.author_id.bytes, UUID_BYTES);
    (void)db_blob(rows, 8, note.written_by.bytes, UUID_BYTES);
    (void)db_blob(rows, 10, note.origin.developer_key_id.bytes, UUID_BYTES);
    return reader->each(reader->arg, &note);
}
