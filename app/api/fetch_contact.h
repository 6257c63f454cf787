/*
 * The call "Fetch Contact": a contact with its notes, company and further parts.
 */
#ifndef APP_API_FETCH_CONTACT_H
#define APP_API_FETCH_CONTACT_H

#include "app/api/call.h"

extern const struct call fetch_contact_call;

#endif
