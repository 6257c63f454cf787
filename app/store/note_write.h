/*
 * Writes notes for commands that were judged.
 *
 * Both functions are called in the writing transaction in which the facts were read. After
 * anything but STATUS_OK a part of a note may have been written, and the transaction must
 * be rolled back.
 */
#ifndef APP_STORE_NOTE_WRITE_H
#define APP_STORE_NOTE_WRITE_H

#include "app/rules/note_rules.h"
#include "app/store/note.h"
#include "lib/db.h"

/* Adds the note that result describes to the contact with this number (of struct
 * note_facts), in the name of caller. */
enum status note_create(struct db *db, int64_t contact, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command);

/*
 * For notes of any origin. Inserts the first version of one, behind the note with the
 * number previous (0: it is the first of its contact); the caller puts it into the chain.
 */
enum status note_insert(struct db *db, int64_t *number, const struct uuid *org_id,
                        int64_t previous, const struct note *note);

/* Puts the note with this number behind another one (0: none). */
enum status note_set_previous(struct db *db, int64_t number, int64_t previous);

/* Makes it the last one of the contact with that number; is_first: it has no other. */
enum status note_set_last(struct db *db, int64_t contact, int64_t number, bool is_first);

/* Copies the present version of the note with this number to its history, and stores the
 * one that is given. */
enum status note_add_version(struct db *db, int64_t number, const struct note *version);

/* Copies the present version of the note with this number (of struct note_facts) to its
 * history, and stores the new one. */
enum status note_update(struct db *db, int64_t number, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command);

#endif
