/*
 * In a build for gcov: keeps the counters of processes that end by _exit, and of those that
 * run as another user than the one that built them. COVERAGE_COUNTERS is a directory for
 * all users.
 */
#include <gcov.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A user cannot write the files of another, so each has a directory of its own. It is
 * chosen at the end, because the user may have changed since the start, and before gcov's
 * own destructor. */
__attribute__((destructor)) static void choose_directory(void)
{
    char path[256];

    if (geteuid() == 0)
        return;
    (void)snprintf(path, sizeof path, "%s/%u", COVERAGE_COUNTERS, (unsigned)geteuid());
    (void)mkdir(path, 0755);
    (void)setenv("GCOV_PREFIX", path, 1);
}

/* Replaces the one of libc, which does not write the counters. */
void _exit(int status)
{
    choose_directory();
    __gcov_dump();
    for (;;)
        (void)syscall(SYS_exit_group, status);
}
