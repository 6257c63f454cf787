/*
 * Attempts of a process to break out of its sandbox, for tests/attacks. Only ./configure
 * --enable-attacks builds them; never use a service with them.
 */
#ifndef APP_PROCESS_ATTACKS_H
#define APP_PROCESS_ATTACKS_H

#include "app/process/sandbox.h"

/*
 * Makes the attempts that the environment variable ATTACKS lists for this role ("ROLE NAME
 * ARGUMENT", separated by semicolons), and logs an event `attack` with the errno of each;
 * 0: it succeeded. A process that is killed for an attempt logs nothing.
 */
void attacks_run(enum role role);

/* True when ATTACKS_WITHOUT_LANDLOCK is set: the process is to be confined as on a kernel
 * that has no Landlock. */
bool attacks_leave_out_landlock(void);

#endif
