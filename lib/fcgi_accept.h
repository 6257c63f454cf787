/*
 * Accepting new connections, so that they spread evenly over the workers that share a
 * listening socket.
 *
 * A worker that keeps no connection accepts at once, and waking one such worker is enough
 * (EPOLLEXCLUSIVE). A worker that keeps some leaves a new connection to the former for
 * FCGI_ACCEPT_YIELD_MS and takes it then. Where there is no place or no descriptor for it,
 * the connection that has rested longest is closed; where none rests, it is tried again
 * later. No function waits.
 */
#ifndef LIB_FCGI_ACCEPT_H
#define LIB_FCGI_ACCEPT_H

#include <stdbool.h>
#include <stdint.h>

struct fcgi_connections;

enum {
    FCGI_ACCEPT_YIELD_MS = 20,
};

struct fcgi_acceptor {
    int listening;    /* non-blocking */
    uint32_t number;  /* by which epoll reports it */
    uint32_t watched; /* the events that epoll was asked for; 0: none */
    bool stopped;
    bool failing;  /* the last attempt failed, and a connection may be pending */
    int64_t at_ms; /* of the next attempt; 0: no connection is known to be pending */
    int silent;    /* a place: the next attempt may come as soon as its request has
                              arrived; -1: only at_ms counts */
    int64_t complained_ms; /* when a failure was logged last; 0: never */
};

/* Makes answers on TCP leave at once, too: accepted sockets inherit TCP_NODELAY. */
void fcgi_acceptor_init(struct fcgi_acceptor *acceptor, int listening, uint32_t number);

/* Before each wait: asks epoll for the events that are needed with this number of kept
 * connections. */
void fcgi_acceptor_watch(struct fcgi_acceptor *acceptor, struct fcgi_connections *all);

/* To be called when epoll has reported the listening socket. Returns the place of a request
 * that begins, or -1. */
int fcgi_acceptor_told(struct fcgi_acceptor *acceptor, struct fcgi_connections *all);

/* Makes the attempt that was planned, once its time has come. Returns the place of a
 * request that begins, or -1. */
int fcgi_acceptor_accept(struct fcgi_acceptor *acceptor, struct fcgi_connections *all);

/* Milliseconds to the next attempt; -1: none is planned. */
int fcgi_acceptor_wait_ms(const struct fcgi_acceptor *acceptor,
                          const struct fcgi_connections *all);

/* Stops accepting. */
void fcgi_acceptor_stop(struct fcgi_acceptor *acceptor, struct fcgi_connections *all);

#endif
