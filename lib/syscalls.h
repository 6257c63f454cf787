/*
 * Gives up system calls for good, by a seccomp filter (seccomp(2)).
 *
 * Holds for this process and all that it forks later; a further call can only take away
 * more. A system call that is not allowed has one of three results:
 *
 *   - calls that only an attacker would make here (executing a program, tracing another,
 *     loading code into the kernel) kill the process, and the log shows it;
 *   - calls that a library may try and do without (a socket, a child, a signal) fail with
 *     EPERM;
 *   - all others, such as those that newer kernels add, and options of calls that are not
 *     used here, fail with ENOSYS, after which the C library uses an older call.
 *
 * Without SYSCALLS_SYSLOG a process can make no socket but a connected pair of streams. So
 * sendmsg, whose address a filter cannot see, reaches no other: streams take no address.
 *
 * Built without libseccomp, nothing is filtered.
 */
#ifndef LIB_SYSCALLS_H
#define LIB_SYSCALLS_H

#include <stdbool.h>

#include "lib/status.h"

/* Sets of calls beside those that every process has: memory, clocks, files. */
enum syscalls {
    SYSCALLS_SERVE = 1, /* accept connections, use them, pass them on */
    SYSCALLS_STORE = 2, /* lock, sync and make files */
    SYSCALLS_OWN_FILES =
        4,               /* set mode and owner of files that are open, and remove files */
    SYSCALLS_SYSLOG = 8, /* Unix datagram sockets, and connecting them */
    SYSCALLS_SUPERVISE = 16, /* fork, signal and reap children */
};

/* Whether the kernel filters system calls and this program was built to. */
bool syscalls_filterable(void);

/* Leaves this process the sets of enum syscalls named by sets. STATUS_OK without a filter,
 * too; STATUS_INTERNAL with why filled when it cannot be loaded. */
enum status syscalls_enter(unsigned sets, struct problem *why);

#endif
