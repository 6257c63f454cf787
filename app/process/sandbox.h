/*
 * What each process of the service may do, whatever a request makes of it.
 *
 *   master  serves nothing: forks, signals and reaps; no programs, sockets or devices
 *   worker  accepts and answers; reads the database, writes SQLite's index of the WAL
 *           (-shm), which readers need, and the log
 *   writer  writes the database, its -wal, -shm and .lock, and the log; no connections
 *   single  both of the last two, and reads configuration and key again on HUP
 *
 * Landlock and a filter of system calls see to it; see lib/landlock.h and lib/syscalls.h.
 */
#ifndef APP_PROCESS_SANDBOX_H
#define APP_PROCESS_SANDBOX_H

#include <stdbool.h>

#include "app/settings.h"

enum role { ROLE_MASTER, ROLE_WORKER, ROLE_WRITER, ROLE_SINGLE };

struct sandbox {
    const struct settings *settings;
    const char *config; /* the file that they come from, or NULL; ROLE_SINGLE keeps it */
    const char *socket; /* the path that ROLE_SINGLE removes at its end, or NULL */
};

/*
 * Confines this process for good, unless settings->sandbox is off. Before the process opens
 * the database or takes anything from a caller. Once a process; ROLE_SINGLE may come again,
 * to no effect.
 */
enum status sandbox_enter(enum role role, const struct sandbox *sandbox,
                          struct problem *why);

/* Logs, once at the start, what of it the kernel or the build lacks. */
void sandbox_report(const struct settings *settings);

/*
 * True when the database's files are not those any more that this worker or writer was
 * confined to, because somebody has put others in their place: it should end, so that the
 * master forks one that can use them. While the database is away it is false: it may come
 * back. To be asked when the database is, or must be, opened anew.
 */
bool sandbox_outdated(void);

#endif
