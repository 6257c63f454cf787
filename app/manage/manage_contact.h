/*
 * The use cases for contacts.
 */
#ifndef APP_MANAGE_MANAGE_CONTACT_H
#define APP_MANAGE_MANAGE_CONTACT_H

#include "app/manage/change.h"
#include "app/store/contact.h"

struct new_contact {
    const struct uuid *id; /* its id in another system; NULL: make a new one */
    struct uuid org_id;
    struct uuid owner_id;
    struct span name;
    struct span email; /* empty: not known */
    struct span phone; /* empty: not known */
};

/* Adds a contact; *out is the row, with the input's spans. STATUS_NOT_FOUND when there is
 * no such organization, STATUS_REFUSED when the owner is no active member of it,
 * STATUS_EXISTS when the id is taken, STATUS_INVALID for a text that is not acceptable. */
enum status manage_contact_add(struct contact *out, struct change *change,
                               const struct new_contact *input, struct problem *why);

/* Makes another member the owner, or does nothing when that is the owner already.
 * STATUS_NOT_FOUND when there is no such contact, STATUS_REFUSED when the owner is no
 * active member of the contact's organization. */
enum status manage_contact_assign(struct change *change, const struct uuid *id,
                                  const struct uuid *owner_id, struct problem *why);

#endif
