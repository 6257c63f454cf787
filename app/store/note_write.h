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
#include "lib/db.h"

/* Adds the note that result describes to the contact with this number (of struct
 * note_facts), in the name of caller. */
enum status note_create(struct db *db, int64_t contact, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command);

/* Copies the present version of the note with this number (of struct note_facts) to its
 * history, and stores the new one. */
enum status note_update(struct db *db, int64_t number, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command);

#endif
