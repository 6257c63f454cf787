/*
 * The texts of a contact, by their numbers: how they are called where, and what they may
 * be.
 */
#ifndef APP_RULES_CONTACT_TEXTS_H
#define APP_RULES_CONTACT_TEXTS_H

#include "app/rules/text_rules.h"
#include "lib/span.h"

enum contact_text {
    CONTACT_NAME,
    CONTACT_FIRST_NAME,
    CONTACT_LAST_NAME,
    CONTACT_ROLE_LABEL,
    CONTACT_PRIMARY_EMAIL,
    CONTACT_SECONDARY_EMAIL,
    CONTACT_PRIMARY_PHONE,
    CONTACT_SECONDARY_PHONE,
    CONTACT_TEXTS, /* how many there are */
};

enum {
    /* the most that all texts of a contact have together */
    CONTACT_TEXTS_BYTES = 4 * NAME_MAX_BYTES + 2 * EMAIL_MAX_BYTES + 2 * PHONE_MAX_BYTES,
    CONTACT_ENTITY_BYTES = NAME_MAX_BYTES + WEBSITE_MAX_BYTES,
};

/* What each text must be: a function of app/rules/text_rules.h. */
typedef enum status contact_text_rule(struct span text, struct problem *why);
extern contact_text_rule *const contact_text_rules[CONTACT_TEXTS];

#endif
