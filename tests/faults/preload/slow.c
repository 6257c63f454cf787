/*
 * Makes a slow disk: each fsync and fdatasync takes longer by as many milliseconds as the
 * file SLOW_CONTROL says, an int32 that may change at any time. See class SlowDisk in
 * preload.py.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Atomic int32_t *delay_ms;

__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("SLOW_CONTROL");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *memory =
        fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *delay_ms, PROT_READ, MAP_SHARED, fd, 0);

    if (fd >= 0)
        (void)close(fd);
    if (memory != MAP_FAILED)
        delay_ms = memory;
}

static int sync_slowly(int fd, long number)
{
    int result = (int)syscall(number, fd);

    if (delay_ms != NULL)
        (void)poll(NULL, 0, atomic_load(delay_ms));
    return result;
}

int fdatasync(int fd)
{
    return sync_slowly(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_slowly(fd, SYS_fsync);
}
