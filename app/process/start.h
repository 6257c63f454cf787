/*
 * Starts the service: from its settings to serving.
 */
#ifndef APP_PROCESS_START_H
#define APP_PROCESS_START_H

#include "app/process/state.h"

/* Finds the user that the service is to run as. STATUS_CONFIG with why filled: there is no
 * such user, or it is root. */
enum status start_find_identity(struct state *state, struct problem *why);

/* Starts the service and runs it to its end; returns the exit status of the program. */
int start(struct state *state);

#endif
