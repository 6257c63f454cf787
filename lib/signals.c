#include "lib/signals.h"

#include <poll.h>
#include <stddef.h>

static const int handled[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD};

/* They would end the process, or report what the failing call reports as well. */
static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGUSR2, SIGPROF, SIGVTALRM, SIGIO, SIGPWR};

static volatile sig_atomic_t arrived[NSIG];
static sigset_t waiting_mask;

static void set_flag(int signal_number)
{
    arrived[signal_number] = 1;
}

void signals_init(void)
{
    sigset_t blocked;

    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++) {
        sigaddset(&blocked, handled[i]);
        sigaction(handled[i], &(struct sigaction){.sa_handler = set_flag}, NULL);
    }
    signals_ignore();
    sigprocmask(SIG_BLOCK, &blocked, &waiting_mask);
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        sigdelset(&waiting_mask, handled[i]);
}

void signals_ignore(void)
{
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
        sigaction(ignored[i], &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
}

void signals_forget(void)
{
    for (size_t i = 0; i < sizeof handled / sizeof handled[0]; i++)
        arrived[handled[i]] = 0;
}

const sigset_t *signals_waiting_mask(void)
{
    return &waiting_mask;
}

void signals_let_in(void)
{
    (void)ppoll(NULL, 0, &(struct timespec){0, 0}, &waiting_mask);
}

bool signals_take_end(void)
{
    bool term = signals_take(SIGTERM), interrupt = signals_take(SIGINT);

    return signals_take(SIGQUIT) || term || interrupt;
}

bool signals_take(int signal_number)
{
    bool was = arrived[signal_number] != 0;

    arrived[signal_number] = 0;
    return was;
}
