#include "lib/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"

enum {
    RETRY_MS = 50, /* for what the supervisor did not take */
    MESSAGE_BYTES = NOTIFY_TEXT_BYTES + 128,
};

static struct {
    int fd;                   /* -1: no supervisor */
    int64_t alive_each_ms;    /* 0: no sign of life is expected */
    int64_t alive_at_ms;      /* the next one; monotonic */
    char kept[MESSAGE_BYTES]; /* the last message, while it was not taken; else empty */
} supervisor = {.fd = -1};

/* A number above 0, or 0. */
static int64_t number_of(const char *text)
{
    char *end = NULL;

    errno = 0;
    long long number = text == NULL ? 0 : strtoll(text, &end, 10);
    return end == NULL || *end != '\0' || errno != 0 || number < 0 ? 0 : number;
}

static void read_watchdog(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    int64_t within_us = number_of(getenv("WATCHDOG_USEC"));

    if (within_us == 0 || (pid != NULL && number_of(pid) != getpid()))
        return;
    supervisor.alive_each_ms = within_us / 2000 > 0 ? within_us / 2000 : 1;
    supervisor.alive_at_ms = clock_monotonic_ms();
}

static enum status connect_to(const char *name, struct problem *why)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    bool known = (name[0] == '/' || name[0] == '@') && name[1] != '\0';

    if (!known || len >= sizeof address.sun_path)
        return problem_set(why, STATUS_UNAVAILABLE,
                           "NOTIFY_SOCKET must be a path or @ and a name, not '%s'", name);
    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 &&
        connect(fd, (const struct sockaddr *)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0) {
        supervisor.fd = fd;
        return STATUS_OK;
    }
    enum status status =
        problem_set(why, STATUS_UNAVAILABLE, "cannot reach the supervisor at %s: %s", name,
                    strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return status;
}

enum status notify_open(struct problem *why)
{
    const char *name = getenv("NOTIFY_SOCKET");
    enum status status = STATUS_OK;

    if (name != NULL && name[0] != '\0')
        status = connect_to(name, why);
    if (supervisor.fd >= 0)
        read_watchdog();
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return status;
}

void notify_close(void)
{
    if (supervisor.fd >= 0)
        (void)close(supervisor.fd);
    supervisor.fd = -1;
    supervisor.alive_each_ms = 0;
    supervisor.kept[0] = '\0';
}

/* False: to be tried again. */
static bool send_now(const char *message)
{
    ssize_t sent = send(supervisor.fd, message, strlen(message), MSG_NOSIGNAL);

    return sent >= 0 || (errno != EAGAIN && errno != EINTR && errno != ENOBUFS);
}

static void send_kept(void)
{
    if (supervisor.kept[0] != '\0' && send_now(supervisor.kept))
        supervisor.kept[0] = '\0';
}

/* A message that was not taken is replaced by the next one, which is what is true then. */
static void say(const char *message)
{
    if (supervisor.fd < 0)
        return;
    (void)snprintf(supervisor.kept, sizeof supervisor.kept, "%s", message);
    send_kept();
}

/* "FIRST-LINE\nSTATUS=status", where status stays one line. In ASCII, because a character
 * that is cut would not be UTF-8, and the supervisor drops such a text. */
static void say_with_status(const char *first_line, const char *status)
{
    char message[MESSAGE_BYTES];
    int begin = snprintf(message, sizeof message, "%s\nSTATUS=", first_line);

    (void)snprintf(message + begin, NOTIFY_TEXT_BYTES, "%s", status);
    for (char *c = message + begin; *c != '\0'; c++)
        if (*c < ' ' || *c > '~')
            *c = *c == '\n' || *c == '\t' ? ' ' : '?';
    say(message);
}

void notify_ready(const char *status)
{
    say_with_status("READY=1", status);
}

void notify_stopping(const char *status)
{
    say_with_status("STOPPING=1", status);
}

void notify_reloading(void)
{
    char first_lines[64];

    (void)snprintf(first_lines, sizeof first_lines, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)clock_monotonic_us());
    say_with_status(first_lines, "reloading");
}

int64_t notify_alive(void)
{
    int64_t now_ms = clock_monotonic_ms();

    send_kept();
    if (supervisor.alive_each_ms != 0 && now_ms >= supervisor.alive_at_ms)
        supervisor.alive_at_ms =
            now_ms + (send_now("WATCHDOG=1") ? supervisor.alive_each_ms : RETRY_MS);
    int64_t wait_ms =
        supervisor.alive_each_ms == 0 ? INT64_MAX : supervisor.alive_at_ms - now_ms;
    return supervisor.kept[0] != '\0' && wait_ms > RETRY_MS ? RETRY_MS : wait_ms;
}
