/*
 * A lock between processes: flock(2) on a file of its own.
 *
 * Processes that wait for it are queued in the kernel, so that they neither poll nor
 * starve. It is released when the process that holds it ends. Open it after fork: a lock
 * that was open before belongs to parent and child together.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include <stdbool.h>

#include "lib/status.h"

struct lock;

/*
 * Opens the lock file, or makes it. When root makes it, it gets the owner and group of the
 * file like_path (NULL for none), so that the service can use it, too.
 */
enum status lock_open(struct lock **out, const char *path, const char *like_path,
                      struct problem *why);

/* NULL is allowed. Releases the lock when it is held. */
void lock_close(struct lock *lock);

/* Waits at most timeout_ms for the lock; then STATUS_BUSY. NULL: there is none to wait for.
 * Uses SIGALRM and ITIMER_REAL while it waits, and restores them. */
enum status lock_take(struct lock *lock, int timeout_ms);

/* NULL is allowed. */
void lock_release(struct lock *lock);

/*
 * The file also says whether a program is running that uses what the lock is for. That is
 * independent of the lock.
 */

/* Says that this process, and those that it forks from now on, are users until they end or
 * close the lock. */
enum status lock_add_user(struct lock *lock);

/* Whether the lock file at path has users, this process included. False where there is no
 * such file. */
bool lock_has_users(const char *path);

#endif
