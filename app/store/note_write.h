/*
 * Writing notes: the one place where that happens, whoever asks and however it got here.
 *
 * note_check is rows 9 to 13 of the order in which a request is checked. A worker calls it
 * as a filter, so that mistakes never reach the write lock; note_write checks everything
 * again, keys and addresses included, inside the transaction, and its word is the law.
 */
#ifndef APP_STORE_NOTE_WRITE_H
#define APP_STORE_NOTE_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "app/api/error.h"
#include "app/store/access.h"
#include "lib/db.h"
#include "lib/geo.h"
#include "lib/span.h"
#include "lib/uuid.h"

enum {
    REQUEST_ID_BYTES = 65,       /* with the closing NUL */
    IDEMPOTENCY_KEY_BYTES = 256, /* likewise */
};

/* An id as a caller wrote it. What is no UUID is the id of nothing. */
struct given_id {
    bool given;   /* false: absent, null or empty */
    bool is_uuid; /* uuid is valid */
    struct uuid uuid;
};

/* A flag as a caller wrote it. */
enum given_flag { FLAG_NOT_SENT = -1, FLAG_OFF = 0, FLAG_ON = 1 };

/* Everything needed to write one note. */
struct note_command {
    struct credentials credentials;
    struct given_id org_id, member_id, contact_id;
    struct given_id note_id; /* given: update that note */
    bool uniform_errors;     /* contacts of other organizations count as not existing */
    struct span content;     /* UTF-8 without U+0000 */
    enum given_flag editable, visible;
    struct uuid new_note_id; /* for a note that is created */
    int64_t now_ms;          /* milliseconds since 1970, UTC */
    struct geo_tags tags;    /* of credentials.address */
    char request_id[REQUEST_ID_BYTES];
    char idempotency_key[IDEMPOTENCY_KEY_BYTES]; /* empty: none was sent */
    struct secret_hash fingerprint;              /* of the fields, when there is one */
};

/* What has become of it. */
struct note_result {
    enum error refusal;   /* after STATUS_REFUSED */
    bool replayed;        /* nothing was written: it had been, by the same request */
    struct former former; /* as access_check found it */
    struct uuid note_id;
    int editable, visible; /* 0 or 1, as they are now (when replayed: as they were) */
};

/* Rows 9 to 13. STATUS_OK, STATUS_REFUSED with *refusal, or what the database said. */
enum status note_check(enum error *refusal, struct db *db, const struct caller *caller,
                       const struct note_command *command);

/* Checks everything and writes the note. Inside a writing transaction, which the caller
 * commits. After STATUS_REFUSED nothing has been written; after any other failure half a note
 * may have been, and the transaction must be rolled back. */
enum status note_write(struct note_result *result, struct db *db,
                       const struct note_command *command);

#endif
