/*
 * A lock between processes: flock(2) on a file of its own.
 *
 * The kernel wakes whoever waits when the lock is released, so nobody polls and nobody
 * starves. The lock falls with the process that holds it. Open it after fork: parent and
 * child would share it.
 */
#ifndef LIB_LOCK_H
#define LIB_LOCK_H

#include "lib/status.h"

struct lock;

/*
 * Opens or makes the lock file. like_path names a file whose owner and group a new lock
 * file gets when root makes it, so that what root does once does not shut out the service;
 * NULL for none.
 */
enum status lock_open(struct lock **out, const char *path, const char *like_path,
                      struct problem *why);

/* NULL is allowed. Releases the lock when it is held. */
void lock_close(struct lock *lock);

/* Waits at most timeout_ms for the lock. STATUS_BUSY when that time is over. Uses SIGALRM
 * and ITIMER_REAL while it waits. */
enum status lock_take(struct lock *lock, int timeout_ms);

void lock_release(struct lock *lock);

#endif
