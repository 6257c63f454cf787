/*
 * The listening socket: made here, or inherited from the program that started this one.
 *
 * A peer that can connect can claim any client address. So a Unix socket gets its mode and
 * group before it listens, and TCP is accepted on loopback addresses only.
 */
#ifndef LIB_LISTENER_H
#define LIB_LISTENER_H

#include <sys/types.h>

#include "lib/status.h"

/*
 * Makes a non-blocking listening socket. where: "unix:PATH", "127.0.0.1:PORT" or
 * "[::1]:PORT". A socket file that no program listens on is replaced; one that is served is
 * not. group (NULL or "": leave it) and mode are those of the socket file. The caller owns
 * *fd.
 */
enum status listener_open(int *fd, const char *where, mode_t mode, const char *group,
                          struct problem *why);

/* Whether listener_open could make such a socket, as far as can be told without making it.
 * A socket that another program serves now is no failure. */
enum status listener_check(const char *where, const char *group, struct problem *why);

/* Changes the owner of the socket file of "unix:PATH", and its group unless gid is
 * (gid_t)-1; does nothing for TCP. */
enum status listener_give(const char *where, uid_t uid, gid_t gid, struct problem *why);

/* The path of "unix:PATH"; NULL for TCP. */
const char *listener_path(const char *where);

/* Removes the socket file of "unix:PATH"; does nothing for TCP. */
void listener_remove(const char *where);

/* The listening socket handed over as LISTEN_FDS (sd_listen_fds(3)) or as descriptor 0
 * (spawn-fcgi, mod_fcgid, systemd's StandardInput=socket), made non-blocking.
 * STATUS_NOT_FOUND: there is none. */
enum status listener_inherit(int *fd, struct problem *why);

#endif
