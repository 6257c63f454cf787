/*
 * Notes are looked for by what is known of them.
 *
 * There is no index of their words, which every note would have to pay for. What is read
 * depends on the criteria: the notes of a contact along its chain; those of a time by their
 * ids; otherwise all, the one stored last first.
 */
#ifndef APP_STORE_NOTE_SEARCH_H
#define APP_STORE_NOTE_SEARCH_H

#include "app/store/note.h"

enum {
    NOTE_WORDS_MAX = 16, /* that are looked for */
    NOTE_WORD_MAX_BYTES = 256,
};

/* All of these must hold for a note. */
struct note_criteria {
    const struct uuid *org_id, *contact_id, *author_id; /* NULL: any */
    struct span request_id;            /* that wrote the present version; empty: any */
    int64_t since_ms, until_ms;        /* when the note was made, both included */
    struct span words[NOTE_WORDS_MAX]; /* valid UTF-8 of at most NOTE_WORD_MAX_BYTES each,
                                        * which occur in the present version without regard
                                        * to case, each anywhere */
    size_t word_count;
    const struct uuid *after; /* only what comes after this note; NULL: all */
};

/* The times when there is no limit. */
static const int64_t note_search_from_ever = 0, note_search_to_ever = INT64_MAX;

/*
 * Calls each with the notes that fit, and that the viewer sees, the one stored last first;
 * what each returns is as for db_each. STATUS_NOT_FOUND: there is no note `after`. With a
 * time, a note is found whose id is of uuid_make and of the time when it was made, or is no
 * UUID of version 7.
 */
enum status note_search(struct db *db, const struct note_criteria *criteria,
                        const struct note_viewer *viewer, note_each *each, void *arg);

#endif
