/*
 * The sandbox: what each process of the service may do, even after an attacker took it
 * over.
 *
 *   master  takes no request: forks, signals and reaps; no programs, sockets or devices
 *   worker  accepts and answers; reads the database, writes SQLite's index of the WAL
 *           (-shm), which readers need, and the log
 *   writer  writes the database, its -wal, -shm and .lock, and the log; no connections
 *   single  both of the last two, and reads configuration and key again on HUP
 *
 * Landlock and a filter of system calls enforce it; see lib/landlock.h and lib/syscalls.h.
 */
#ifndef APP_PROCESS_SANDBOX_H
#define APP_PROCESS_SANDBOX_H

#include <stdbool.h>

#include "app/settings.h"

enum role { ROLE_MASTER, ROLE_WORKER, ROLE_WRITER, ROLE_MONITOR, ROLE_SINGLE };

struct sandbox {
    const struct settings *settings; /* outlive the process */
    const char *config; /* the file that they come from, or NULL; ROLE_SINGLE keeps it */
    const char *socket; /* the path that ROLE_SINGLE removes at its end, or NULL */
};

/*
 * Enters the sandbox for good, unless settings->sandbox is off. To be called before the
 * process opens the database or reads from a client, once in a process; for ROLE_SINGLE a
 * further call has no effect.
 */
enum status sandbox_enter(enum role role, const struct sandbox *sandbox,
                          struct problem *why);

/* Logs what the kernel or the build lacks for it. Once, at the start. */
void sandbox_report(const struct settings *settings);

/*
 * True when the database's files were replaced since this worker or writer entered the
 * sandbox, which allows the former ones only; for a worker also when a link leads to a geo
 * file in another directory than it may read. Then the process should end, so that the
 * master forks one that can use the new ones. False while there is no file at that path. To
 * be called when the database is, or must be, opened anew, or a geo file cannot be used.
 */
bool sandbox_outdated(void);

#endif
