/*
 * Reading settings and key file again while the service runs.
 */
#ifndef APP_PROCESS_RELOAD_H
#define APP_PROCESS_RELOAD_H

#include "lib/pool.h"

/* As struct pool_program demands for reload; state is a struct state. Settings that take
 * effect at the start only cannot change; then the reload fails, and the log names the
 * setting. */
enum status reload(void *state, struct pool_settings *pool);

#endif
