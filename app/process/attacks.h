/*
 * Attacks of a process on its surroundings, for tests/attacks. Only ./configure
 * --enable-attacks builds them; a service that is built with them is not to be used.
 */
#ifndef APP_PROCESS_ATTACKS_H
#define APP_PROCESS_ATTACKS_H

#include "app/process/sandbox.h"

/*
 * Carries out what the environment's ATTACKS says, "ROLE NAME ARGUMENT" between semicolons,
 * if it is for this role, and logs for each an event `attack` with the errno; 0: it
 * succeeded. A process that is killed for it logs nothing.
 */
void attacks_run(enum role role);

#endif
