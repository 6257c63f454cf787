/*
 * The call "Lookup Contact": the contact that fits a text best, with the notes that all
 * see.
 */
#ifndef APP_API_LOOKUP_CONTACT_H
#define APP_API_LOOKUP_CONTACT_H

#include "app/api/call.h"

extern const struct call lookup_contact_call;

#endif
