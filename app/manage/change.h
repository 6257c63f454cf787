/*
 * A change by an operator: one transaction, with its row of the audit.
 *
 * The use cases of app/manage run between change_begin() and change_end(), the only place
 * where such a transaction begins and ends, but for imports (app/manage/bulk.h). Either the
 * change and its audit row are on the disk afterwards, or neither. A use case that has
 * nothing to change, because everything is as it was asked for, writes no row.
 *
 * It does not matter how the operator asked: crmnotesctl is one caller, a console can be
 * another.
 */
#ifndef APP_MANAGE_CHANGE_H
#define APP_MANAGE_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/span.h"
#include "lib/status.h"
#include "lib/uuid.h"

enum {
    CHANGE_ACTION_BYTES = 64, /* with the closing NUL */
};

/* The caller fills the first part. Everything is borrowed until change_end(). */
struct change {
    struct db *db;      /* open for writing */
    int64_t now_ms;     /* the time of the change and of all rows that it adds */
    struct span actor;  /* the name of the operator for the audit */
    struct span detail; /* the request, a JSON object without secrets, note texts, and what
                         * names or reaches a person */

    /* The change that was made, filled by change_made(). */
    struct {
        bool done;
        bool has_org, has_subject;
        char action[CHANGE_ACTION_BYTES];
        struct uuid org_id;
        struct uuid subject;
    } made;
};

/* Begins the transaction; waits up to 30 seconds for other writers. As db_write_begin: on
 * failure nothing is held, and change_end() must not be called. */
enum status change_begin(struct change *change);

/*
 * Records the change for the audit: the action as noun and verb, the organization that it
 * belongs to (NULL: none) and the id of the subject (NULL: it has none). Called by the use
 * cases; of several calls the last one counts. May be called before change_begin().
 */
void change_made(struct change *change, const char *action, const struct uuid *org_id,
                 const struct uuid *subject);

/*
 * Ends the transaction. Where status, which the use case returned, is STATUS_OK and
 * something was changed, adds the row of the audit and commits; else rolls back. Returns
 * status, or what adding or committing returned (as db_write_commit).
 */
enum status change_end(struct change *change, enum status status);

#endif
