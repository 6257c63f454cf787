/*
 * Organizations: the customers of the CRM. All other records belong to one of them.
 *
 * In all files of the store, functions that change something are called between
 * db_write_begin() and db_write_commit().
 */
#ifndef APP_STORE_ORG_H
#define APP_STORE_ORG_H

#include "lib/db.h"
#include "lib/uuid.h"

struct org {
    struct uuid id;
    struct span name; /* for people, need not be unique */
    int64_t created_at_ms;
};

/* A callback that gets a row, whose spans are valid during the call only. A list ends with
 * the first status that is not STATUS_OK and returns it, STATUS_NOT_FOUND as STATUS_OK. */
typedef enum status org_each(void *arg, const struct org *org);

/* STATUS_EXISTS when the id is taken. */
enum status org_add(struct db *db, const struct org *org);

/* Calls each (NULL: just looks) with that organization; STATUS_NOT_FOUND without a call. */
enum status org_find(struct db *db, const struct uuid *id, org_each *each, void *arg);

/* Those whose id is greater than after (NULL: all) by id; none is STATUS_OK. */
enum status org_list(struct db *db, const struct uuid *after, org_each *each, void *arg);

/* *changed is false when that was its name before, and when there is no such
 * organization. */
enum status org_rename(struct db *db, bool *changed, const struct uuid *id,
                       struct span name);

#endif
