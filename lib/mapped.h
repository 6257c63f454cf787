/*
 * Memory that shows a file, and what becomes of it when the file is truncated or cannot be
 * read: the kernel sends SIGBUS to a process that uses such memory, which would end it.
 *
 * A handler of SIGBUS replaces all memory of the mapping by zeros that are private to this
 * process, notes that it is lost, and lets the process go on. A fault anywhere else ends
 * the process as usual.
 */
#ifndef LIB_MAPPED_H
#define LIB_MAPPED_H

#include <signal.h>
#include <stddef.h>

struct mapped {
    char *memory;
    size_t bytes;                  /* may grow while the mapping is watched */
    int protection;                /* of the zeros: PROT_READ, or with PROT_WRITE */
    volatile sig_atomic_t is_lost; /* never reset */
    struct mapped *next;
};

/* Watches a mapping until mapped_forget, from now on and in processes that are forked
 * later. The caller fills in memory, bytes and protection, and zero for the rest;
 * *mapping must stay where it is. */
void mapped_watch(struct mapped *mapping);

/* Before the memory is unmapped; also for one that is not watched. */
void mapped_forget(struct mapped *mapping);

#endif
