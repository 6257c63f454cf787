/*
 * The part of a request that has arrived, while it is not complete.
 *
 * Bytes are only peeked at, so that the connection can be handed over and libfcgi can read
 * the request from the socket itself. Those of a slow peer or of a large request are
 * collected in a file in memory, because a socket's buffer is full after a few hundred
 * small pieces. No function waits.
 */
#ifndef LIB_FCGI_INPUT_H
#define LIB_FCGI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/status.h"

enum {
    FCGI_INPUT_PEEK_BYTES = 64 * 1024, /* a request that is longer has to be collected */
};

/* The state that all connections of a process share. */
struct fcgi_reader {
    size_t max_body_bytes; /* of a longer body the rest is not collected */
    unsigned char bytes[FCGI_INPUT_PEEK_BYTES]; /* the bytes that were peeked at last */
};

/* The state of one connection. */
struct fcgi_input {
    int file; /* in memory, with what was taken off the connection; -1: nothing was */
    size_t left_out; /* bytes of the body that were taken off, but are not in the file */
    size_t taken;    /* all bytes that were taken off by this process */
};

enum fcgi_arrived {
    FCGI_ARRIVED_NOTHING,
    FCGI_ARRIVED_SOME, /* the beginning of a request */
    FCGI_ARRIVED_FULL, /* the same, and no more can be peeked at: collect it */
    FCGI_ARRIVED_ALL,  /* a complete request */
    FCGI_ARRIVED_END,  /* the peer has ended or broken the rules: close the connection */
};

/* Looks at what has arrived on fd, without taking it. Management records (which belong to
 * no request) are taken and answered on the way; a peer that does not read those answers is
 * at FCGI_ARRIVED_END as soon as the socket's buffer is full. */
enum fcgi_arrived fcgi_input_peek(struct fcgi_reader *reader, int fd);

/* Makes the file. STATUS_IO: no descriptor or no memory. */
enum status fcgi_input_start(struct fcgi_input *input);

/* Takes what has arrived on fd off it, and judges all that was collected. It takes 1 MiB at
 * most; *more is set when there may be more. The file is at most 2 MiB longer than twice
 * max_body_bytes, otherwise FCGI_ARRIVED_END. */
enum fcgi_arrived fcgi_input_collect(struct fcgi_reader *reader, struct fcgi_input *input,
                                     int fd, bool *more);

/* Goes back to the first byte of the file, for reading. */
enum status fcgi_input_rewind(const struct fcgi_input *input);

/* Closes the file. */
void fcgi_input_clear(struct fcgi_input *input);

#endif
