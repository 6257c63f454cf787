/*
 * Sentences on standard error, for the person or program that starts the service. What
 * happens later is in the log (lib/log.h).
 */
#ifndef APP_PROCESS_REPORT_H
#define APP_PROCESS_REPORT_H

#include "lib/status.h"

/* The name of the program, which begins each sentence. */
extern const char report_program[];

/* Writes the sentence and returns exit_status. */
int report_failure(int exit_status, const struct problem *why);

/* Reports a file without which the service starts all the same. */
void report_warning(const char *path, const char *sentence);

#endif
