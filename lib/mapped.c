#include "lib/mapped.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

static struct mapped *watched;

static struct mapped *find(const void *address)
{
    uintptr_t at = (uintptr_t)address;

    for (struct mapped *m = watched; m != NULL; m = m->next)
        if (at >= (uintptr_t)m->memory && at - (uintptr_t)m->memory < m->bytes)
            return m;
    return NULL;
}

/* Handles SIGBUS. Returning repeats the instruction that failed. */
static void replace_by_zeros(int signal_number, siginfo_t *info, void *context)
{
    int saved = errno;
    struct mapped *m = find(info->si_addr);

    (void)context;
    if (m == NULL ||
        mmap(m->memory, m->bytes, m->protection,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) == MAP_FAILED)
        (void)signal(signal_number, SIG_DFL);
    else
        m->is_lost = 1;
    errno = saved;
}

void mapped_watch(struct mapped *mapping)
{
    struct sigaction handler = {.sa_sigaction = replace_by_zeros, .sa_flags = SA_SIGINFO};

    mapping->next = watched;
    watched = mapping;
    (void)sigaction(SIGBUS, &handler, NULL);
}

void mapped_forget(struct mapped *mapping)
{
    struct mapped **link = &watched;

    while (*link != NULL && *link != mapping)
        link = &(*link)->next;
    if (*link != NULL)
        *link = mapping->next;
}
