/*
 * FastCGI (specification 1.0, responder role) for one worker process: the loop on top of
 *
 *     fcgi_record       records as bytes
 *     fcgi_pairs        parameters as bytes
 *     fcgi_request      parameters and body, read by libfcgi
 *     fcgi_scan         which bytes of a connection belong to the next request
 *     fcgi_input        what has arrived of a request
 *     fcgi_output       what is left to send of an answer
 *     fcgi_handover     connections that pass from one worker to another
 *     fcgi_connections  the table of connections, with their deadlines
 *     fcgi_places       requests in hand, and how long others wait for a place
 *     fcgi_accept       new connections
 *
 * each of which uses only modules above it in this list.
 *
 * - A worker may keep many connections open (the web server's kept ones) and waits for all
 *   of them and for new ones at once. It may have many requests in hand, one on each
 *   connection, and answer them in any order.
 * - A worker that has as many requests in hand as it can goes on accepting connections.
 *   Their requests queue in the order of their arrival. Those that cannot be answered in
 *   time, by what is known of the ones before them, are to be refused at once.
 * - Requests that come on a connection before the answer to the one in front of them are
 *   answered in their order. One that begins before the one in front of it is complete is
 *   refused (FCGI_CANT_MPX_CONN).
 * - Nothing waits for a peer except fastcgi_wait, which waits for all of them: a peer that
 *   sends slowly, or does not read its answer, delays its own connection only.
 * - A worker that ends can pass all its connections to another process through the
 *   hand-over socket, without the peers noticing.
 *
 * Made after fork; one per process.
 */
#ifndef LIB_FASTCGI_H
#define LIB_FASTCGI_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/span.h"
#include "lib/status.h"

enum {
    FASTCGI_YIELD_MS = 20, /* how long new connections are left to workers that keep none */
    FASTCGI_PLACES = 64,   /* requests in hand of one worker */
    FASTCGI_CONNECTIONS = 512, /* of one worker */
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
    FASTCGI_REQUEST, /* a request has arrived */
    FASTCGI_SURPLUS, /* a request has arrived that cannot be answered in time: refuse it */
    FASTCGI_NEWS,    /* news is readable, or the time is over */
    FASTCGI_WOKEN,   /* a signal came, or wake is readable */
    FASTCGI_DONE,    /* after fastcgi_finish or _hand_over: no connection is left */
    FASTCGI_BROKEN,  /* waiting failed; end the process */
};

/* Makes the two ends of a hand-over socket, for all workers to share. */
enum status fastcgi_handover_pair(int *give, int *take);

/* What a peer may do. */
struct fastcgi_limits {
    /* How long it may take to send a whole request, from the first byte on. A connection
     * whose time is over is closed, and the log has the event "request_given_up". Also how
     * long a request may take from its arrival to its answer, see FASTCGI_SURPLUS. */
    int request_ms;
    /* How long it may send nothing of a request that has begun, or take nothing of an
     * answer; also how long a connection may wait for another worker to take it over. */
    int idle_ms;
    /* The most that fastcgi_read_body will be asked for. Of a longer body not much more is
     * kept, but all of it is taken from its connection. */
    size_t max_body_bytes;
};

/* STATUS_INTERNAL: libfcgi does not behave as needed, or epoll failed. */
enum status fastcgi_create(struct fastcgi **out, const struct fastcgi_descriptors *fds,
                           const struct fastcgi_limits *limits);

/* NULL is allowed. Closes every connection; the descriptors given at creation stay. */
void fastcgi_free(struct fastcgi *fastcgi);

/* Waits for the next request, for a signal of signals.h, or for timeout_ms (-1: no limit),
 * and sends meanwhile what is left of answers. After FASTCGI_REQUEST, *place (below
 * FASTCGI_PLACES) is the request's until it has been answered. After FASTCGI_SURPLUS it is
 * FASTCGI_PLACES, and the request has to be answered before the next call. */
enum fastcgi_event fastcgi_wait(struct fastcgi *fastcgi, int timeout_ms, size_t *place);

/* Whether fastcgi_wait knows of more events already, so that its next call need not ask the
 * kernel. */
bool fastcgi_has_more(const struct fastcgi *fastcgi);

/* When a request that was refused now should come again: seconds, at least 1, until those
 * that queue are likely to be answered. */
int64_t fastcgi_retry_after_s(const struct fastcgi *fastcgi);

/* The parameters of a request, "NAME=value" each: FCGI_ROLE from libfcgi, then those that
 * were sent in their order, then NULL. A name may come several times, as with nginx before
 * 1.23 a header does. Valid until fastcgi_answer. */
const char *const *fastcgi_params(const struct fastcgi *fastcgi, size_t place);

/*
 * Reads the whole body into buffer. STATUS_TOO_LARGE: longer than size (all of it was
 * taken from the connection); STATUS_INVALID: not as long as CONTENT_LENGTH (where it is
 * neither absent, empty nor negative) says, or the
 * peer ended it early. *len is what was stored.
 */
enum status fastcgi_read_body(struct fastcgi *fastcgi, size_t place, char *buffer,
                              size_t size, size_t *len);

/*
 * Ends the request with its answer (CGI header and body), of which a copy is made where
 * that is needed: it is sent as far as the peer takes it at once, and the rest during
 * fastcgi_wait.
 *
 * When the peer leaves, or takes nothing for idle_ms, its connection is closed (whatever
 * it takes extends that time, but no longer after fastcgi_finish or _hand_over, so that
 * these come to an end) and the log has the event "answer_not_taken" with label (at most 79
 * bytes; "": none) as request_id. The same happens when the answers that wait for their
 * peers would exceed 64 MiB together.
 */
void fastcgi_answer(struct fastcgi *fastcgi, size_t place, struct span answer,
                    const char *label);

/* Takes no further connection and closes those on which no request has begun. Those that
 * have begun still come out of fastcgi_wait, also behind another on its connection for
 * idle_ms from now on. It ends with FASTCGI_DONE when all answers have been sent. */
void fastcgi_finish(struct fastcgi *fastcgi);

/* The same, but passes all connections to the readers of the other end of the hand-over
 * socket: at once, or when the answer to the request that is in hand has been sent. Those
 * that no worker takes for idle_ms are closed. */
void fastcgi_hand_over(struct fastcgi *fastcgi);

#endif
