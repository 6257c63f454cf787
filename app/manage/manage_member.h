/*
 * The use cases for members.
 */
#ifndef APP_MANAGE_MANAGE_MEMBER_H
#define APP_MANAGE_MANAGE_MEMBER_H

#include "app/manage/change.h"
#include "app/store/member.h"

struct new_member {
    const struct uuid *id; /* its id in another system; NULL: make a new one */
    struct uuid org_id;
    struct span name;
    struct span email; /* empty: not known */
};

/* Adds an active member; *out is the row, with the input's spans. STATUS_NOT_FOUND when
 * there is no such organization, STATUS_EXISTS when the id is taken, STATUS_INVALID for a
 * text that is not acceptable. */
enum status manage_member_add(struct member *out, struct change *change,
                              const struct new_member *input, struct problem *why);

/* Activates or deactivates a member, whose API keys count as absent while it is not active.
 * STATUS_NOT_FOUND when there is no such member. */
enum status manage_member_set_active(struct change *change, const struct uuid *id,
                                     bool active, struct problem *why);

/* Changes what edit names. STATUS_NOT_FOUND when there is no such member, STATUS_INVALID as
 * manage_member_add(). */
enum status manage_member_edit(struct change *change, const struct uuid *id,
                               const struct member_edit *edit, struct problem *why);

#endif
