/*
 * Syslog by its socket, without waiting: syslog(3) blocks while the socket is full, for as
 * long as the daemon does not read.
 */
#ifndef LIB_LOG_SYSLOG_H
#define LIB_LOG_SYSLOG_H

#include <stddef.h>
#include <sys/types.h>

enum {
    LOG_SYSLOG_IDENT_BYTES = 64, /* with its NUL */
};

/* Takes the program's name, cut to fit, and connects. Where no daemon listens yet,
 * log_syslog_send tries again. */
void log_syslog_open(const char *ident);

/* Disconnects. */
void log_syslog_close(void);

/* Sends one message; priority as for syslog(3), with a facility. Returns len, or -1 with
 * errno; EAGAIN: there is no room now. */
ssize_t log_syslog_send(int priority, const char *text, size_t len);

/* Waits until there may be room again, or for timeout_ms. */
void log_syslog_wait(int timeout_ms);

#endif
