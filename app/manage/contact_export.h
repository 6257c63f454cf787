/*
 * The use case of exporting contacts, such that an import of them into an empty database
 * gives the same contacts, and another export of these the same bytes.
 *
 * Contacts are read in pages, each in a transaction of its own. One that is changed
 * meanwhile may come twice, the second time as it is then; none is left out.
 */
#ifndef APP_MANAGE_CONTACT_EXPORT_H
#define APP_MANAGE_CONTACT_EXPORT_H

#include "app/manage/contact_fields.h"
#include "app/store/contact.h"

struct contact_export {
    struct db *db;
    int64_t next, last; /* places: of the next contact, and the last that there can be */
};

/* Begins with the first contact, the one changed first, of an organization or, with NULL,
 * of all. STATUS_NOT_FOUND with why: there is no such organization. */
enum status contact_export_begin(struct contact_export *out, struct db *db,
                                 const struct uuid *org_id, struct problem *why);

/* Calls each with the contacts of the next page; *count is their number, 0 at the end. */
enum status contact_export_page(int64_t *count, struct contact_export *export,
                                contact_each *each, void *arg);

enum {
    CONTACT_CELL_TEXTS_BYTES = 256, /* of ids and dates as text */
};

/* The cells of a contact, by their fields. texts has the memory for what is no text in the
 * contact itself. */
void contact_export_cells(struct span out[CONTACT_FIELDS],
                          char texts[CONTACT_CELL_TEXTS_BYTES],
                          const struct contact *contact);

#endif
