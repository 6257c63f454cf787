/*
 * Organizations: the customers of the CRM, to one of which everything else belongs.
 *
 * Functions that change something are called inside db_write_begin … db_write_commit; that
 * holds for all files of the store.
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

/* Gets a row, whose spans are valid during the call only. Anything but STATUS_OK (and not
 * STATUS_NOT_FOUND) ends a list and is what the list answers. */
typedef enum status org_each(void *arg, const struct org *org);

/* STATUS_EXISTS when the id is taken. */
enum status org_add(struct db *db, const struct org *org);

/* Calls each (NULL: just looks) with that organization; STATUS_NOT_FOUND without a call. */
enum status org_find(struct db *db, const struct uuid *id, org_each *each, void *arg);

/* All of them by id; none is STATUS_OK. */
enum status org_list(struct db *db, org_each *each, void *arg);

#endif
