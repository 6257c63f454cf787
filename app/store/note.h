/*
 * Notes with the origin of every version, as far as a viewer sees them.
 *
 * Reading only: notes are written by app/store/note_write.h.
 */
#ifndef APP_STORE_NOTE_H
#define APP_STORE_NOTE_H

#include "app/store/note_visible.h"
#include "lib/address.h"
#include "lib/db.h"
#include "lib/uuid.h"

/* Where a version came from. */
struct note_origin {
    struct address address; /* of the client; ADDRESS_NONE: not known */
    struct span country;    /* of the address, by libmaxminddb; empty: not known */
    struct span city;
    struct span network;
    struct uuid developer_key_id;
    struct span request_id;
};

/* One version of a note. */
struct note {
    struct uuid id;
    struct uuid contact_id;
    struct uuid author_id; /* the member who made the note; the same in all versions */
    struct span content;
    int64_t editable;      /* 0 or 1: by other members */
    int64_t visible;       /* 0 or 1: to other members */
    int64_t created_at_ms; /* of the note; the same in all versions */
    int64_t written_at_ms; /* of this version */
    struct uuid written_by;
    int64_t version;      /* from 1 */
    int64_t erased_at_ms; /* of all versions; 0: it was not; else the content is empty */
    struct note_origin origin;
};

/* As org_each in app/store/org.h. */
typedef enum status note_each(void *arg, const struct note *note);

/* Calls each with the present version of that note. STATUS_NOT_FOUND without a call where
 * there is none, or the viewer does not see it. */
enum status note_find(struct db *db, const struct uuid *id,
                      const struct note_viewer *viewer, note_each *each, void *arg);

/* The present versions of a contact's notes that were stored after that one (NULL: of all),
 * the oldest first; none is STATUS_OK. STATUS_NOT_FOUND: there is no note of that id. Walks
 * along all notes that are to come, of which it keeps the numbers. */
enum status note_list(struct db *db, const struct uuid *contact_id,
                      const struct note_viewer *viewer, const struct uuid *after,
                      note_each *each, void *arg);

/* All versions of a note, the oldest first and the present one last; as note_find. */
enum status note_history(struct db *db, const struct uuid *id,
                         const struct note_viewer *viewer, note_each *each, void *arg);

/* Ids of notes, both ends included. Ids made by uuid_make are in the order of time. */
struct note_range {
    struct uuid first, last;
};

/*
 * The versions that a request wrote, the oldest first; none is STATUS_OK. Reads all notes
 * in the range (NULL: all there are), since requests have no index, which every note would
 * have to pay for.
 */
enum status note_written_by(struct db *db, struct span request_id,
                            const struct note_range *range,
                            const struct note_viewer *viewer, note_each *each, void *arg);

#endif
