#include "lib/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/acting.h"
#include "lib/address.h"
#include "lib/clock.h"
#include "lib/privileges.h"

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn; full means 502 at once */
    FIRST_PASSED_FD = 3,
    PREDECESSOR_MS = 3000, /* for another program to end that listens on the same path */
    PREDECESSOR_LOOK_MS = 50,
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

/* Whether a program listens there. Any failure to find out (another type of socket, no
 * permission) counts as one. */
static bool is_served(const struct sockaddr_un *address)
{
    int fd = new_socket(AF_UNIX);
    bool served = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
                  (errno != ECONNREFUSED && errno != ENOENT);

    if (fd >= 0)
        (void)close(fd);
    return served;
}

/* Removes a socket file that no program listens on any more. One that is ending gets some
 * time: the workers of a master that was killed need about a second. */
static enum status clear_path(const struct sockaddr_un *address, struct problem *why)
{
    const char *path = address->sun_path;
    const int64_t until_ms = clock_monotonic_ms() + PREDECESSOR_MS;
    struct stat st;

    if (lstat(path, &st) != 0)
        return STATUS_OK;
    if (!S_ISSOCK(st.st_mode))
        return problem_set(why, STATUS_CANT_CREATE,
                           "%s exists and is no socket: choose another path", path);
    while (is_served(address)) {
        if (clock_monotonic_ms() >= until_ms)
            return problem_set(why, STATUS_CANT_CREATE,
                               "another program is serving %s: stop it first", path);
        (void)poll(NULL, 0, PREDECESSOR_LOOK_MS);
    }
    return unlink(path) == 0 || errno == ENOENT
               ? STATUS_OK
               : failed(why, "remove the old socket", path);
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

/* The user who can rename and replace what is at the path. */
static uid_t owner_of_directory(const char *path)
{
    struct acting owner;

    acting_find(&owner, path);
    return owner.uid;
}

/* As root: accesses files as that user and group from now on. Without effect for others. */
static void act_as(uid_t uid, gid_t gid)
{
    (void)setfsgid(gid);
    (void)setfsuid(uid);
}

/* bind(2) makes the file with the mode of the socket, less umask. */
static int bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode)
{
    mode_t before = umask(0);
    int result = fchmod(fd, mode);

    if (result == 0)
        result = bind(fd, (const struct sockaddr *)address, sizeof *address);
    (void)umask(before);
    return result;
}

/* The file that the path leads to; opened so that nothing can take its place. -1 with
 * errno: there is none, or another user's. */
static int open_own(const char *path, uid_t uid, struct stat *info)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, info) == 0 && S_ISSOCK(info->st_mode) && info->st_uid == uid)
        return fd;
    if (fd >= 0) {
        (void)close(fd);
        errno = ESTALE;
    }
    return -1;
}

/* Where bind could not give the file its owner or group: root made it in a directory of its
 * own, or the directory sets the group. */
static enum status settle_file(struct listener_made *made, uid_t uid,
                               const struct listener_file *wanted, struct problem *why)
{
    struct stat info;
    int fd = open_own(made->path, uid, &info);

    if (fd < 0)
        return failed(why, "find the socket that was made,", made->path);
    bool differs = (wanted->uid != (uid_t)-1 && wanted->uid != info.st_uid) ||
                   (wanted->gid != (gid_t)-1 && wanted->gid != info.st_gid);
    enum status status = STATUS_OK;
    if (differs && fchownat(fd, "", wanted->uid, wanted->gid, AT_EMPTY_PATH) != 0)
        status = failed(why, "change owner and group of", made->path);
    made->id = file_id_of(&info);
    (void)close(fd);
    return status;
}

static enum status make_file(int *fd, const struct sockaddr_un *address, mode_t mode,
                             struct problem *why)
{
    const char *path = address->sun_path;
    enum status status = clear_path(address, why);

    if (status != STATUS_OK)
        return status;
    *fd = new_socket(AF_UNIX);
    if (*fd < 0)
        return failed(why, "make a socket for", path);
    return bind_with_mode(*fd, address, mode) == 0 ? STATUS_OK
                                                   : failed(why, "bind to", path);
}

static enum status open_unix(int *fd, struct listener_made *made, const char *path,
                             const struct listener_file *file, struct problem *why)
{
    struct sockaddr_un address;
    enum status status = fill_unix(&address, path, why);

    if (status != STATUS_OK)
        return status;
    uid_t uid = geteuid() == 0 ? owner_of_directory(path) : geteuid();
    act_as(uid, file->gid != (gid_t)-1 ? file->gid : getegid());
    status = make_file(fd, &address, file->mode, why);
    act_as(geteuid(), getegid());
    if (status != STATUS_OK)
        return status;
    (void)snprintf(made->path, sizeof made->path, "%s", path);
    status = settle_file(made, uid, file, why);
    if (status != STATUS_OK) {
        listener_remove(made);
        made->path[0] = '\0';
    }
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

enum status listener_open(int *fd, struct listener_made *made, const char *where,
                          const struct listener_file *file, struct problem *why)
{
    const char *path = listener_path(where);

    *fd = -1;
    *made = (struct listener_made){.path = ""};
    enum status status =
        path != NULL ? open_unix(fd, made, path, file, why) : open_tcp(fd, where, why);
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
        (group != NULL && group[0] != '\0' &&
         privileges_find_group(&gid, "socket_group", group, why) != STATUS_OK))
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

void listener_remove(const struct listener_made *made)
{
    struct stat info;

    if (made->path[0] != '\0' && lstat(made->path, &info) == 0 &&
        file_id_equals(file_id_of(&info), made->id))
        (void)unlink(made->path);
}

void listener_close(int fd, int spare)
{
    if (fd > STDERR_FILENO)
        (void)close(fd);
    else
        (void)dup2(spare, fd);
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t len = sizeof on;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 && on != 0;
}

/* How many descriptors systemd has passed to this process. */
static long passed_by_systemd(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

    if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid())
        return 0;
    return strtol(count, NULL, 10);
}

/* As for listener_open. Abstract Unix sockets have no permissions. */
static enum status check_reach(int fd, struct problem *why)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof name;
    struct address address = {.family = ADDRESS_NONE};

    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0)
        return failed(why, "use", "the socket that was handed over");
    if (name.ss_family == AF_UNIX)
        return STATUS_OK;
    if (name.ss_family == AF_INET)
        address = address_of_bytes(
            (struct span){(const char *)&((struct sockaddr_in *)&name)->sin_addr, 4});
    if (name.ss_family == AF_INET6)
        address = address_of_bytes(
            (struct span){(const char *)&((struct sockaddr_in6 *)&name)->sin6_addr, 16});
    return is_loopback(&address) ? STATUS_OK
                                 : problem_set(why, STATUS_CONFIG,
                                               "the socket that was handed over is on no "
                                               "loopback address: a program that reaches a "
                                               "FastCGI port can claim any client address, "
                                               "so use a Unix socket or 127.0.0.1");
}

/* Whether the passed descriptor with this index, from 0, has the name. */
static bool has_name(long index, const char *name)
{
    const char *names = getenv("LISTEN_FDNAMES");
    size_t len = name != NULL ? strlen(name) : 0;

    while (names != NULL && index-- > 0) {
        names = strchr(names, ':');
        names = names != NULL ? names + 1 : NULL;
    }
    return names != NULL && name != NULL && strncmp(names, name, len) == 0 &&
           (names[len] == ':' || names[len] == '\0');
}

/* Finds those that systemd has passed with the name, or those with any other one. *fd is
 * the first of them. Returns how many there are. */
static long find_passed(int *fd, const char *name, bool other)
{
    long passed = passed_by_systemd(), found = 0;

    for (long i = passed; i-- > 0;)
        if (has_name(i, name) != other) {
            *fd = FIRST_PASSED_FD + (int)i;
            found++;
        }
    return found;
}

static enum status take_over(int fd, struct problem *why)
{
    enum status status = check_reach(fd, why);

    if (status != STATUS_OK)
        return status;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return failed(why, "use the socket on", "the descriptor that was handed over");
    return STATUS_OK;
}

static enum status complain_of_several(long passed, struct problem *why)
{
    return problem_set(why, STATUS_CONFIG,
                       "systemd hands over %ld sockets, and only one can be served: "
                       "keep one ListenStream= in the socket unit",
                       passed);
}

enum status listener_inherit(int *fd, const char *other, struct problem *why)
{
    long found = find_passed(fd, other, true);

    if (found > 1)
        return complain_of_several(found, why);
    if (found == 0 || !is_listening(*fd))
        *fd = is_listening(STDIN_FILENO) ? STDIN_FILENO : -1;
    return *fd >= 0 ? take_over(*fd, why) : STATUS_NOT_FOUND;
}

enum status listener_inherit_named(int *fd, const char *name, struct problem *why)
{
    long found = find_passed(fd, name, false);

    if (found > 1)
        return complain_of_several(found, why);
    if (found == 0 || !is_listening(*fd))
        *fd = -1;
    return *fd >= 0 ? take_over(*fd, why) : STATUS_NOT_FOUND;
}
