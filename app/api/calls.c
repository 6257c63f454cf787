/* The calls that this program serves. */
#include "app/api/add_contacts_full.h"
#include "app/api/add_note.h"
#include "app/api/call.h"
#include "app/api/fetch_contact.h"
#include "app/api/fetch_identifiers.h"
#include "app/api/lookup_contact.h"
#include "app/api/openapi.h"
#include "app/api/reference.h"

const struct call *const calls[] = {
    &add_note_call,          &fetch_contact_call,     &lookup_contact_call,
    &add_contacts_full_call, &fetch_identifiers_call, &reference_call,
    &reference_style_call,   &reference_script_call,  &reference_icon_call,
    &reference_moved_call,   &openapi_call,
};

const size_t call_count = sizeof calls / sizeof calls[0];
