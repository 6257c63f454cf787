/*
 * Rules for names, e-mail addresses and telephone numbers.
 *
 * Used by every program that lets an operator enter them. STATUS_INVALID comes with a
 * sentence that begins with "must …"; the caller puts the name of the field before it.
 */
#ifndef APP_RULES_TEXT_RULES_H
#define APP_RULES_TEXT_RULES_H

#include "lib/span.h"
#include "lib/status.h"

enum {
    NAME_MAX_BYTES = 200,
    EMAIL_MAX_BYTES = 254,
    PHONE_MAX_BYTES = 64,
    WEBSITE_MAX_BYTES = 254,
};

/* UTF-8 without control characters (C0, DEL, C1), at most NAME_MAX_BYTES, not blank. */
enum status text_rules_name(struct span text, struct problem *why);

/* The same with PHONE_MAX_BYTES; people write telephone numbers in many ways. */
enum status text_rules_phone(struct span text, struct problem *why);

/* The same with WEBSITE_MAX_BYTES. */
enum status text_rules_website(struct span text, struct problem *why);

/* The same with EMAIL_MAX_BYTES, and of the form something@something without blanks. */
enum status text_rules_email(struct span text, struct problem *why);

#endif
