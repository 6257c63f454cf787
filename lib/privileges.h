/*
 * Changes to the user that a process serves as, and protects a process that holds secrets.
 */
#ifndef LIB_PRIVILEGES_H
#define LIB_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/status.h"

enum {
    PRIVILEGES_NAME_BYTES = 64, /* of a user's or group's name, with its NUL */
};

struct identity {
    char user[PRIVILEGES_NAME_BYTES];
    uid_t uid;
    gid_t gid;
};

/* The user of that name, with the group of that name or, where group is empty, with the
 * user's own. STATUS_CONFIG with why filled: there is none, or the user is root. */
enum status privileges_find(struct identity *out, const char *user, const char *group,
                            struct problem *why);

/* The number of a group, for the option of that name. STATUS_CONFIG with why filled: there
 * is no such group. */
enum status privileges_find_group(gid_t *out, const char *option, const char *group,
                                  struct problem *why);

/*
 * Becomes identity for good, with its user's supplementary groups in place of root's, and
 * checks that there is no way back. Only root can do this. STATUS_INTERNAL with why filled:
 * it failed, and the process must end.
 */
enum status privileges_drop(const struct identity *identity, struct problem *why);

/* Forbids core files, tracing by other processes of the same user, and gaining rights by
 * executing setuid programs. Once at the start, and after privileges_drop. */
void privileges_harden(void);

/* Sets how many descriptors this process and its children may have: wanted, or what the
 * hard limit allows. The hard limit becomes the same. */
void privileges_limit_descriptors(size_t wanted);

/*
 * Whether this process's user may use the file that way: mode as for access(2). STATUS_OK
 * for a file that does not exist. STATUS_CONFIG with why filled: it may not; why names file
 * and user.
 */
enum status privileges_check(const char *path, int mode, struct problem *why);

#endif
