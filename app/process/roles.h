/*
 * The processes of the service by their roles: workers and a writer, or one process for
 * both.
 */
#ifndef APP_PROCESS_ROLES_H
#define APP_PROCESS_ROLES_H

#include "app/process/state.h"

/* Runs the pool, or the single process, until the service ends; returns the exit status of
 * the program. */
int roles_run(struct state *state);

#endif
