/*
 * Where the log's lines go: standard error, a file, or syslog.
 *
 * No function waits for a reader, except log_output_wait. Used by lib/log.c only, which
 * queues lines that are not taken.
 */
#ifndef LIB_LOG_OUTPUT_H
#define LIB_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lib/log.h"
#include "lib/status.h"

/* As log_open. */
enum status log_output_open(const char *where, const char *ident, struct problem *why);

/* As log_check. */
enum status log_output_check(const char *where, struct problem *why);

/* As log_reopen. */
enum status log_output_reopen(struct problem *why);

/* Whether lines go to syslog now. */
bool log_output_is_syslog(void);

/* Whether lines go to systemd's journal by standard error. */
bool log_output_is_journal(void);

/* Writes a line with its newline, of at most LOG_LINE_BYTES. Returns how many bytes were
 * taken: all of them, 0 when there is no room now, fewer only in rare cases (a terminal, a
 * disk that is full). -1: it failed, and trying the same line again is of no use. */
ssize_t log_output_send(enum log_level level, const char *line, size_t len);

/* Waits until there may be room again, or for timeout_ms. */
void log_output_wait(int timeout_ms);

#endif
