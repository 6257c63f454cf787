/*
 * The hand-over socket: connections pass through it from a worker that ends to one that
 * goes on. Neither function waits.
 */
#ifndef LIB_FCGI_HANDOVER_H
#define LIB_FCGI_HANDOVER_H

#include "lib/fcgi_input.h"
#include "lib/status.h"

/* Makes the two ends; all workers share both. */
enum status fcgi_handover_pair(int *give, int *take);

/* Passes on the connection fd and what was collected from it. The caller still has to close
 * both. STATUS_BUSY: the socket is full; STATUS_IO: it cannot be passed on. */
enum status fcgi_handover_give(int give, int fd, const struct fcgi_input *input);

/* Takes one; the caller owns it. STATUS_NOT_FOUND: none is there, or it came without its
 * descriptors (and was closed), because this process has too many. */
enum status fcgi_handover_take(int take, int *fd, struct fcgi_input *input);

#endif
