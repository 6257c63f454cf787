/*
 * The use case of importing contacts, row by row.
 *
 * A row changes the contact that it is about, or adds one. It is about the contact with
 * its id, or with its e-mail address, see enum contact_import_match. One without both is
 * recognized by its content: the new contact's id is a hash of it, so that the same row
 * again changes nothing. Importing a file again, as a whole or in part, therefore
 * gives the same contacts.
 *
 * An empty cell says nothing: of a contact that is there the field stays as it is.
 */
#ifndef APP_MANAGE_CONTACT_IMPORT_H
#define APP_MANAGE_CONTACT_IMPORT_H

#include "app/manage/contact_fields.h"
#include "app/manage/import.h"
#include "app/store/contact.h"

enum contact_import_match {
    CONTACT_IMPORT_BY_ANY,   /* by id where the row has one, else by e-mail address */
    CONTACT_IMPORT_BY_EMAIL, /* ids are for new contacts only */
    CONTACT_IMPORT_BY_ID,
};

struct contact_import {
    /* The caller fills these. */
    struct db *db;
    const struct uuid *org_id; /* NULL: each row names its organization */
    struct span owner;         /* of new contacts whose row names none; empty: none */
    enum contact_import_match match;
    bool dry; /* only say what would become of the rows */
    int64_t now_ms;

    struct import_members members;
    struct contact_copy before; /* the contact that a row is about */
    struct uuid row_org;        /* the row's organization */
    struct uuid known_org;      /* one that exists; zeros: none is known yet */
};

/* The cells of a row by their fields; empty: the row does not say. */
struct contact_row {
    struct span cells[CONTACT_FIELDS];
};

/*
 * Imports a row: between bulk_begin and bulk_end or, where it is a dry run, in a reading
 * transaction. STATUS_OK: *out says what has become of it; why says why it was refused.
 * Anything else is a failure, after which the transaction must be rolled back.
 */
enum status contact_import_row(enum import_outcome *out, struct contact_import *import,
                               const struct contact_row *row, struct problem *why);

#endif
