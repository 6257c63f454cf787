/*
 * The columns of files with contacts, as contact export writes and contact import reads
 * them.
 */
#ifndef APP_MANAGE_CONTACT_FIELDS_H
#define APP_MANAGE_CONTACT_FIELDS_H

#include "app/rules/contact_texts.h"
#include "lib/span.h"

enum contact_field {
    CONTACT_FIELD_ORG,
    CONTACT_FIELD_ID,
    CONTACT_FIELD_OWNER,
    CONTACT_FIELD_TEXTS, /* from here on the texts, in the order of enum contact_text */
    CONTACT_FIELD_ENTITY_NAME = CONTACT_FIELD_TEXTS + CONTACT_TEXTS,
    CONTACT_FIELD_ENTITY_WEBSITE,
    CONTACT_FIELD_CREATED,
    CONTACT_FIELD_UPDATED,
    CONTACT_FIELDS, /* how many there are */
};

extern const char *const contact_field_names[CONTACT_FIELDS];

/* The field of that name; CONTACT_FIELDS: none has it. */
enum contact_field contact_field_find(struct span name);

#endif
