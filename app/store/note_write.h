/*
 * Writing notes: the effects of a command that was judged.
 *
 * Both inside a writing transaction in which the facts were read. After anything but
 * STATUS_OK half a note may have been written, and the transaction must be rolled back.
 */
#ifndef APP_STORE_NOTE_WRITE_H
#define APP_STORE_NOTE_WRITE_H

#include "app/rules/note_rules.h"
#include "lib/db.h"

/* Adds the note that result describes, in the name of caller. */
enum status note_create(struct db *db, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command);

/* Keeps the note's present version in its history and puts the new one in its place. */
enum status note_update(struct db *db, const struct note_result *result,
                        const struct caller *caller, const struct note_command *command);

#endif
