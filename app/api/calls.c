/* The calls that this program serves. */
#include "app/api/add_note.h"
#include "app/api/call.h"

const struct call *const calls[] = {
    &add_note_call,
};

const size_t call_count = sizeof calls / sizeof calls[0];
