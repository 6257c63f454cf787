/*
 * Records, in the order in which they happen, the operations of a program on the database
 * RECORD_DATABASE and its WAL, with all data, and when answers with a note are sent. Each
 * process has its own file RECORD_DIRECTORY/PID; a counter in RECORD_DIRECTORY/counter
 * orders them all. With RECORD_SYNCS=none nothing is synced, though all are told that it
 * was.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum file { OTHER, DATABASE, WAL };
enum event { WRITE = 1, TRUNCATE, SYNC_BEGIN, SYNC_END, ANSWER, UNEXPECTED };
enum { FDS = 4096 };

/* The header of an event; power_cut.py reads it. */
struct head {
    uint64_t number;
    uint32_t event, file;
    uint64_t offset; /* of a write; the new size of a truncation */
    uint64_t len;    /* of the data that follow */
};

static char database[4096], directory[4096];
static unsigned char kinds[FDS];
static _Atomic uint64_t *counter;
static int trace = -1;
static pid_t trace_of;

__attribute__((constructor)) static void prepare(void)
{
    const char *name = getenv("RECORD_DATABASE"), *where = getenv("RECORD_DIRECTORY");
    char path[4200];

    if (name == NULL || where == NULL)
        return;
    strncpy(database, name, sizeof database - 1);
    strncpy(directory, where, sizeof directory - 1);
    (void)snprintf(path, sizeof path, "%s/counter", directory);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *memory = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        abort();
    counter = memory;
    (void)syscall(SYS_close, fd);
}

/* A forked process gets a file of its own. */
static int own_trace(void)
{
    char path[4200];

    if (trace_of == getpid())
        return trace;
    if (trace >= 0)
        (void)syscall(SYS_close, trace);
    trace_of = getpid();
    (void)snprintf(path, sizeof path, "%s/%d", directory, (int)trace_of);
    trace = (int)syscall(SYS_openat, AT_FDCWD, path,
                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0)
        abort();
    return trace;
}

static void note(enum event event, enum file file, uint64_t offset, const void *data,
                 size_t len)
{
    if (counter == NULL)
        return;
    struct head head = {atomic_fetch_add(counter, 1), event, file, offset, len};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)data, len}};

    if (syscall(SYS_writev, own_trace(), parts, 2) != (long)(sizeof head + len))
        abort();
}

static enum file kind_of_path(const char *path)
{
    size_t len = strlen(database);

    if (len == 0 || strncmp(path, database, len) != 0)
        return OTHER;
    if (path[len] == '\0')
        return DATABASE;
    return strcmp(path + len, "-wal") == 0 ? WAL : OTHER;
}

static enum file kind_of(int fd)
{
    return fd >= 0 && fd < FDS ? (enum file)kinds[fd] : OTHER;
}

static int open_file(const char *path, int flags, mode_t mode)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);

    if (fd >= 0 && fd < FDS)
        kinds[fd] = (unsigned char)kind_of_path(path);
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
    ssize_t done = syscall(SYS_pwrite64, fd, data, size, offset);

    if (kind_of(fd) != OTHER && done > 0)
        note(WRITE, kind_of(fd), (uint64_t)offset, data, (size_t)done);
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

int ftruncate64(int fd, off64_t size)
{
    int failed = (int)syscall(SYS_ftruncate, fd, size);

    if (kind_of(fd) != OTHER && !failed)
        note(TRUNCATE, kind_of(fd), (uint64_t)size, NULL, 0);
    return failed;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

static int sync_file(int fd, long number)
{
    enum file file = kind_of(fd);
    const char *syncs = getenv("RECORD_SYNCS");

    if (file != OTHER && syncs != NULL && strcmp(syncs, "none") == 0)
        return 0;
    if (file != OTHER)
        note(SYNC_BEGIN, file, 0, NULL, 0);
    int failed = (int)syscall(number, fd);
    if (file != OTHER && !failed)
        note(SYNC_END, file, 0, NULL, 0);
    return failed;
}

int fdatasync(int fd)
{
    return sync_file(fd, SYS_fdatasync);
}

int fsync(int fd)
{
    return sync_file(fd, SYS_fsync);
}

int unlink(const char *path)
{
    if (kind_of_path(path) != OTHER)
        note(UNEXPECTED, kind_of_path(path), 0, "unlink", 6);
    return (int)syscall(SYS_unlink, path);
}

int rename(const char *from, const char *to)
{
    if (kind_of_path(from) != OTHER || kind_of_path(to) != OTHER)
        note(UNEXPECTED, kind_of_path(from), 0, "rename", 6);
    return (int)syscall(SYS_rename, from, to);
}

/* Before the answer is sent, so that no later event counts for it. */
static void look_for_note(const void *data, size_t len)
{
    static const char mark[] = "{\"data\":{\"note_id\":\"";
    enum { UUID_LEN = 36 };
    const char *found = counter != NULL ? memmem(data, len, mark, sizeof mark - 1) : NULL;

    if (found == NULL)
        return;
    found += sizeof mark - 1;
    if ((size_t)(found - (const char *)data) + UUID_LEN <= len)
        note(ANSWER, OTHER, 0, found, UUID_LEN);
}

ssize_t write(int fd, const void *data, size_t size)
{
    if (kind_of(fd) != OTHER)
        note(UNEXPECTED, kind_of(fd), 0, "write", 5);
    look_for_note(data, size);
    return syscall(SYS_write, fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    for (int i = 0; i < count; i++)
        look_for_note(parts[i].iov_base, parts[i].iov_len);
    return syscall(SYS_writev, fd, parts, count);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    look_for_note(data, size);
    return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    for (size_t i = 0; i < message->msg_iovlen; i++)
        look_for_note(message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    return syscall(SYS_sendmsg, fd, message, flags);
}
