/*
 * The use case of setting up: an organization with a member, a contact, and the keys that
 * a program needs to add a note to it. All of it is one change.
 */
#ifndef APP_MANAGE_MANAGE_SETUP_H
#define APP_MANAGE_MANAGE_SETUP_H

#include <stdbool.h>

#include "app/manage/change.h"
#include "app/manage/manage_key.h"
#include "app/store/member.h"
#include "app/store/org.h"

struct new_setup {
    struct span org;
    struct span member;
    struct span email;   /* the member's; empty: not known */
    struct span contact; /* of which the member is the owner */
    struct span program; /* who uses the developer key */
    struct named_blocks allow;
    const struct key_secret *api_key; /* the member's */
    const struct key_secret *developer_secret;
    bool another; /* there may be organizations already */
};

/* What was made, with the input's spans. */
struct setup {
    struct org org;
    struct member member;
    struct uuid contact_id;
    struct key_result api_key;
    struct key_result developer_key;
};

/* STATUS_EXISTS when the database has an organization and another is false; for a caller
 * that wants to know before it asks a person. */
enum status manage_setup_check(struct db *db, bool another, struct problem *why);

/* STATUS_EXISTS as manage_setup_check(). Otherwise fails as the use cases of which it
 * consists; the transaction must be rolled back then. */
enum status manage_setup(struct setup *out, struct change *change,
                         const struct new_setup *input, struct problem *why);

#endif
