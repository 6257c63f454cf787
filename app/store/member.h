/*
 * Members: the people of an organization, who own contacts and write notes.
 */
#ifndef APP_STORE_MEMBER_H
#define APP_STORE_MEMBER_H

#include "lib/db.h"
#include "lib/uuid.h"

struct member {
    struct uuid id;
    struct uuid org_id;
    struct span name;
    struct span email; /* empty: not known */
    bool active;       /* false: counts as absent for all calls */
    int64_t created_at_ms;
    int64_t erased_at_ms; /* 0: it was not */
};

/* As org_each in app/store/org.h. */
typedef enum status member_each(void *arg, const struct member *member);

/* STATUS_EXISTS when the id is taken; STATUS_INVALID when there is no such organization. */
enum status member_add(struct db *db, const struct member *member);

/* Calls each (NULL: just looks) with that member; STATUS_NOT_FOUND without a call. */
enum status member_find(struct db *db, const struct uuid *id, member_each *each, void *arg);

/* Those of an organization whose id is greater than after (NULL: all), by id; none is
 * STATUS_OK. */
enum status member_list(struct db *db, const struct uuid *org_id, const struct uuid *after,
                        member_each *each, void *arg);

/* *changed is false when it was so before, and when there is no such member. */
enum status member_set_active(struct db *db, bool *changed, const struct uuid *id,
                              bool active);

/* What to change of a member; NULL: it stays. */
struct member_edit {
    const struct span *name;  /* not empty */
    const struct span *email; /* empty: not known any more */
};

/* *changed is false when it was so before, and when there is no such member. */
enum status member_update(struct db *db, bool *changed, const struct uuid *id,
                          const struct member_edit *edit);

#endif
