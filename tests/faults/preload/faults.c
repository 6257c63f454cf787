/*
 * Makes calls fail in all processes that share the file FAULTS_CONTROL, as its content
 * demands: see class Faults in preload.py. Files are those of FAULTS_DATABASE. Also moves
 * the wall clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum operation { NONE, WRITE, SYNC, OPEN, TRUNCATE, FORK, MALLOC, MEMFD };
enum file { OTHER = 0, DATABASE = 1, WAL = 2, SHM = 4 };
enum { FDS = 4096, SHORT_WRITE = -1, FORGOTTEN = -2 };

struct control {
    _Atomic uint32_t operation;
    uint32_t files;
    _Atomic int32_t countdown;
    int32_t error;
    uint32_t lasting;
    _Atomic uint32_t struck;
    int64_t clock_offset_s;
    int32_t only_pid;
};

static struct control *control;
static char database[4096];
static unsigned char kinds[FDS];

__attribute__((constructor)) static void prepare(void)
{
    const char *path = getenv("FAULTS_CONTROL"), *name = getenv("FAULTS_DATABASE");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *memory =
        fd < 0 ? MAP_FAILED
               : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0)
        (void)close(fd);
    if (name != NULL)
        strncpy(database, name, sizeof database - 1);
    if (memory != MAP_FAILED)
        control = memory;
}

/* The error with which this call has to fail, or 0. */
static int strike(enum operation operation, unsigned file)
{
    if (control == NULL || atomic_load(&control->operation) != operation)
        return 0;
    if (operation < FORK && (control->files & file) == 0)
        return 0;
    if (control->only_pid != 0 && control->only_pid != getpid())
        return 0;
    int left = atomic_fetch_sub(&control->countdown, 1);
    if (left > 0 || (left < 0 && !control->lasting))
        return 0;
    atomic_fetch_add(&control->struck, 1);
    return control->error;
}

static unsigned kind_of_path(const char *path)
{
    size_t len = strlen(database);

    if (len == 0 || strncmp(path, database, len) != 0)
        return OTHER;
    if (path[len] == '\0')
        return DATABASE;
    if (strcmp(path + len, "-wal") == 0)
        return WAL;
    return strcmp(path + len, "-shm") == 0 ? SHM : OTHER;
}

static unsigned kind_of(int fd)
{
    return fd >= 0 && fd < FDS ? kinds[fd] : OTHER;
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

static int open_file(const char *path, int flags, mode_t mode)
{
    unsigned kind = kind_of_path(path);
    int error = strike(OPEN, kind);

    if (error != 0) {
        errno = error;
        return -1;
    }
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd >= 0 && fd < FDS)
        kinds[fd] = (unsigned char)kind;
    return fd;
}

static mode_t mode_of(int flags, va_list more)
{
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    int fd = open_file(path, flags, mode_of(flags, more));
    va_end(more);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    int fd = open_file(path, flags | O_LARGEFILE, mode_of(flags, more));
    va_end(more);
    return fd;
}

int close(int fd)
{
    if (fd >= 0 && fd < FDS)
        kinds[fd] = OTHER;
    return (int)syscall(SYS_close, fd);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    int error = strike(WRITE, kind_of(fd));

    if (error == FORGOTTEN)
        return (ssize_t)size;
    if (error == SHORT_WRITE && size > 1)
        size /= 2;
    else if (error > 0) {
        errno = error;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, data, size, offset);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

int ftruncate64(int fd, off64_t size)
{
    int error = strike(TRUNCATE, kind_of(fd));

    if (error > 0) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, fd, size);
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

static int sync_file(int fd, long number)
{
    int error = strike(SYNC, kind_of(fd));

    if (error > 0) {
        errno = error;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

pid_t fork(void)
{
    int error = strike(FORK, OTHER);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return NEXT(pid_t(*)(void), "fork")();
}

int memfd_create(const char *name, unsigned flags)
{
    int error = strike(MEMFD, OTHER);

    if (error > 0) {
        errno = error;
        return -1;
    }
    return (int)syscall(SYS_memfd_create, name, flags);
}

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static int no_memory(void)
{
    if (strike(MALLOC, OTHER) == 0)
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return no_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return no_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return no_memory() ? NULL : __libc_realloc(memory, size);
}

static int64_t offset_s(void)
{
    return control != NULL ? control->clock_offset_s : 0;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    int failed = (int)syscall(SYS_clock_gettime, id, now);

    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset_s();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    int failed = (int)syscall(SYS_gettimeofday, now, zone);

    if (!failed)
        now->tv_sec += offset_s();
    return failed;
}

time_t time(time_t *out)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}
