/*
 * The call "Add Contacts Full": adds a contact or changes the one that is found, with its
 * company.
 */
#ifndef APP_API_ADD_CONTACTS_FULL_H
#define APP_API_ADD_CONTACTS_FULL_H

#include "app/api/call.h"

extern const struct call add_contacts_full_call;

#endif
