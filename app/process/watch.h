/*
 * The master's look at files that it has read and that a restart will need.
 */
#ifndef APP_PROCESS_WATCH_H
#define APP_PROCESS_WATCH_H

#include "app/process/state.h"

/* Notes the key file, which was just read. */
void watch_key_file(struct state *state);

/* Warns in the log, once, when the key file was removed or replaced since. context: the
 * struct state. */
void watch_files(void *context);

#endif
