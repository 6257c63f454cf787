/*
 * Removes what is kept about people from notes, contacts and members. Ids and times stay,
 * and the chains of notes and versions.
 *
 * Each function is called in a writing transaction, and takes little time, so that others
 * are not kept waiting: what may be much is done by calling the function again in further
 * transactions. What was erased before is left alone. Where the texts stand on in the files
 * of the database is a matter of db_scrub (lib/db.h) and contact_index_merge.
 */
#ifndef APP_STORE_ERASE_H
#define APP_STORE_ERASE_H

#include "app/store/contact.h"
#include "lib/db.h"
#include "lib/uuid.h"

/* How much was erased. The functions add to it. */
struct erased {
    int64_t people;   /* contacts and members */
    int64_t notes;    /* the present versions */
    int64_t versions; /* former ones */
    int64_t origins;  /* of versions whose text was left */
    int64_t answers;  /* to requests with an Idempotency-Key, which may be personal */
};

/* Erases texts and origins of all versions of the note. */
enum status erase_note(struct db *db, struct erased *out, const struct uuid *id,
                       int64_t now_ms);

/* The same for some notes of the contact, from the one with this number (0: the last one)
 * along the chain. *number is that of the next one then, or -1 after the first one. */
enum status erase_notes(struct db *db, struct erased *out, int64_t contact, int64_t *number,
                        int64_t now_ms);

/* Erases the contact, as it was read, itself, with what it is found by. Companies of the
 * organization that no contact has any more are removed: it may have been one's own. */
enum status erase_contact(struct db *db, struct erased *out, const struct contact *contact,
                          int64_t now_ms);

/* Where to go on with the versions that a member wrote. */
struct erase_place {
    int64_t note, version; /* the numbers that were looked at; 0 at first */
    bool done;
};

/* Erases the origins of some versions that the member wrote. */
enum status erase_origins(struct db *db, struct erased *out, const struct uuid *member_id,
                          struct erase_place *place);

/* Erases the member itself, and the labels of its API keys and from where they were used
 * last, and deactivates it. */
enum status erase_member(struct db *db, struct erased *out, const struct uuid *id,
                         int64_t now_ms);

#endif
