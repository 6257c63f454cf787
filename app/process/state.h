/*
 * What the master makes at the start and keeps; the processes that it forks inherit it.
 */
#ifndef APP_PROCESS_STATE_H
#define APP_PROCESS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "app/meter.h"
#include "app/monitor/history.h"
#include "app/process/options.h"
#include "app/serve/caller_cache.h"
#include "app/settings.h"
#include "lib/file.h"
#include "lib/listener.h"
#include "lib/lock.h"
#include "lib/mailbox.h"
#include "lib/pool.h"
#include "lib/privileges.h"
#include "lib/secret.h"
#include "lib/throttle.h"

struct state {
    struct options options;
    struct settings *settings; /* owned */
    bool drop;                 /* started by root: `identity` is still to be assumed */
    struct identity identity;  /* of settings->user; all zeros where none is set */
    struct secret_key key;
    struct {
        struct file_id id;
        bool is_away; /* removed or replaced, and the log says so */
    } key_file;       /* from which the key was read; see watch.h */
    struct lock *use; /* says that the database is in use; owned */
    int listening;    /* the socket to accept from */
    /* Its configuration; empty: it was inherited. */
    char made_socket[CONFIG_TEXT_BYTES];
    struct listener_made socket_file;           /* to be removed at the end */
    int status_listening;                       /* that of the monitor; -1: there is none */
    char made_status_socket[CONFIG_TEXT_BYTES]; /* as made_socket */
    struct listener_made status_socket_file;
    int give, take; /* the ends of the workers' hand-over socket; -1 with --single */
    int slots;      /* of the pool; INT_MAX with --single */
    struct caller_cache *caller_cache;
    struct throttle *throttle;    /* see limits.h */
    struct mailboxes *boxes;      /* between workers and writer; NULL with --single. The one
                                * behind those of the workers' slots is the monitor's */
    struct counters *counters;    /* see app/meter.h; NULL: nothing is counted */
    struct history *history;      /* of the monitor; NULL without it */
    struct file_id backup_record; /* the one that was read last */
};

/* The number of workers in these settings, with slots for a reload that raises the
 * number. */
struct pool_settings state_pool_settings(const struct settings *settings);

/* The name of the monitor's socket, where it is handed over (FileDescriptorName=). */
#define STATE_STATUS_SOCKET "status"

/* The view of the counters that the master has, or the process with --single. */
struct meter state_meter(const struct state *state);

/* The greatest length of a command on its way to the writer. */
size_t state_letter_bytes(const struct settings *settings);

/* Removes the socket that this program made, and frees what the state owns; not the state
 * itself. */
void state_free(struct state *state);

#endif
