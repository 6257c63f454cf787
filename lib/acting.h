/*
 * For root: using files of other users with their rights and not its own.
 *
 * A user who can change a directory can put a link to a file of another user there. Root
 * would follow it, so root acts as that user while it uses such a file. Only the effective
 * ids change: processes of that user can neither signal nor trace this one, and it can be
 * root again.
 *
 * In a process of another user, and of root with its own directories, nothing changes.
 */
#ifndef LIB_ACTING_H
#define LIB_ACTING_H

#include <sys/types.h>

#include "lib/status.h"

/* For messages about EACCES. */
#define ACTING_ADVICE                                                                      \
    ": it must belong to the owner of its directory, as which root opens it"

struct acting {
    uid_t uid;
    gid_t gid;
};

/*
 * Finds whom to act as for the file at path, which need not exist: the owner of the first
 * directory or link on the way to it that does not belong to root, with that one's group.
 * In sticky directories such as /tmp, links of others count.
 */
void acting_find(struct acting *out, const char *path);

/*
 * Acts as that user, with gid as its only group, until the next call. Any number of
 * times. STATUS_INTERNAL with why filled: it failed; the process must end.
 */
enum status acting_as(const struct acting *who, struct problem *why);

/* Acts as this process did at first. */
enum status acting_as_before(struct problem *why);

#endif
