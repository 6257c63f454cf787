/*
 * --check-config: checks everything that would keep the service from starting, without
 * starting it.
 */
#ifndef APP_PROCESS_CHECK_CONFIG_H
#define APP_PROCESS_CHECK_CONFIG_H

#include "app/process/state.h"

/* Prints which files are used, and every problem that it finds. Returns the exit status of
 * the first problem. */
int check_config(struct state *state);

#endif
