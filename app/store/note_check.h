/*
 * Whether the notes of all contacts, and the versions of all notes, can be found.
 *
 * The engine checks its indexes by itself. The chains that take the place of two of them
 * (see migrations/0005_chains.sql) are data to it, and are checked here.
 */
#ifndef APP_STORE_NOTE_CHECK_H
#define APP_STORE_NOTE_CHECK_H

#include "lib/db.h"

/*
 * STATUS_OK, STATUS_INVALID with the first complaint in why, or the failure of the
 * database. Reads all notes, inside a transaction. The database must have this program's
 * schema.
 */
enum status note_check(struct db *db, struct problem *why);

#endif
