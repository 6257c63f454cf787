/*
 * Writes contacts for commands that were judged, in the writing transaction in which the
 * facts were read. After anything but STATUS_OK the transaction must be rolled back.
 */
#ifndef APP_STORE_CONTACT_WRITE_H
#define APP_STORE_CONTACT_WRITE_H

#include "app/rules/contact_rules.h"
#include "app/store/contact.h"
#include "lib/db.h"

/* The result of a command, of bytes only, because it is also stored as it is. */
struct contact_result {
    struct uuid contact_id;
    struct uuid entity_id; /* zeros: none */
    uint8_t created;       /* 0: it was there, and was changed */
};

_Static_assert(sizeof(struct contact_result) == 2 * UUID_BYTES + 1,
               "it is stored without padding");

/* Whether contact_write would change anything of before but its time. */
bool contact_write_changes(const struct contact *before,
                           const struct contact_command *command);

/* Sets the company of a contact that is going to be stored to the one that the command
 * names, if it names one, and adds or changes the company. Of the command only what it says
 * of the company and the time are used. */
enum status contact_write_entity(struct contact *contact, struct db *db,
                                 const struct contact_command *command);

/* Adds a contact, or changes before, the one that was found (of zeros: none). */
enum status contact_write(struct contact_result *result, struct db *db,
                          const struct contact *before, const struct caller *caller,
                          const struct contact_command *command);

#endif
