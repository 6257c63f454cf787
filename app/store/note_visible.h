/*
 * Who sees a note: its author always, other members when it is visible to them, and a
 * reader who is no member only such notes. An operator sees all, also notes of which the
 * text was erased.
 *
 * Every statement that reads notes has this condition, and no other one.
 */
#ifndef APP_STORE_NOTE_VISIBLE_H
#define APP_STORE_NOTE_VISIBLE_H

#include "lib/db.h"
#include "lib/uuid.h"

/* Who reads. */
struct note_viewer {
    bool is_operator;
    const struct uuid *member; /* NULL: no member */
};

/*
 * The condition, for a row of notes and a row of the version that is read, which for the
 * present version is the same one. A former version is private as it was then, and as the
 * note is now. all and member are the parameters that NOTE_VIEWER_ALL and
 * NOTE_VIEWER_MEMBER give.
 */
#define NOTE_VISIBLE(note, version, all, member)                                           \
    "(" all " OR (" note ".erased_at IS NULL AND (" note ".author_id = " member            \
    " OR (" note ".visible = 1 AND " version ".visible = 1))))"

#define NOTE_VIEWER_ALL(viewer) DB_INT((viewer)->is_operator)
#define NOTE_VIEWER_MEMBER(viewer)                                                         \
    ((viewer)->member != NULL ? DB_BLOB((viewer)->member->bytes, UUID_BYTES) : DB_NULL)

/* The reader of crmnotesctl. */
static const struct note_viewer note_operator = {.is_operator = true};

#endif
