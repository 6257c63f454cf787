/*
 * The use cases that erase what is kept about people, see app/store/erase.h.
 *
 * What may be much is erased by functions without a struct change, in transactions of their
 * own, before the change that says in the audit what was erased. If the program ends in
 * between, the command is repeated. Afterwards manage_erase_finish removes the texts from
 * the files of the database.
 */
#ifndef APP_MANAGE_MANAGE_ERASE_H
#define APP_MANAGE_MANAGE_ERASE_H

#include "app/manage/change.h"
#include "app/store/erase.h"

/* Erases a note. What was erased is added to *out, here and below. STATUS_NOT_FOUND when
 * there is no such note. */
enum status manage_erase_note(struct change *change, struct erased *out,
                              const struct uuid *id, struct problem *why);

/* Erases the notes of a contact, outside of a transaction. STATUS_NOT_FOUND when there is
 * no such contact. */
enum status manage_erase_notes(struct db *db, struct erased *out, const struct uuid *id,
                               int64_t now_ms, struct problem *why);

/* Erases the contact itself, and the notes that it got meanwhile. */
enum status manage_erase_contact(struct change *change, struct erased *out,
                                 const struct uuid *id, struct problem *why);

/* Erases the origins of what a member wrote, outside of a transaction. STATUS_NOT_FOUND
 * when there is no such member. */
enum status manage_erase_origins(struct db *db, struct erased *out, const struct uuid *id,
                                 struct problem *why);

/* Erases the member itself, and deactivates it. What it wrote stays: it is about
 * contacts. */
enum status manage_erase_member(struct change *change, struct erased *out,
                                const struct uuid *id, struct problem *why);

/* Removes what was erased from the index of contacts, while others use the database. */
enum status manage_erase_from_index(struct db *db);

/* Removes what was erased from the files of the database, while others use it. Takes as
 * long as reading them. STATUS_BUSY: others read all the time. */
enum status manage_erase_from_files(struct db *db, struct problem *why);

#endif
