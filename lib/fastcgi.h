/*
 * FastCGI (specification 1.0, responder role) for one worker process, around libfcgi.
 *
 * libfcgi reads and writes requests well, but it waits without limit and serves one
 * connection until that closes. So this file waits for connections itself and hands
 * libfcgi a descriptor only when a request is complete:
 *
 * - A worker may keep many connections open (the web server's kept ones) and waits for all
 *   of them and for new ones at once; a slow or silent peer holds up nobody. It may also
 *   have many requests in hand, one on each connection, and answer them in any order.
 * - While it keeps connections, it leaves new ones to workers that keep none, for
 *   FASTCGI_YIELD_MS; then it takes them as well. So connections spread evenly, and none
 *   waits longer than that for a worker that waits. When it has no place for one, or the
 *   process no descriptor, it closes the kept connection that has rested longest.
 * - Bytes are only looked at until then, not taken (those of a slow peer or of a large
 *   request are collected in a file in memory). A worker that ends can pass all its
 *   connections to another process through the hand-over socket, and nobody notices.
 *
 * Made after fork; one per process.
 */
#ifndef LIB_FASTCGI_H
#define LIB_FASTCGI_H

#include "lib/span.h"
#include "lib/status.h"

enum {
    FASTCGI_YIELD_MS = 20, /* how long new connections are left to others */
    FASTCGI_PLACES = 64,   /* connections, and so requests in hand, of one worker */
};

struct fastcgi;

struct fastcgi_descriptors {
    int listening;  /* non-blocking */
    int wake;       /* readable or at its end: fastcgi_wait returns; -1: none */
    int news;       /* likewise, but watched for edges and never read; -1: none */
    int give, take; /* the two ends of the hand-over socket (see fastcgi_handover_pair);
                       -1: none */
};

enum fastcgi_event {
    FASTCGI_REQUEST, /* one is there */
    FASTCGI_NEWS,    /* news is readable, or the time is over */
    FASTCGI_WOKEN,   /* a signal came, or wake is readable */
    FASTCGI_DONE,   /* after fastcgi_finish or _hand_over: no request is in hand any more */
    FASTCGI_BROKEN, /* waiting failed; end the process */
};

/* Makes the two ends of a hand-over socket, for all workers to share. */
enum status fastcgi_handover_pair(int *give, int *take);

/* timeout_ms: how long a peer may take to send a request, or to take a piece of an answer.
 * max_body_bytes: the most that fastcgi_read_body will be asked for; no more is kept of a body
 * that is longer, but all of it is taken from its connection. STATUS_INTERNAL when libfcgi does not behave as this file needs. */
enum status fastcgi_create(struct fastcgi **out, const struct fastcgi_descriptors *fds,
                           int timeout_ms, size_t max_body_bytes);

/* NULL is allowed. Closes every connection; the descriptors given at creation stay. */
void fastcgi_free(struct fastcgi *fastcgi);

/* Waits for the next request, for a signal of signals.h, or for timeout_ms (-1: no limit).
 * After FASTCGI_REQUEST, *place (below FASTCGI_PLACES) is the request's until it has been
 * answered. */
enum fastcgi_event fastcgi_wait(struct fastcgi *fastcgi, int timeout_ms, size_t *place);

/* A parameter of a request, or NULL. Valid until fastcgi_answer. */
const char *fastcgi_param(const struct fastcgi *fastcgi, size_t place, const char *name);

/* The same for a name that may come several times, as with nginx before 1.23 a header does:
 * the index-th from 0, in their order; NULL when there are fewer. */
const char *fastcgi_param_nth(const struct fastcgi *fastcgi, size_t place, const char *name,
                              size_t index);

/*
 * Reads the whole body into buffer. STATUS_TOO_LARGE: longer than size (all of it was
 * taken from the connection); STATUS_INVALID: not as long as CONTENT_LENGTH says, or the
 * peer ended it early. *len is what was stored.
 */
enum status fastcgi_read_body(struct fastcgi *fastcgi, size_t place, char *buffer,
                              size_t size, size_t *len);

/* Sends the answer (CGI header and body) and ends the request. STATUS_IO when the peer
 * did not take it all. */
enum status fastcgi_answer(struct fastcgi *fastcgi, size_t place, struct span answer);

/* Takes no further connection and closes those on which no request has begun. Those that
 * have begun still come out of fastcgi_wait, which ends with FASTCGI_DONE. */
void fastcgi_finish(struct fastcgi *fastcgi);

/* The same, but passes all connections to whoever reads the other end of the hand-over
 * socket: at once, or when the request that is in hand has been answered. */
void fastcgi_hand_over(struct fastcgi *fastcgi);

#endif
