/*
 * The part of a request that has arrived, while it is not complete.
 *
 * The bytes of a request are only peeked at until all of them are there, so that the
 * connection can be handed over. Those of a slow peer, of a large request, and of one
 * between whose records there are others are collected in a file in memory: a socket's
 * buffer is full after a few hundred small pieces, and libfcgi reads nothing but the
 * request. What lies behind a request stays in the socket. No function waits.
 */
#ifndef LIB_FCGI_INPUT_H
#define LIB_FCGI_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/fcgi_scan.h"
#include "lib/status.h"

enum {
    FCGI_INPUT_PEEK_BYTES = 64 * 1024, /* a request that is longer has to be collected */
    FCGI_INPUT_REPLY_BYTES = 4096,     /* sent at once */
};

/* The state that all connections of a process share. */
struct fcgi_reader {
    size_t max_body_bytes; /* of a longer body the rest is not collected */
    /* What libfcgi reads a request from that was not collected, but is too long to be read
     * from memory; -1: there is none. pipe_used: a request is in it, of which not all was
     * read. */
    int pipe[2];
    bool pipe_used;
    /* The request that was found complete by the last fcgi_input_peek, and the state of its
     * connection behind it. */
    size_t at, len, padding;
    struct fcgi_scan behind;
    bool gone; /* an aborted request was in front of that */
    size_t replies_len;
    unsigned char replies[FCGI_INPUT_REPLY_BYTES]; /* not sent yet */
    /* The bytes that were peeked at last; in front of them room for the rest of a head. */
    unsigned char bytes[FCGI_RECORD_BEGIN_BYTES + FCGI_INPUT_PEEK_BYTES];
};

/* The state of one connection. */
struct fcgi_input {
    struct fcgi_scan scan; /* up to the first byte that is still in the socket */
    int file;              /* in memory, with what was collected; -1: nothing was */
    size_t kept;           /* bytes in the file */
    size_t taken;          /* bytes of the request that were taken off by this process */
};

enum fcgi_arrived {
    FCGI_ARRIVED_NOTHING,
    FCGI_ARRIVED_SOME, /* the beginning of a request, or of another record */
    FCGI_ARRIVED_FULL, /* the same, and it has to be collected now */
    FCGI_ARRIVED_ALL,  /* a complete request */
    FCGI_ARRIVED_GONE, /* the request was aborted, and no other has begun */
    FCGI_ARRIVED_END,  /* the peer has ended or broken the rules: close the connection */
};

/* Makes the pipe, too. max_body_bytes as in struct fastcgi_limits. */
void fcgi_reader_init(struct fcgi_reader *reader, size_t max_body_bytes);

/* Closes the pipe. */
void fcgi_reader_clear(struct fcgi_reader *reader);

/* Looks at what has arrived on fd, without taking anything of a request. Records in front
 * of it are taken, and answered where they have to be; a peer that does not read those
 * answers is at FCGI_ARRIVED_END as soon as the socket's buffer is full. It goes through
 * 1 MiB at most; *more is set when there may be more to go through, also behind a complete
 * request. */
enum fcgi_arrived fcgi_input_peek(struct fcgi_reader *reader, struct fcgi_input *input,
                                  int fd, bool *more);

/* Makes the file. STATUS_IO: no descriptor or no memory. */
enum status fcgi_input_start(struct fcgi_input *input);

/* Takes what has arrived of a request on fd off it, up to the request's end, and answers
 * other records that lie between. It takes 1 MiB at most; *more as above. The file is at
 * most 2 MiB longer than twice max_body_bytes, otherwise FCGI_ARRIVED_END. After
 * FCGI_ARRIVED_GONE there is no file. */
enum fcgi_arrived fcgi_input_collect(struct fcgi_reader *reader, struct fcgi_input *input,
                                     int fd, bool *more);

/* At once after FCGI_ARRIVED_ALL, where there is no file: the bytes of the request in
 * memory, reader->len of them. */
const unsigned char *fcgi_input_bytes(const struct fcgi_reader *reader);

/* Takes that request off its connection; its bytes are no longer there then. False: the
 * connection is to be closed. */
bool fcgi_input_take(struct fcgi_reader *reader, struct fcgi_input *input, int fd);

/* To be called at once after FCGI_ARRIVED_ALL. Returns where a descriptor stands from which
 * libfcgi can read the request, and only that; NULL: failed. Who closes the descriptor sets
 * it to -1. *piped: it is the reader's pipe. */
int *fcgi_input_source(struct fcgi_reader *reader, struct fcgi_input *input, int fd,
                       bool *piped);

/* Closes the file and forgets the request. Where the connection is in its stream of bytes
 * stays known. */
void fcgi_input_clear(struct fcgi_input *input);

#endif
