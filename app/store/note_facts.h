/*
 * Facts about the contact and the note of a command.
 */
#ifndef APP_STORE_NOTE_FACTS_H
#define APP_STORE_NOTE_FACTS_H

#include "app/rules/note_rules.h"
#include "app/rules/refusal_rules.h"
#include "lib/db.h"

/*
 * Reads the facts for note_judge. With only_org (NULL: any), contacts of other
 * organizations count as absent, and nothing else is read of them. STATUS_OK, or the
 * failure of the database.
 */
enum status note_facts_read(struct note_facts *out, struct db *db,
                            const struct note_command *command,
                            const struct uuid *only_org);

/*
 * Reads whether the command's contact and note exist anywhere, for note_reason. It looks
 * into indexes only, so that it takes as long for those that exist as for others: how long
 * the answer takes must not tell callers what uniform_errors hides.
 */
enum status note_existence_read(struct note_existence *out, struct db *db,
                                const struct note_command *command);

#endif
