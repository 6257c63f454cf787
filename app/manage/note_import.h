/*
 * The use case of importing notes, version by version.
 *
 * A row is a version of a note: the first one adds the note, in its place among those of
 * its contact by created_at; each further one must follow the present one. One that is
 * there already must be as it is in the row: then nothing changes, else the row is refused.
 * So importing a file again, to its end or after a part of it, gives the same notes. A row
 * without an id is recognized by its content: the id is a hash of it.
 *
 * Notes need a developer key. One that is not here any more is added with its id, revoked
 * and with a secret that nobody knows; notes that came by none get such a key of their
 * organization, whose name is "import".
 */
#ifndef APP_MANAGE_NOTE_IMPORT_H
#define APP_MANAGE_NOTE_IMPORT_H

#include "app/manage/import.h"
#include "app/store/note_place.h"

struct note_import {
    /* The caller fills these. */
    struct db *db;
    const struct uuid *org_id; /* NULL: of any organization */
    const struct uuid *devkey; /* of notes that name none; NULL: see above */
    size_t max_note_bytes;
    bool dry; /* only say what would become of the rows */
    int64_t now_ms;

    struct import_members members;
    struct note_place place;
    struct uuid refused;      /* the note of the row before, if that was refused */
    struct uuid known_devkey; /* one that exists, of known_org */
    struct uuid known_org;
};

/* A version of a note, as far as the row says. */
struct note_row {
    bool has_id, has_origin, has_devkey, has_address;
    struct uuid id;
    struct uuid contact_id;
    struct span author;     /* the id or e-mail address of a member */
    struct span written_by; /* likewise; empty: the author */
    struct span content;
    int64_t editable, visible;            /* 0 or 1; -1: not given, which means 0 */
    int64_t created_at_ms, updated_at_ms; /* or IMPORT_NO_DATE */
    int64_t version;                      /* 0: not given, which means 1 */
    struct note_origin origin;            /* where has_origin; has_devkey: its key */
};

/* As contact_import_row. */
enum status note_import_row(enum import_outcome *out, struct note_import *import,
                            const struct note_row *row, struct problem *why);

#endif
