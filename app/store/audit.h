/*
 * Changes by operators: one row for each change, written in the same transaction.
 */
#ifndef APP_STORE_AUDIT_H
#define APP_STORE_AUDIT_H

#include "lib/db.h"
#include "lib/uuid.h"

struct audit {
    struct uuid id;
    int64_t at_ms;
    struct span actor;          /* the user of the operating system */
    struct span action;         /* noun and verb, such as "contact assign" */
    const struct uuid *org_id;  /* NULL: of no organization */
    const struct uuid *subject; /* the id of what was changed; NULL: nothing that has one */
    struct span detail;         /* JSON; no secret, no note's text, nothing personal */
};

enum status audit_add(struct db *db, const struct audit *audit);

/* As org_each in app/store/org.h. */
typedef enum status audit_each(void *arg, const struct audit *audit);

/* The changes since that time, in milliseconds, the newest last; org_id NULL: of all
 * organizations and of none. None is STATUS_OK. */
enum status audit_list(struct db *db, const struct uuid *org_id, int64_t since_ms,
                       audit_each *each, void *arg);

#endif
