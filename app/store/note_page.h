/*
 * A contact's notes in pages, the newest first, as far as a viewer sees them.
 */
#ifndef APP_STORE_NOTE_PAGE_H
#define APP_STORE_NOTE_PAGE_H

#include "app/store/note_visible.h"
#include "lib/db.h"
#include "lib/span.h"

/* A note as callers read it. */
struct note_read {
    struct uuid id, contact_id, author_id;
    struct span content;
    uint8_t editable, visible;
    int64_t created_at_ms, written_at_ms; /* milliseconds since 1970, UTC */
};

/* Which notes. A page is right however many notes are added meanwhile, because it begins
 * behind a note and not at a number. */
struct note_page {
    int64_t contact;          /* its number */
    struct uuid contact_id;   /* its id */
    const struct uuid *after; /* the last note of the page before; NULL: the first page */
    struct note_viewer viewer;
};

/*
 * Calls each with the notes of the page, one after the other, until it returns
 * STATUS_NOT_FOUND, which ends the page with STATUS_OK, or fails. STATUS_INVALID: `after`
 * is no note of this contact. The content is valid during the call.
 */
typedef enum status note_read_each(void *arg, const struct note_read *note);
enum status note_page_read(struct db *db, const struct note_page *page,
                           note_read_each *each, void *arg);

#endif
