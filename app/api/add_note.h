/*
 * The call "Add Notes to Contact": creates a note on a contact or updates one.
 */
#ifndef APP_API_ADD_NOTE_H
#define APP_API_ADD_NOTE_H

#include "app/api/call.h"

extern const struct call add_note_call;

#endif
