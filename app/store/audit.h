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

/* Which changes are listed. */
struct audit_filter {
    const struct uuid *org_id; /* NULL: those of all organizations and of none */
    int64_t since_ms;          /* the time of the first one */
};

/* The changes after the one of that id (NULL: all), the newest last; none is STATUS_OK.
 * STATUS_NOT_FOUND: there is no change of that id. */
enum status audit_list(struct db *db, const struct audit_filter *filter,
                       const struct uuid *after, audit_each *each, void *arg);

#endif
