/*
 * The use cases for organizations.
 */
#ifndef APP_MANAGE_MANAGE_ORG_H
#define APP_MANAGE_MANAGE_ORG_H

#include "app/manage/change.h"
#include "app/store/org.h"

struct new_org {
    const struct uuid *id; /* its id in another system; NULL: make a new one */
    struct span name;
};

/* Adds an organization; *out is the row, with the input's spans. STATUS_EXISTS when the id
 * is taken, STATUS_INVALID for a name that is no acceptable text. */
enum status manage_org_add(struct org *out, struct change *change,
                           const struct new_org *input, struct problem *why);

/* Gives an organization another name. STATUS_NOT_FOUND when there is no such organization,
 * STATUS_INVALID as manage_org_add(). */
enum status manage_org_rename(struct change *change, const struct uuid *id,
                              struct span name, struct problem *why);

#endif
