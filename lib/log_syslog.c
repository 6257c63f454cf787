#include "lib/log_syslog.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h> /* _PATH_LOG */
#include <time.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 128, /* "<30>Jan 31 12:00:00 IDENT[PID]: " */
};

static struct {
    int fd; /* -1: not connected */
    char ident[LOG_SYSLOG_IDENT_BYTES];
} self = {.fd = -1};

void log_syslog_close(void)
{
    if (self.fd >= 0)
        (void)close(self.fd);
    self.fd = -1;
}

static bool connect_to_daemon(void)
{
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = _PATH_LOG};

    if (self.fd >= 0)
        return true;
    self.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (self.fd < 0)
        return false;
    if (connect(self.fd, (const struct sockaddr *)&name, sizeof name) == 0)
        return true;
    int error = errno;
    log_syslog_close();
    errno = error;
    return false;
}

void log_syslog_open(const char *ident)
{
    (void)snprintf(self.ident, sizeof self.ident, "%s", ident);
    (void)connect_to_daemon();
}

/* The head as RFC 3164 has it and as syslog(3) writes it: with the local time. Month names
 * are those of the C locale, as this program never sets another one. */
static size_t write_head(char head[HEAD_BYTES], int priority)
{
    char now[32] = "";
    time_t seconds = time(NULL);
    struct tm local;

    if (localtime_r(&seconds, &local) != NULL)
        (void)strftime(now, sizeof now, "%b %e %H:%M:%S", &local);
    return (size_t)snprintf(head, HEAD_BYTES, "<%d>%s %s[%d]: ", priority, now, self.ident,
                            (int)getpid());
}

/* By writev, which every process of a sandbox may use; a datagram raises no SIGPIPE. */
static bool send_parts(const struct iovec parts[2])
{
    return connect_to_daemon() && writev(self.fd, parts, 2) >= 0;
}

ssize_t log_syslog_send(int priority, const char *text, size_t len)
{
    char head[HEAD_BYTES];
    struct iovec parts[] = {
        {.iov_base = head, .iov_len = write_head(head, priority)},
        {.iov_base = (char *)(uintptr_t)text, .iov_len = len},
    };

    if (send_parts(parts))
        return (ssize_t)len;
    if (errno == EAGAIN || errno == ENOBUFS) {
        errno = EAGAIN;
        return -1;
    }
    log_syslog_close(); /* a daemon that was restarted has another socket under that name */
    return send_parts(parts) ? (ssize_t)len : -1;
}

void log_syslog_wait(int timeout_ms)
{
    (void)poll(&(struct pollfd){.fd = self.fd, .events = POLLOUT}, 1, timeout_ms);
}
