/*
 * Reading settings and key file again while the service runs.
 */
#ifndef APP_PROCESS_RELOAD_H
#define APP_PROCESS_RELOAD_H

#include "lib/pool.h"

/* As struct pool_program demands for reload; state is a struct state. It fails, and the log
 * says why, when settings cannot be used or take effect at the start only, and when the
 * processes to come could not use the database. */
enum status reload(void *state, struct pool_settings *pool, struct problem *why);

#endif
