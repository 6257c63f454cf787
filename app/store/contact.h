/*
 * Contacts: people that an organization knows. One of its members owns each contact.
 */
#ifndef APP_STORE_CONTACT_H
#define APP_STORE_CONTACT_H

#include "lib/db.h"
#include "lib/uuid.h"

struct contact {
    struct uuid id;
    struct uuid org_id;
    struct uuid owner_id; /* a member of the same organization */
    struct span name;
    struct span email; /* empty: not known */
    struct span phone; /* empty: not known */
    int64_t created_at_ms;
    int64_t updated_at_ms;
};

/* As org_each in app/store/org.h. */
typedef enum status contact_each(void *arg, const struct contact *contact);

/* STATUS_EXISTS when the id is taken; STATUS_REFUSED when the owner is no active member of
 * the organization. */
enum status contact_add(struct db *db, const struct contact *contact);

/* Calls each (NULL: just looks) with that contact; STATUS_NOT_FOUND without a call. */
enum status contact_find(struct db *db, const struct uuid *id, contact_each *each,
                         void *arg);

/* Those of an organization by id; none is STATUS_OK. */
enum status contact_list(struct db *db, const struct uuid *org_id, contact_each *each,
                         void *arg);

/* Makes another member the owner. STATUS_REFUSED when that is no active member of the
 * contact's organization, or there is no such contact. */
enum status contact_assign(struct db *db, const struct uuid *id,
                           const struct uuid *owner_id, int64_t now_ms);

#endif
