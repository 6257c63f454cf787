/*
 * Gives up access to files, TCP and signals for good, by Landlock (landlock(7)).
 *
 * Holds for this process and all that it forks later; a further call can only take away
 * more. Open descriptors stay usable. The permissions of files apply as well. Landlock
 * checks opening: stat(2), access(2) and connecting to a Unix socket by its path remain
 * possible.
 */
#ifndef LIB_LANDLOCK_H
#define LIB_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/status.h"

enum landlock_access {
    LANDLOCK_READ = 1,
    LANDLOCK_WRITE = 2,   /* and truncate */
    LANDLOCK_MAKE = 4,    /* new regular files in this directory, and below */
    LANDLOCK_LIST = 8,    /* open the directory itself */
    LANDLOCK_REMOVE = 16, /* files in it, and below */
};

/* A file, or a directory with everything below it, now and later. */
struct landlock_path {
    const char *path;
    unsigned access; /* of enum landlock_access */
};

/* The version of Landlock that the kernel has; 0: none, or none at build time. */
int landlock_version(void);

/*
 * Leaves this process only what paths name (those that do not exist are left out). With
 * any_file it keeps every file that its user may read, write, make or remove, but may not
 * execute files or make devices and other special files. In both cases, as far as the
 * kernel supports it, the process can bind and connect to no TCP port, and can signal and
 * reach by abstract sockets only itself and what it forks. STATUS_OK without Landlock, too;
 * STATUS_INTERNAL with why filled when it fails.
 */
enum status landlock_enter(const struct landlock_path *paths, size_t count, bool any_file,
                           struct problem *why);

#endif
