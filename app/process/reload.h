/*
 * Reading settings and key file again while the service runs.
 */
#ifndef APP_PROCESS_RELOAD_H
#define APP_PROCESS_RELOAD_H

#include "lib/pool.h"

/* As pool_program.reload wants it; state is a struct state. Settings that were used to lay
 * something out at the start cannot change; then the reload fails, and the log names the
 * setting. */
enum status reload(void *state, struct pool_settings *pool);

#endif
