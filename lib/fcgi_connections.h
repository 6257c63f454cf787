/*
 * The connections of one worker: a table of places, each with its descriptor, its request
 * and its answer, and the events that epoll reports for it.
 *
 * No function waits for a peer. The memory of a connection is bounded: up to 64 KiB of a
 * request in the socket, or a file in memory as large as fcgi_input.h says, and one answer,
 * as the next request, which may wait in the socket, is not read before that is sent. The
 * answers of all connections that are still to be sent hold FCGI_CONNECTIONS_UNSENT_BYTES
 * at most.
 *
 * There may be more connections than requests in hand. A request for which there is no room
 * stays in its socket, and its connection queues.
 *
 * The caller (fastcgi.c) decides whether a connection is kept, closed or handed over after
 * its answer, because only the caller knows whether the worker ends.
 */
#ifndef LIB_FCGI_CONNECTIONS_H
#define LIB_FCGI_CONNECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/fcgi_input.h"
#include "lib/fcgi_output.h"
#include "lib/span.h"
#include "lib/status.h"

enum {
    FCGI_CONNECTIONS_UNSENT_BYTES = 112 * 1024 * 1024, /* 64 answers of 1.75 MiB */
    FCGI_CONNECTIONS_STALL_MS = 50, /* after that an unfinished request is collected */
    FCGI_CONNECTIONS_LABEL_BYTES = 80,
};

struct fcgi_request;

enum fcgi_connection_state {
    FCGI_FREE,    /* no connection is in this place */
    FCGI_WAITING, /* for a request, or for the rest of one */
    FCGI_IN_HAND, /* its request is complete and has been given to the caller */
    FCGI_SENDING, /* its answer was not taken at once */
};

struct fcgi_connection {
    enum fcgi_connection_state state;
    int fd; /* -1: none */
    struct fcgi_input input;
    struct fcgi_request *request; /* NULL: this place had none yet */
    struct fcgi_output output;
    char label[FCGI_CONNECTIONS_LABEL_BYTES]; /* of the answer */
    bool piped;          /* the request in hand is, or was, in the reader's pipe */
    bool stays;          /* the web server wants to go on using it after the answer */
    bool kept;           /* counted in kept below */
    bool in_hand;        /* counted in in_hand below, until the request is answered */
    bool watched;        /* by epoll */
    bool look;           /* something may have arrived of which epoll will not tell again;
                              waiting: it queues to be looked at */
    int before, behind;  /* in the queue; -1: none */
    int64_t queued_us;   /* since when it queues */
    int64_t since_ms;    /* unfinished: when the request began; sending: when the peer last
                              took something; 0: there is no deadline */
    int64_t progress_ms; /* unfinished: when something of it arrived last */
    int64_t rests_since_ms; /* without a request */
};

struct fcgi_connections {
    int epoll; /* tells of connections by their place; other numbers are the caller's */
    int request_ms, idle_ms;
    struct fcgi_reader reader;
    size_t unsent_bytes; /* of all answers that are being sent */
    int used;            /* places that are not free */
    int kept;            /* connections that stay, or whose request is unfinished */
    int timed;           /* connections with a deadline */
    int first, last;     /* of the queue; -1: none */
    int queued;          /* connections in the queue */
    int in_hand;         /* requests in hand */
    int in_hand_max;     /* at first count; the caller may lower it */
    int count;           /* of places */
    struct fcgi_connection at[];
};

/* request_ms, idle_ms and max_body_bytes as in struct fastcgi_limits. NULL: no memory or no
 * descriptor. */
struct fcgi_connections *fcgi_connections_create(int count, int request_ms, int idle_ms,
                                                 size_t max_body_bytes);

/* NULL is allowed. Closes all connections. */
void fcgi_connections_free(struct fcgi_connections *all);

/* Asks epoll to tell of fd as number, which is no place. */
enum status fcgi_connections_watch(struct fcgi_connections *all, int fd, uint32_t events,
                                   uint32_t number);

/* Ends that. */
void fcgi_connections_unwatch(struct fcgi_connections *all, int fd);

/* Puts a non-blocking connection, with what was collected from it (NULL: nothing), into a
 * free place. -1: there is none, and both are closed. */
int fcgi_connections_add(struct fcgi_connections *all, int fd,
                         const struct fcgi_input *input);

/* Closes the connection and frees its place. */
void fcgi_connections_drop(struct fcgi_connections *all, int place);

/* Closes a connection whose last answer was sent. What has come behind the request is read
 * first: to close a socket with unread bytes resets the connection, which can cost the peer
 * the answer. */
void fcgi_connections_end(struct fcgi_connections *all, int place);

/* Counts the connection as kept. */
void fcgi_connections_keep(struct fcgi_connections *all, int place);

/* Lets the connection wait for its next request, or for the rest of one. It is dropped when
 * epoll fails. */
void fcgi_connections_await(struct fcgi_connections *all, int place);

/* Starts the deadline of its unfinished request, unless it runs already. */
void fcgi_connections_set_deadline(struct fcgi_connections *all, int place);

/* Looks at what has arrived on a waiting connection. True: its request is complete and now
 * in hand. A connection that has ended or breaks the rules is dropped. */
bool fcgi_connections_look(struct fcgi_connections *all, int place);

/* The same, but begins to collect a request that is unfinished. */
bool fcgi_connections_look_stalled(struct fcgi_connections *all, int place);

/* As fastcgi_read_body. */
enum status fcgi_connections_read_body(struct fcgi_connections *all, int place,
                                       char *buffer, size_t size, size_t *len);

/* True when at least a part of a request, or of another record, has arrived on a waiting
 * connection. */
bool fcgi_connections_has_begun(struct fcgi_connections *all, int place);

/* True when one more request may be in hand. */
bool fcgi_connections_has_room(const struct fcgi_connections *all);

/* Puts a connection into the queue of those to look at, as soon as it waits. */
void fcgi_connections_mark(struct fcgi_connections *all, int place);

/* True for a connection that has neither a request nor a part of one, as far as it was
 * looked at. */
bool fcgi_connections_rests(const struct fcgi_connection *connection);

/* The place of the connection that has rested longest; -1: none rests. */
int fcgi_connections_longest_resting(const struct fcgi_connections *all);

/* Sends the answer to the request in hand, which ends with that. label is copied.
 * STATUS_OK: all was sent; STATUS_BUSY: the connection is FCGI_SENDING, and epoll tells
 * when it takes more; else: it is of no more use. */
enum status fcgi_connections_answer(struct fcgi_connections *all, int place,
                                    struct span answer, const char *label);

/* Sends more of an answer; the same results. lasting: taking something extends the
 * deadline. */
enum status fcgi_connections_send(struct fcgi_connections *all, int place, bool lasting);

#endif
