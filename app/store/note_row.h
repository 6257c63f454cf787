/*
 * The columns of a version of a note, and how they are read: for statements of this
 * directory.
 */
#ifndef APP_STORE_NOTE_ROW_H
#define APP_STORE_NOTE_ROW_H

#include "app/store/note.h"

/* v is the row of the version, in either table, n that of the note. */
#define NOTE_ROW_COLUMNS                                                                   \
    "n.note_id, n.contact_id, n.author_id, n.created_at, v.version AS version, "           \
    "v.content, v.editable, v.visible, v.written_by, v.written_at AS written_at, "         \
    "v.developer_key_id, "                                                                 \
    "v.request_id, v.address, v.country, v.city, v.network, n.erased_at"

/* Numbers along the chain of the notes of contact ?1. UNION ends a chain that leads back to
 * itself; a note that was imported may have a greater number than the one behind it. */
#define NOTE_ROW_CHAIN                                                                     \
    "WITH RECURSIVE chain (number) AS ("                                                   \
    " SELECT note FROM contacts AS c JOIN last_notes ON contact = c.number"                \
    " WHERE contact_id = ?1"                                                               \
    " UNION SELECT previous FROM chain JOIN notes USING (number) WHERE previous > 0) "

/* The rows of the present versions. */
#define NOTE_ROW_PRESENT                                                                   \
    "SELECT " NOTE_ROW_COLUMNS " FROM notes AS n JOIN notes AS v USING (number)"

/* The callback that gets the rows of a statement. */
struct note_row_reader {
    note_each *each;
    void *arg;
};

/* A db_row_function; arg is the struct note_row_reader. */
enum status note_row_give(void *arg, const struct db_rows *rows);

#endif
