#include "lib/log_output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/log_syslog.h"

/* A non-blocking write of at most this takes a whole line or nothing from a pipe. */
_Static_assert(LOG_LINE_BYTES <= PIPE_BUF, "lines of several processes must not mix");

/*
 * Ways to write without waiting. O_NONBLOCK belongs to the open file description, and that
 * of standard error is shared with the program that started this one, perhaps a shell:
 * setting it there would make the writes of that program fail. So a pipe or terminal is
 * opened once more under /proc/self/fd, which gives a description of our own. Where that is
 * refused (the pipe belongs to another user), each write asks the kernel not to wait
 * (RWF_NOWAIT; for pipes since Linux 6.4). On older kernels there is only poll(2). That is
 * exact for one process, but another one may fill the pipe between the poll and the write;
 * then the write waits for the reader, and the master replaces a worker that waits for
 * longer than request_timeout.
 */
enum way {
    PLAIN,  /* a file, or a description of our own */
    SOCKET, /* as systemd gives; it cannot be opened once more */
    NOWAIT,
    POLLED,
    SYSLOG,
};

/* The one log of a process. */
static struct {
    enum way way;
    int fd; /* unused with SYSLOG */
    bool journal;
    char path[1024];
} target = {.fd = STDERR_FILENO};

/* Standard error opened once more, and for which file; kept, because after a change of user
 * or in a sandbox it might not be possible again. -1: it is not. */
static struct {
    int fd;
    struct file_id id;
} own_stderr = {.fd = -1};

static const int priorities[] = {
    [LEVEL_INFO] = LOG_DAEMON | LOG_INFO,
    [LEVEL_WARNING] = LOG_DAEMON | LOG_WARNING,
    [LEVEL_ERROR] = LOG_DAEMON | LOG_ERR,
};

static ssize_t send_plain(enum log_level level, const char *line, size_t len)
{
    (void)level;
    return write(target.fd, line, len);
}

static ssize_t send_to_socket(enum log_level level, const char *line, size_t len)
{
    (void)level;
    return send(target.fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t send_polled(enum log_level level, const char *line, size_t len)
{
    struct pollfd ready = {.fd = target.fd, .events = POLLOUT};

    (void)level;
    if (poll(&ready, 1, 0) > 0)
        return write(target.fd, line, len);
    errno = EAGAIN;
    return -1;
}

static ssize_t send_nowait(enum log_level level, const char *line, size_t len)
{
    const struct iovec part = {.iov_base = (char *)(uintptr_t)line, .iov_len = len};
    ssize_t sent = pwritev2(target.fd, &part, 1, -1, RWF_NOWAIT);

    if (sent >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EPERM))
        return sent;
    target.way = POLLED;
    return send_polled(level, line, len);
}

static ssize_t send_to_syslog(enum log_level level, const char *line, size_t len)
{
    ssize_t sent = log_syslog_send(priorities[level], line, len - 1); /* no newline */

    return sent < 0 ? -1 : (ssize_t)len;
}

static ssize_t (*const senders[])(enum log_level level, const char *line, size_t len) = {
    [PLAIN] = send_plain,   [SOCKET] = send_to_socket, [NOWAIT] = send_nowait,
    [POLLED] = send_polled, [SYSLOG] = send_to_syslog,
};

ssize_t log_output_send(enum log_level level, const char *line, size_t len)
{
    ssize_t sent = senders[target.way](level, line, len);

    return sent >= 0 ? sent : errno == EAGAIN || errno == EINTR ? 0 : -1;
}

void log_output_wait(int timeout_ms)
{
    if (target.way == SYSLOG)
        log_syslog_wait(timeout_ms);
    else
        (void)poll(&(struct pollfd){.fd = target.fd, .events = POLLOUT}, 1, timeout_ms);
}

bool log_output_is_syslog(void)
{
    return target.way == SYSLOG;
}

bool log_output_is_journal(void)
{
    return target.journal;
}

/* systemd says by device and inode which file is the journal, because a program may have
 * got another standard error since. */
static bool is_journal(const struct stat *st)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];

    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st->st_dev,
                   (uintmax_t)st->st_ino);
    return stream != NULL && strcmp(stream, own) == 0;
}

static bool is_null_device(int fd)
{
    struct stat st;

    return fstat(fd, &st) != 0 || (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static void use(enum way way, int fd)
{
    if (target.fd > STDERR_FILENO && target.fd != own_stderr.fd && target.fd != fd)
        (void)close(target.fd);
    if (target.way == SYSLOG && way != SYSLOG)
        log_syslog_close();
    target.way = way;
    target.fd = fd;
    target.journal = false;
}

/* Opens what may be a log file; O_NONBLOCK, because open(2) of a FIFO without a reader
 * would wait. -1 with errno; EINVAL: it is a FIFO. */
static int open_path(const char *path, int flags)
{
    struct stat st;
    int fd = open(
        path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags,
        0640);

    if (fd < 0) {
        int error = errno;
        errno = error == ENXIO && lstat(path, &st) == 0 && S_ISFIFO(st.st_mode) ? EINVAL
                                                                                : error;
        return -1;
    }
    if (fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode))
        return fd;
    (void)close(fd);
    errno = EINVAL;
    return -1;
}

static enum status cannot_open(const char *path, struct problem *why)
{
    if (errno == EINVAL)
        return problem_set(why, STATUS_CANT_CREATE,
                           "the log %s is a FIFO: name a regular file, or set log = stderr "
                           "and lead standard error into the FIFO",
                           path);
    if (errno == ELOOP)
        return problem_set(why, STATUS_CANT_CREATE,
                           "the log %s is a symbolic link: name the file that it leads to",
                           path);
    return problem_set(why, STATUS_CANT_CREATE, "cannot open the log %s: %s", path,
                       strerror(errno));
}

static enum status open_file(const char *path, struct problem *why)
{
    int fd = open_path(path, O_CREAT);

    if (fd < 0)
        return cannot_open(path, why);
    use(PLAIN, fd);
    if (path != target.path)
        (void)snprintf(target.path, sizeof target.path, "%s", path);
    return STATUS_OK;
}

static bool is_own_stderr(const struct stat *st)
{
    return own_stderr.fd >= 0 && file_id_equals(own_stderr.id, file_id_of(st));
}

/* Standard error with a description of our own, or -1. */
static int open_stderr_again(const struct stat *st)
{
    char path[32];

    if (is_own_stderr(st))
        return own_stderr.fd;
    if (own_stderr.fd >= 0)
        (void)close(own_stderr.fd);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", STDERR_FILENO);
    own_stderr.fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    own_stderr.id = file_id_of(st);
    return own_stderr.fd;
}

static void open_stderr(void)
{
    struct stat st;
    int again = -1;

    if (fstat(STDERR_FILENO, &st) != 0 || S_ISREG(st.st_mode)) {
        use(PLAIN, STDERR_FILENO);
        return;
    }
    if (S_ISSOCK(st.st_mode)) {
        use(SOCKET, STDERR_FILENO);
        target.journal = is_journal(&st);
        return;
    }
    again = open_stderr_again(&st);
    use(again >= 0 ? PLAIN : NOWAIT, again >= 0 ? again : STDERR_FILENO);
}

enum status log_output_open(const char *where, const char *ident, struct problem *why)
{
    if (where[0] == '/')
        return open_file(where, why);
    target.path[0] = '\0';
    if (strcmp(where, "syslog") == 0 || is_null_device(STDERR_FILENO)) {
        use(SYSLOG, -1);
        log_syslog_open(ident);
    } else {
        open_stderr();
    }
    return STATUS_OK;
}

enum status log_output_check(const char *where, struct problem *why)
{
    if (where[0] != '/')
        return STATUS_OK;
    int fd = open_path(where, 0);
    if (fd >= 0) {
        (void)close(fd);
        return STATUS_OK;
    }
    int error = errno;
    char directory[sizeof target.path];
    (void)snprintf(directory, sizeof directory, "%.*s",
                   (int)(strrchr(where, '/') - where + 1), where);
    if (error == ENOENT && access(directory, W_OK | X_OK) == 0)
        return STATUS_OK;
    errno = error;
    return cannot_open(where, why);
}

enum status log_output_reopen(struct problem *why)
{
    return target.path[0] == '\0' ? STATUS_OK : open_file(target.path, why);
}
