/*
 * The use cases for contacts.
 */
#ifndef APP_MANAGE_MANAGE_CONTACT_H
#define APP_MANAGE_MANAGE_CONTACT_H

#include "app/manage/change.h"
#include "app/rules/contact_texts.h"
#include "app/rules/given.h"
#include "app/store/contact.h"

/* What is said about a contact: what is not given stays as it is, and an empty text means
 * that there is none. */
struct contact_edit {
    struct given_id owner;
    struct given_text texts[CONTACT_TEXTS];
    struct given_text entity_name;    /* its company */
    struct given_text entity_website; /* of that company, and so of all its contacts */
};

struct new_contact {
    const struct uuid *id; /* its id in another system; NULL: make a new one */
    struct uuid org_id;
    struct contact_edit fields; /* with an owner */
};

/* Adds a contact, whose id goes to *id. STATUS_NOT_FOUND when there is no such
 * organization, STATUS_REFUSED when the owner is no active member of it, STATUS_EXISTS when
 * the id is taken, STATUS_INVALID for a text that is not acceptable, or a contact without
 * any of name, first name and e-mail address. */
enum status manage_contact_add(struct uuid *id, struct change *change,
                               const struct new_contact *input, struct problem *why);

/* Changes what edit gives, or does nothing when all of it is so already. The name follows
 * first and last name as in app/rules/contact_rules.h. Failures as above, and
 * STATUS_NOT_FOUND when there is no such contact. */
enum status manage_contact_edit(struct change *change, const struct uuid *id,
                                const struct contact_edit *edit, struct problem *why);

/* Makes another member the owner, or does nothing when that is the owner already.
 * STATUS_NOT_FOUND when there is no such contact, STATUS_REFUSED when the owner is no
 * active member of the contact's organization. */
enum status manage_contact_assign(struct change *change, const struct uuid *id,
                                  const struct uuid *owner_id, struct problem *why);

#endif
