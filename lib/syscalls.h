/*
 * System calls that a process gives up for good, by a seccomp filter (seccomp(2)).
 *
 * Holds for this process and all that it forks later; each time it is used it can only
 * take away more. Three answers wait for a call that is not allowed:
 *
 *   - what nobody but an intruder would call here (executing a program, tracing another,
 *     loading code into the kernel) kills the process: no second try, and a trace in the log;
 *   - what a library may try and live without (a socket, a child, a signal) fails with EPERM;
 *   - all the rest, above all what newer kernels add, fails with ENOSYS, upon which the C
 *     library takes the older call.
 *
 * Built without libseccomp, nothing is filtered.
 */
#ifndef LIB_SYSCALLS_H
#define LIB_SYSCALLS_H

#include <stdbool.h>

#include "lib/status.h"

/* What a process needs beside memory, clocks, reading and writing open files. */
enum syscalls {
    SYSCALLS_SERVE = 1, /* accept connections, use those, pass them on */
    SYSCALLS_STORE = 2, /* lock and sync files, and cut them off */
    SYSCALLS_OWN_FILES =
        4,               /* set mode and owner of files that are open, and remove files */
    SYSCALLS_SYSLOG = 8, /* Unix datagram sockets, and connecting them */
    SYSCALLS_SUPERVISE = 16, /* fork, signal and reap children that confine themselves */
};

/* Whether the kernel filters system calls and this program was built to. */
bool syscalls_filterable(void);

/* Leaves this process the sets of enum syscalls named by sets. STATUS_OK without a filter,
 * too; STATUS_INTERNAL with why filled when it cannot be loaded. */
enum status syscalls_enter(unsigned sets, struct problem *why);

#endif
