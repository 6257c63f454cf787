/*
 * Finds out whether a note could be stored now, by having the writer commit a transaction
 * that changes nothing.
 */
#ifndef APP_MONITOR_PROBE_H
#define APP_MONITOR_PROBE_H

#include <stdbool.h>

#include "app/monitor/view.h"
#include "lib/mailbox.h"

enum {
    PROBE_FRESH_MS = 1000,    /* how long an answer counts */
    PROBE_PATIENCE_MS = 2000, /* how long the writer may take for it */
};

struct probe {
    struct mailboxes *boxes;
    size_t client; /* of the mailboxes: nobody else's */
    bool waits;    /* for the writer, since: */
    int64_t asked_ms;
    int64_t answered_ms; /* 0: never */
    enum status
        status; /* of the transaction; STATUS_NOT_FOUND: the writer did not answer */
};

/* For a new process; boxes must outlive it. */
void probe_begin(struct probe *probe, struct mailboxes *boxes, size_t client);

/* Asks the writer, unless it has been asked or its last answer is fresh. */
void probe_ask(struct probe *probe, int64_t now_ms);

/* Takes the writer's answer, or gives up. True: there is an answer to the last question. */
bool probe_look(struct probe *probe, int64_t now_ms);

/* What the last answer and these processes say. */
struct view_readiness probe_readiness(const struct probe *probe,
                                      const struct pool_count *workers,
                                      const struct pool_count *writer, bool can_read);

#endif
