/*
 * The listening socket: made here, or inherited from the program that started this one.
 *
 * A peer that can connect can claim any client address. So a Unix socket gets its mode and
 * group before it listens, and TCP is accepted on loopback addresses only.
 */
#ifndef LIB_LISTENER_H
#define LIB_LISTENER_H

#include <sys/types.h>
#include <sys/un.h>

#include "lib/file.h"
#include "lib/status.h"

/* Of a socket file. */
struct listener_file {
    mode_t mode;
    uid_t uid; /* (uid_t)-1: as it comes */
    gid_t gid; /* (gid_t)-1: as it comes */
};

/* A socket file that listener_open has made. */
struct listener_made {
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* empty: there is none */
    struct file_id id;
};

/*
 * Makes a non-blocking listening socket. where: "unix:PATH", "127.0.0.1:PORT" or
 * "[::1]:PORT". A socket file that no program listens on is replaced; for one that is
 * served it waits for three seconds, and then it fails. The file has its owner, group and
 * mode from the beginning. Root acts in a directory of another user as that user, who may
 * put other files or links in the way meanwhile. The caller owns *fd. made has an empty
 * path for TCP.
 */
enum status listener_open(int *fd, struct listener_made *made, const char *where,
                          const struct listener_file *file, struct problem *why);

/* Whether listener_open could make such a socket, as far as can be told without making it.
 * A socket that another program serves now is no failure. */
enum status listener_check(const char *where, const char *group, struct problem *why);

/* The path of "unix:PATH"; NULL for TCP. */
const char *listener_path(const char *where);

/* Removes the file, unless it was replaced by another one since. */
void listener_remove(const struct listener_made *made);

/* Closes this process's descriptor of a listening socket. A standard descriptor becomes one
 * of the file of spare instead, because the next file that is opened must not get its
 * number. */
void listener_close(int fd, int spare);

/* The listening socket handed over as LISTEN_FDS (sd_listen_fds(3)) or as descriptor 0
 * (spawn-fcgi, mod_fcgid, systemd's StandardInput=socket), made non-blocking. That of
 * LISTEN_FDS which has the name `other` in LISTEN_FDNAMES is left out; NULL: none is.
 * STATUS_NOT_FOUND: there is none. STATUS_CONFIG: there are several, or other machines can
 * reach it. */
enum status listener_inherit(int *fd, const char *other, struct problem *why);

/* The one of LISTEN_FDS with this name (FileDescriptorName= in systemd.socket(5));
 * otherwise as listener_inherit. */
enum status listener_inherit_named(int *fd, const char *name, struct problem *why);

#endif
