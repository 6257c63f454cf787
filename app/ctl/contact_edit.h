/*
 * The verbs that write the fields of a contact, for the table of verbs in contact.c.
 */
#ifndef APP_CTL_CONTACT_EDIT_H
#define APP_CTL_CONTACT_EDIT_H

#include "app/ctl/ctl.h"

/* contact add: adds one, whose id goes to *id. */
extern const struct parameter contact_edit_of_new[];
enum status contact_edit_add(struct uuid *id, struct ctl *ctl);

/* contact edit: changes what is given. */
extern const struct parameter contact_edit_of_old[];
enum status contact_edit_change(const struct uuid *id, struct ctl *ctl);

/* Names the option with the owner in the sentence of a use case; returns status. */
enum status contact_edit_name_owner(struct ctl *ctl, enum status status);

#endif
