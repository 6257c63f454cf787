/*
 * Signals are blocked except where a process waits.
 *
 * All signals that are handled stay blocked. They are delivered only during the one waiting
 * call of a process (ppoll, epoll_pwait) and in signals_let_in, so that none interrupts a
 * read, a write or a commit, and none is lost between a check and the wait. Handlers only
 * set a flag.
 */
#ifndef LIB_SIGNALS_H
#define LIB_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Blocks TERM, INT, QUIT, HUP, USR1 and CHLD, installs their handlers, and ignores others
 * as signals_ignore does. Once in a program, before its first wait; children inherit it. */
void signals_init(void);

/* Ignores PIPE and XFSZ, whose calls fail with EPIPE and EFBIG then, and signals without a
 * meaning here that would end the process: USR2, PROF, VTALRM, IO and PWR. */
void signals_ignore(void);

/* Clears the flags: for a child after fork. */
void signals_forget(void);

/* The mask for the waiting call, which lets the handled signals in. */
const sigset_t *signals_waiting_mask(void);

/* Delivers the signals that are pending, without waiting: for a process that always has
 * work and so never reaches its waiting call. */
void signals_let_in(void);

/* Whether TERM, INT or QUIT has arrived since the last call. */
bool signals_take_end(void);

/* Whether the signal has arrived since the last call. */
bool signals_take(int signal_number);

#endif
