/*
 * Contacts: people that an organization knows. One of its members owns each contact.
 *
 * Every function that writes a contact also keeps the index in which it is found, see
 * app/store/contact_words.h, in the same transaction.
 */
#ifndef APP_STORE_CONTACT_H
#define APP_STORE_CONTACT_H

#include "app/rules/contact_texts.h"
#include "lib/db.h"
#include "lib/uuid.h"

struct contact {
    int64_t number; /* by which other tables refer to it */
    int64_t place;  /* see app/store/contact_words.h; 0: none */
    struct uuid id;
    struct uuid org_id;
    struct uuid owner_id; /* a member of the same organization */
    struct span texts[CONTACT_TEXTS];
    struct uuid entity_id;   /* its company; zeros: not known */
    struct span entity_name; /* empty: not known */
    struct span entity_website;
    int64_t created_at_ms;
    int64_t updated_at_ms;
    int64_t erased_at_ms; /* 0: it was not; else all texts are empty */
};

/* As org_each in app/store/org.h. */
typedef enum status contact_each(void *arg, const struct contact *contact);

/* A contact with memory of its own for its texts. */
struct contact_copy {
    struct contact contact;
    char bytes[CONTACT_TEXTS_BYTES + CONTACT_ENTITY_BYTES];
};

/* A contact_each that copies; arg is the struct contact_copy. */
enum status contact_keep(void *copy, const struct contact *contact);

/* Adds it, and sets number and place. STATUS_EXISTS when the id is taken. The owner is an
 * active member of the organization: the caller has seen to it, in the same transaction. */
enum status contact_add(struct db *db, struct contact *contact);

/* Stores owner, texts, company and updated_at of a contact that was read, and sets its
 * place. before: as it was read, in the same transaction. */
enum status contact_update(struct db *db, struct contact *contact,
                           const struct contact *before);

/* Calls each (NULL: just looks) with that contact; STATUS_NOT_FOUND without a call. */
enum status contact_find(struct db *db, const struct uuid *id, contact_each *each,
                         void *arg);

/* The same by its place in contact_words. */
enum status contact_at(struct db *db, int64_t place, contact_each *each, void *arg);

/* Those of an organization whose id is greater than after (NULL: all), by id; none is
 * STATUS_OK. */
enum status contact_list(struct db *db, const struct uuid *org_id, const struct uuid *after,
                         contact_each *each, void *arg);

/* At most limit contacts with places from first to last, in their order: of an organization
 * the one changed last is the last. None is STATUS_OK. */
enum status contact_list_places(struct db *db, int64_t first, int64_t last, int64_t limit,
                                contact_each *each, void *arg);

/* Sets when a contact was made, which no other function changes. */
enum status contact_set_created(struct db *db, int64_t number, int64_t created_at_ms);

/* Gives a place to every contact that a database of an earlier schema has. */
enum status contact_place_all(struct db *db);

#endif
