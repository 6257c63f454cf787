/*
 * The index in which contacts are found by their texts (app/rules/contact_words.h).
 *
 * A contact that is changed gets a new place behind all others of its organization. So the
 * one that was changed last comes first when places are read from the end, and the first
 * match is found without reading the others.
 */
#ifndef APP_STORE_CONTACT_INDEX_H
#define APP_STORE_CONTACT_INDEX_H

#include "app/rules/contact_words.h"
#include "app/store/contact.h"
#include "lib/db.h"

/* Sets the contact's place to the next one of its organization. Inside a writing
 * transaction. */
enum status contact_index_place(struct db *db, struct contact *contact);

/* Puts the contact into the index at its place; the caller stores it with the contact. */
enum status contact_index_add(struct db *db, const struct contact *contact);

/* Takes the contact, as it was read, out of the index. */
enum status contact_index_remove(struct db *db, const struct contact *contact);

/* The places of an organization's contacts, both ends included; STATUS_NOT_FOUND: it has
 * had none. */
enum status contact_index_range(int64_t *first, int64_t *last, struct db *db,
                                const struct uuid *org_id);

/*
 * Brings the index together, so that what was taken out of it is in none of its parts. Does
 * a part of that, of a few megabytes; *done: it was the last one. first: begins anew. Each
 * call in a writing transaction of its own.
 */
enum status contact_index_merge(struct db *db, bool first, bool *done);

/*
 * Calls each with every contact of the organization that fits, the best first (see enum
 * contact_match; before all others the one that has text as its id), and among equals the
 * one that was changed last. What each returns is as for db_each. text has at most
 * CONTACT_QUERY_MAX_BYTES. No match is STATUS_OK.
 */
enum status contact_index_search(struct db *db, const struct uuid *org_id, struct span text,
                                 contact_each *each, void *arg);

/* The same with those only that have the text as whole e-mail address (MATCH_EMAIL) or
 * whose telephone number has its digits (MATCH_PHONE). */
enum status contact_index_whole(struct db *db, const struct uuid *org_id,
                                enum contact_match kind, struct span text,
                                contact_each *each, void *arg);

#endif
