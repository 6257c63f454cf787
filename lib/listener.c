#include "lib/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/address.h"
#include "lib/privileges.h"

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn; full means 502 at once */
    FIRST_PASSED_FD = 3,
};

static const char unix_prefix[] = "unix:";

const char *listener_path(const char *where)
{
    size_t len = sizeof unix_prefix - 1;

    return strncmp(where, unix_prefix, len) == 0 ? where + len : NULL;
}

static enum status failed(struct problem *why, const char *what, const char *where)
{
    return problem_set(why, STATUS_CANT_CREATE, "cannot %s %s: %s", what, where,
                       strerror(errno));
}

static int new_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Removes a socket file that no program listens on any more. */
static enum status clear_path(const struct sockaddr_un *address, struct problem *why)
{
    const char *path = address->sun_path;
    struct stat st;

    if (lstat(path, &st) != 0)
        return STATUS_OK;
    if (!S_ISSOCK(st.st_mode))
        return problem_set(why, STATUS_CANT_CREATE,
                           "%s exists and is no socket: choose another path", path);
    int fd = new_socket(AF_UNIX);
    if (fd < 0)
        return failed(why, "make a socket for", path);
    /* any other failure (another type of socket, no permission) counts as served */
    bool served = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                  errno != ECONNREFUSED;
    (void)close(fd);
    if (served)
        return problem_set(why, STATUS_CANT_CREATE,
                           "another program is serving %s: stop it first", path);
    return unlink(path) == 0 ? STATUS_OK : failed(why, "remove the old socket", path);
}

/* *gid is (gid_t)-1 when no group is named. */
static enum status find_group(gid_t *gid, const char *group, struct problem *why)
{
    *gid = (gid_t)-1;
    if (group == NULL || group[0] == '\0')
        return STATUS_OK;
    return privileges_find_group(gid, "socket_group", group, why);
}

static enum status set_owner(const char *path, mode_t mode, const char *group,
                             struct problem *why)
{
    gid_t gid;
    enum status status = find_group(&gid, group, why);

    if (status != STATUS_OK)
        return status;
    if (gid != (gid_t)-1 && chown(path, (uid_t)-1, gid) != 0)
        return failed(why, "change the group of", path);
    return chmod(path, mode) == 0 ? STATUS_OK : failed(why, "change the mode of", path);
}

static enum status fill_unix(struct sockaddr_un *out, const char *path, struct problem *why)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path[0] != '/' || strlen(path) >= sizeof out->sun_path)
        return problem_set(why, STATUS_CONFIG,
                           "a socket's path must begin with / and be shorter than %zu "
                           "bytes, not '%s'",
                           sizeof out->sun_path, path);
    (void)snprintf(out->sun_path, sizeof out->sun_path, "%s", path);
    return STATUS_OK;
}

static enum status open_unix(int *fd, const char *path, mode_t mode, const char *group,
                             struct problem *why)
{
    struct sockaddr_un address;
    enum status status = fill_unix(&address, path, why);

    if (status == STATUS_OK)
        status = clear_path(&address, why);
    if (status != STATUS_OK)
        return status;
    *fd = new_socket(AF_UNIX);
    if (*fd < 0)
        return failed(why, "make a socket for", path);
    mode_t before = umask(0777);
    int bound = bind(*fd, (const struct sockaddr *)&address, sizeof address);
    (void)umask(before);
    if (bound != 0)
        return failed(why, "bind to", path);
    status = set_owner(path, mode, group, why);
    if (status != STATUS_OK)
        (void)unlink(path);
    return status;
}

static bool is_loopback(const struct address *address)
{
    static const struct cidr loopback[] = {
        {{ADDRESS_IPV4, {127}}, 8},
        {{ADDRESS_IPV6, {[15] = 1}}, 128},
    };

    return cidr_contains(&loopback[0], address) || cidr_contains(&loopback[1], address);
}

static socklen_t fill_inet(struct sockaddr_storage *out, const struct address *address,
                           uint16_t port)
{
    if (address->family == ADDRESS_IPV4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, address->bytes, sizeof in->sin_addr);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    memcpy(&in6->sin6_addr, address->bytes, sizeof in6->sin6_addr);
    return sizeof *in6;
}

static bool split_host_and_port(const char *where, struct address *address, uint16_t *port)
{
    const char *colon = strrchr(where, ':');
    char *end;

    if (colon == NULL)
        return false;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || number > 65535)
        return false;
    struct span host = {where, (size_t)(colon - where)};
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = (struct span){host.data + 1, host.len - 2};
    *port = (uint16_t)number;
    return address_parse(address, host);
}

static enum status read_host_and_port(const char *where, struct address *address,
                                      uint16_t *port, struct problem *why)
{
    if (!split_host_and_port(where, address, port))
        return problem_set(
            why, STATUS_CONFIG,
            "listen must be unix:PATH, 127.0.0.1:PORT or [::1]:PORT, not '%s'", where);
    if (!is_loopback(address))
        return problem_set(
            why, STATUS_CONFIG,
            "%s is no loopback address: a program that reaches a FastCGI port can "
            "claim any client address, so put the web server on this machine",
            where);
    return STATUS_OK;
}

static enum status open_tcp(int *fd, const char *where, struct problem *why)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    struct address address = {.family = ADDRESS_NONE};
    uint16_t port = 0;
    int on = 1;
    enum status status = read_host_and_port(where, &address, &port, why);

    if (status != STATUS_OK)
        return status;
    socklen_t len = fill_inet(&name, &address, port);
    *fd = new_socket(name.ss_family);
    if (*fd < 0)
        return failed(why, "make a socket for", where);
    (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(*fd, (const struct sockaddr *)&name, len) != 0)
        return failed(why, "bind to", where);
    return STATUS_OK;
}

enum status listener_open(int *fd, const char *where, mode_t mode, const char *group,
                          struct problem *why)
{
    const char *path = listener_path(where);

    *fd = -1;
    enum status status =
        path != NULL ? open_unix(fd, path, mode, group, why) : open_tcp(fd, where, why);
    if (status == STATUS_OK && listen(*fd, BACKLOG) != 0)
        status = failed(why, "listen on", where);
    if (status != STATUS_OK && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    return status;
}

static enum status check_unix(const char *path, const char *group, struct problem *why)
{
    struct sockaddr_un address;
    char directory[sizeof address.sun_path];
    struct stat st;
    gid_t gid;

    if (fill_unix(&address, path, why) != STATUS_OK ||
        find_group(&gid, group, why) != STATUS_OK)
        return STATUS_CONFIG;
    if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
        return problem_set(why, STATUS_CANT_CREATE,
                           "%s exists and is no socket: choose another path", path);
    (void)snprintf(directory, sizeof directory, "%.*s",
                   (int)(strrchr(path, '/') - path + 1), path);
    return access(directory, W_OK | X_OK) == 0 ? STATUS_OK
                                               : failed(why, "make a socket in", directory);
}

enum status listener_check(const char *where, const char *group, struct problem *why)
{
    const char *path = listener_path(where);
    struct address address;
    uint16_t port;

    return path != NULL ? check_unix(path, group, why)
                        : read_host_and_port(where, &address, &port, why);
}

enum status listener_give(const char *where, uid_t uid, gid_t gid, struct problem *why)
{
    const char *path = listener_path(where);

    if (path != NULL && lchown(path, uid, gid) != 0)
        return failed(why, "change the owner of", path);
    return STATUS_OK;
}

void listener_remove(const char *where)
{
    const char *path = listener_path(where);

    if (path != NULL)
        (void)unlink(path);
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on != 0;
}

static bool passed_by_systemd(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

    return pid != NULL && count != NULL && strtol(pid, NULL, 10) == (long)getpid() &&
           strtol(count, NULL, 10) >= 1;
}

enum status listener_inherit(int *fd, struct problem *why)
{
    if (passed_by_systemd() && is_listening(FIRST_PASSED_FD))
        *fd = FIRST_PASSED_FD;
    else if (is_listening(STDIN_FILENO))
        *fd = STDIN_FILENO;
    else
        return STATUS_NOT_FOUND;
    int flags = fcntl(*fd, F_GETFL);
    if (flags < 0 || fcntl(*fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return failed(why, "use the socket on", "the descriptor that was handed over");
    return STATUS_OK;
}
