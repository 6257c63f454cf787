/*
 * Signals, held back except where a process waits.
 *
 * All signals that are handled stay blocked; they are let in only during the one waiting
 * call of a process (ppoll, epoll_pwait) and in signals_let_in, so that none interrupts a read, a write or a
 * commit, and none is lost between a check and the wait. Handlers only set a flag.
 */
#ifndef LIB_SIGNALS_H
#define LIB_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Blocks TERM, INT, HUP, USR1 and CHLD, installs their handlers and ignores PIPE. Once per
 * program, before anything is waited for; children inherit it. */
void signals_init(void);

/* Forgets what has arrived: for a child after fork. */
void signals_forget(void);

/* The mask to wait with: lets the handled signals in. */
const sigset_t *signals_waiting_mask(void);

/* Lets in what has arrived by now, without waiting: a process that always finds work when
 * it looks never really waits. */
void signals_let_in(void);

/* True once for each arrival (several arrivals may count as one) of the signal. */
bool signals_take(int signal_number);

#endif
