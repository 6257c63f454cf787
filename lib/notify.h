/*
 * Tells the supervisor that started this program how it does, by the protocol of
 * sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names.
 *
 * One process has one supervisor. Nothing here waits: what the supervisor does not take at
 * once is kept, and sent by a later notify_alive. Without a supervisor nothing is sent.
 */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

#include <stdint.h>

#include "lib/status.h"

enum {
    NOTIFY_TEXT_BYTES = 512, /* of a status; more is cut */
};

/*
 * Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID from the environment, where no child
 * will find them, and connects. Once, before a sandbox is entered and before the first
 * fork. STATUS_OK also without a supervisor; STATUS_UNAVAILABLE with why filled: there is
 * no such socket.
 */
enum status notify_open(struct problem *why);

/* Closes the socket: in a child, which does not speak for the program. */
void notify_close(void);

/* The service can be used (or again, after notify_reloading). status is one line for
 * people, such as "serving, 4 workers". */
void notify_ready(const char *status);

/* A reload begins; notify_ready ends it, however it went. */
void notify_reloading(void);

/* The program is ending. */
void notify_stopping(const char *status);

/*
 * Sends what was kept, and a sign of life when half of the supervisor's time for one is
 * over. To be called from the loop of which the supervisor is to know that it turns.
 * Answers after how many milliseconds to call it again at the latest; INT64_MAX: no sign
 * is expected.
 */
int64_t notify_alive(void);

#endif
