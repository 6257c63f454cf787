/*
 * A disk that fails when the WAL is synced: the outcome of a commit is unknown then.
 */
#ifndef TESTS_UNIT_FAILING_SYNC_H
#define TESTS_UNIT_FAILING_SYNC_H

#include <errno.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool next_sync_fails;

/* Stands in for the function of libc, which SQLite calls. */
int fdatasync(int fd)
{
    bool fails = next_sync_fails;

    next_sync_fails = false;
    if (!fails)
        return (int)syscall(SYS_fdatasync, fd);
    errno = EIO;
    return -1;
}

#endif
