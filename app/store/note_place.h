/*
 * The notes of a contact as a chain (migrations/0005_chains.sql), for notes that were made
 * elsewhere: finding what is there, and putting a note into its place by its time.
 */
#ifndef APP_STORE_NOTE_PLACE_H
#define APP_STORE_NOTE_PLACE_H

#include "app/store/note.h"

/* A note in a chain; number 0: none. */
struct note_link {
    int64_t number, previous, created_at_ms;
    struct uuid id;
};

/* Where the last note was put, which saves the way to the next one's place; at first
 * zeros. */
struct note_place {
    int64_t contact;
    struct note_link before, behind; /* the note itself, and the one that follows */
};

/* Adds the first version of a note to the contact with this number: behind those that were
 * made before it, by created_at, then id. Inside a writing transaction; after one that was
 * rolled back begin with another struct note_place. */
enum status note_place_add(struct note_place *last, struct db *db, int64_t contact,
                           const struct uuid *org_id, const struct note *note);

/* The number of a contact, and its organization; STATUS_NOT_FOUND: there is none. */
enum status note_place_find_contact(int64_t *contact, struct uuid *org_id, struct db *db,
                                    const struct uuid *id);

/* The number of a note; STATUS_NOT_FOUND: there is none. */
enum status note_place_find(int64_t *number, struct db *db, const struct uuid *id);

/* Calls each with the ids of at most limit notes with numbers above *after, in the order
 * in which they were stored, of an organization or (NULL) of all; *after becomes the last
 * number that was looked at, and *count how many were. */
typedef enum status note_place_each(void *arg, const struct uuid *id);
enum status note_place_list(int64_t *after, int64_t *count, struct db *db,
                            const struct uuid *org_id, int64_t limit, note_place_each *each,
                            void *arg);

/* The same with all notes of a contact, the newest first. */
enum status note_place_chain(struct db *db, const struct uuid *contact_id,
                             note_place_each *each, void *arg);

#endif
