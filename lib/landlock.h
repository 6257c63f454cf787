/*
 * Files, TCP and signals that a process gives up for good, by Landlock (landlock(7)).
 *
 * Holds for this process and all that it forks later; each time it is used it can only
 * take away more. What is open already stays usable. It is a second fence behind the
 * permissions of files, which it never widens. Opening is what it judges: stat(2),
 * access(2) and connecting to a Unix socket by its path remain possible.
 */
#ifndef LIB_LANDLOCK_H
#define LIB_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/status.h"

enum landlock_access {
    LANDLOCK_READ = 1,
    LANDLOCK_WRITE = 2,   /* and cut off */
    LANDLOCK_MAKE = 4,    /* new regular files in this directory, and below */
    LANDLOCK_LIST = 8,    /* open the directory itself */
    LANDLOCK_REMOVE = 16, /* files in it, and below */
};

/* A file, or a directory with all that is beneath it, now and later. */
struct landlock_path {
    const char *path;
    unsigned access; /* of enum landlock_access */
};

/* The version of Landlock that the kernel has; 0: none, or none at build time. */
int landlock_version(void);

/*
 * Leaves this process only what paths name (those that do not exist are left out); with
 * any_file instead every file that its user may read, write, make or remove, but nothing
 * that could be executed, no devices and no other special files. In both cases, as far as the
 * kernel knows to: no TCP port is bound or connected to, and no process outside of this one
 * and those that it forks gets a signal or is reached by an abstract socket.
 * STATUS_OK without Landlock, too; STATUS_INTERNAL with why filled when it fails.
 */
enum status landlock_enter(const struct landlock_path *paths, size_t count, bool any_file,
                           struct problem *why);

#endif
