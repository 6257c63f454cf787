/*
 * The answer to one request on its way to the peer: its records, and what is left to send.
 *
 * No function waits. An answer of one record (the usual case) is sent by a single write;
 * only what the socket does not take at once is copied. So an answer that is taken costs no
 * memory, and others cost their own size until the last byte is sent.
 */
#ifndef LIB_FCGI_OUTPUT_H
#define LIB_FCGI_OUTPUT_H

#include <stddef.h>

#include "lib/span.h"
#include "lib/status.h"

/* {0}: nothing is left to send. */
struct fcgi_output {
    char *bytes; /* all records of the answer; NULL: nothing is left to send */
    size_t len;
    size_t sent;
};

/* The bytes of all records of an answer of len bytes. */
size_t fcgi_output_bytes(size_t len);

/*
 * Sends the answer to request `id` on the socket fd, as far as fd takes it. The output has
 * nothing left to send. STATUS_OK: all of it; STATUS_BUSY: go on when fd is writable;
 * STATUS_IO: the peer has closed; STATUS_TOO_LARGE: some is left, and the answer's records
 * are longer than max_bytes; STATUS_NO_MEMORY. After the last three nothing is left to
 * send, but a part may have been sent, so the connection must be closed.
 */
enum status fcgi_output_start(struct fcgi_output *output, int fd, unsigned id,
                              struct span answer, size_t max_bytes);

/* Sends more. STATUS_OK, STATUS_BUSY or STATUS_IO as above; output->sent has grown when the
 * peer has taken something. */
enum status fcgi_output_go_on(struct fcgi_output *output, int fd);

/* Forgets what is left to send. */
void fcgi_output_clear(struct fcgi_output *output);

#endif
