/*
 * How much of everything the database holds.
 */
#ifndef APP_STORE_SUMMARY_H
#define APP_STORE_SUMMARY_H

#include "lib/db.h"

/* Numbers of rows. */
struct summary {
    int64_t orgs;
    int64_t members;
    int64_t api_keys;
    int64_t developer_keys;
    int64_t contacts;
    int64_t notes;
};

/* Counts; reads an index of each table from end to end. */
enum status summary_get(struct db *db, struct summary *out);

/* Whether there is any organization. */
enum status summary_has_orgs(struct db *db, bool *has_orgs);

/* Whether there is any API or developer key that is not revoked: that needs its key file. */
enum status summary_has_keys(struct db *db, bool *has_keys);

#endif
