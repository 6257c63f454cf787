/*
 * The places of requests in hand, and the queue for them.
 *
 * A place is a number by which the caller of fastcgi.h knows a request. While all are in
 * use, requests stay in their sockets and their connections queue. One that cannot be
 * answered in time gets the last place, which is for requests that are refused at once.
 */
#ifndef LIB_FCGI_PLACES_H
#define LIB_FCGI_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/fcgi_connections.h"
#include "lib/overload.h"

enum {
    FCGI_PLACES = 64, /* for requests in hand */
};

struct fcgi_place {
    int connection; /* its number in struct fcgi_connections */
    int64_t begun_us;
};

struct fcgi_places {
    struct fcgi_connections *all;
    struct fcgi_place at[FCGI_PLACES + 1];
    uint64_t free;       /* a bit for each, but for the last one */
    size_t last;         /* the place that was taken last */
    bool refusing;       /* the request that was found by the last look is to be refused */
    int64_t patience_us; /* two thirds of the time limit, because estimates are rough */
    struct overload overload;
};

/* Lets no more requests of these connections begin than there are places. The time limit is
 * their request_ms. */
void fcgi_places_init(struct fcgi_places *places, struct fcgi_connections *all);

/* Whether a request may begin. */
bool fcgi_places_has_free(const struct fcgi_places *places);

/* Something has come on a waiting connection: looks at it, or lets it queue. True: its
 * request begins. */
bool fcgi_places_look(struct fcgi_places *places, int connection);

/* Looks at the connections that queue, as far as places are free. Returns that of a request
 * that begins, or -1. */
int fcgi_places_look_at_queue(struct fcgi_places *places);

/* Gives the request that begins a place. True: it is to be refused, and has to be answered
 * before anything else is looked at. */
bool fcgi_places_take(struct fcgi_places *places, int connection, size_t *place);

/* The request is answered. Returns its connection. */
int fcgi_places_free(struct fcgi_places *places, size_t place);

/* As fastcgi_retry_after_s. */
int64_t fcgi_places_retry_after_s(const struct fcgi_places *places);

#endif
