/*
 * The verb erase of the nouns note, contact and member.
 */
#ifndef APP_CTL_ERASE_H
#define APP_CTL_ERASE_H

#include "app/ctl/ctl.h"

/* What the three rows have in common; run is one of the functions below. */
#define ERASE_VERB                                                                         \
    .name = "erase", .access = CTL_ALONE, .one = true, .parameters = erase_parameters,     \
    .prepare = erase_confirm

/* Further lines of their help. */
#define ERASE_MORE                                                                         \
    "Ids and times stay, and the audit says how much was erased. Afterwards the texts "    \
    "are\n"                                                                                \
    "in no file of the database, for which all of it is read while the service goes on.\n" \
    "Backups that were made before still have them. If it is interrupted, repeat it."

extern const struct parameter erase_parameters[];

/* Asks on a terminal, unless --yes is given. STATUS_REFUSED: the answer is no, or there is
 * no terminal. */
enum status erase_confirm(struct ctl *ctl);

enum status erase_run_note(struct ctl *ctl);
enum status erase_run_contact(struct ctl *ctl);
enum status erase_run_member(struct ctl *ctl);

#endif
