/*
 * One request, read by libfcgi: its parameters and its body.
 *
 * The only user of libfcgi. It is given complete requests only (see fcgi_input.h), so it
 * never waits for a peer, and it is never asked to write: answers are in fcgi_output.h.
 */
#ifndef LIB_FCGI_REQUEST_H
#define LIB_FCGI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/status.h"

enum {
    FCGI_REQUEST_MEMORY_BYTES = 8192, /* as much as libfcgi reads at once */
};

struct fcgi_request;

/* Once per process, after the signal handlers of the program were installed: libfcgi
 * installs its own where it finds default ones. STATUS_INTERNAL: libfcgi does not behave as
 * this module needs; a small request is tried to find that out. */
enum status fcgi_request_init(void);

/* A request that has not begun; it can be used for one request after another. NULL: no
 * memory. */
struct fcgi_request *fcgi_request_create(void);

/* NULL is allowed. Closes no descriptor. */
void fcgi_request_free(struct fcgi_request *request);

/* Reads the parameters from *fd, which holds a complete request at its current position and
 * must stay open until fcgi_request_end. On failure libfcgi has closed it, and *fd is
 * -1. */
enum status fcgi_request_begin(struct fcgi_request *request, int *fd);

/* Whether libfcgi can read a request of this length from memory. If it is too long, or
 * libfcgi is no shared library of the usual kind, it has to come from a descriptor. */
bool fcgi_request_fits_in_memory(size_t len);

/* The same for a request in memory, which libfcgi has read completely then. Of *fd, which
 * stands for it, nothing is read. */
enum status fcgi_request_begin_in_memory(struct fcgi_request *request, int *fd,
                                         const unsigned char *bytes, size_t len);

/* The number that the web server gave it; the answer's records carry it. */
unsigned fcgi_request_id(const struct fcgi_request *request);

/* True when the web server wants to go on using the connection. */
bool fcgi_request_keeps_connection(const struct fcgi_request *request);

/* As fastcgi_params. Valid until fcgi_request_end. */
const char *const *fcgi_request_params(const struct fcgi_request *request);

/* As fastcgi_read_body. left_out: bytes of the body that *fd no longer holds. */
enum status fcgi_request_read_body(struct fcgi_request *request, size_t left_out,
                                   char *buffer, size_t size, size_t *len);

/* True when all of the request was read from *fd. */
bool fcgi_request_is_read(const struct fcgi_request *request);

/* Reads what is left of the body, so that *fd holds no more of this request, and frees all
 * of it. The descriptor stays open. False: libfcgi did not read all. */
bool fcgi_request_end(struct fcgi_request *request);

#endif
