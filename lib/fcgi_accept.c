#include "lib/fcgi_accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fcgi_connections.h"
#include "lib/log.h"

enum {
    FULL_YIELD_MS = 3 * FCGI_ACCEPT_YIELD_MS,
    QUEUE_YIELD_MS = 1,  /* between connections whose requests would have to queue */
    SILENT_YIELD_MS = 2, /* after a connection without a request, or until that comes */
    COMPLAIN_MS = 10000, /* between two log lines about the same failure */
};

void fcgi_acceptor_init(struct fcgi_acceptor *a, int listening, uint32_t number)
{
    *a = (struct fcgi_acceptor){.listening = listening, .number = number, .silent = -1};
    /* fails on a Unix socket, which does not need it */
    (void)setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* A worker that keeps none, and has room for a request. */
static bool is_free(const struct fcgi_connections *all)
{
    return all->kept == 0 && fcgi_connections_has_room(all);
}

/* A worker that is not free gets one event for each new one (EPOLLET), and tries
 * again at a->at_ms. After a failed attempt only time helps. */
static uint32_t wanted(const struct fcgi_acceptor *a, const struct fcgi_connections *all)
{
    if (a->stopped || a->failing)
        return 0;
    return is_free(all) ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN | EPOLLET;
}

void fcgi_acceptor_watch(struct fcgi_acceptor *a, struct fcgi_connections *all)
{
    uint32_t events = wanted(a, all);

    if (events == a->watched)
        return;
    if (a->watched != 0) /* EPOLLEXCLUSIVE cannot be changed, only removed */
        fcgi_connections_unwatch(all, a->listening);
    a->watched = 0;
    if (events != 0 &&
        fcgi_connections_watch(all, a->listening, events, a->number) == STATUS_OK)
        a->watched = events;
}

/* A new connection: often its request is there already. Otherwise it counts as kept, so
 * that the next ones are left to other workers. */
static int serve(struct fcgi_acceptor *a, struct fcgi_connections *all, int fd)
{
    int place = fcgi_connections_add(all, fd, NULL);

    if (place < 0)
        return -1;
    if (!fcgi_connections_has_room(all)) {
        fcgi_connections_keep(all, place);
        fcgi_connections_await(all, place); /* epoll tells when its request is there */
        return -1;
    }
    if (fcgi_connections_look(all, place))
        return place;
    if (all->at[place].state == FCGI_WAITING) {
        fcgi_connections_set_deadline(all, place);
        fcgi_connections_keep(all, place);
        fcgi_connections_await(all, place);
        a->silent = place;
    }
    return -1;
}

/* True when a request on a new connection would not have to queue, even if there comes one
 * on each of those that are kept. */
static bool has_room(const struct fcgi_connections *all)
{
    return all->used < all->in_hand_max && fcgi_connections_has_room(all);
}

/* A worker without room leaves a new connection for longer to workers that have some. */
static int yield_ms(const struct fcgi_connections *all)
{
    return has_room(all) ? FCGI_ACCEPT_YIELD_MS : FULL_YIELD_MS;
}

static bool has_pending(const struct fcgi_acceptor *a)
{
    return poll(&(struct pollfd){.fd = a->listening, .events = POLLIN}, 1, 0) > 0;
}

/* Kept connections must not keep out a new one. The one that has rested longest is closed,
 * which web servers expect of any connection that they keep. */
static bool make_room(struct fcgi_acceptor *a, struct fcgi_connections *all, int64_t now_ms)
{
    if (all->used < all->count)
        return true;
    if (!has_pending(a)) {
        a->at_ms = 0;
        a->failing = false;
        return false;
    }
    int longest = fcgi_connections_longest_resting(all);
    if (longest < 0 || now_ms - all->at[longest].rests_since_ms < FCGI_ACCEPT_YIELD_MS ||
        fcgi_connections_has_begun(all, longest))
        return false;
    fcgi_connections_drop(all, longest);
    return true;
}

/* Without a descriptor or kernel memory: closes the connection that has rested longest.
 * Where none rests, the next attempt may succeed because others have ended. */
static void relieve(struct fcgi_acceptor *a, struct fcgi_connections *all, int error,
                    int64_t now_ms)
{
    int longest = fcgi_connections_longest_resting(all);

    if (a->complained_ms == 0 || now_ms - a->complained_ms >= COMPLAIN_MS) {
        LOG(LEVEL_ERROR, "accept_failed", LOG_TEXT("message", strerror(error)),
            LOG_NUMBER("connections", all->used));
        a->complained_ms = now_ms;
    }
    if (longest >= 0)
        fcgi_connections_drop(all, longest);
}

/* accept4 has failed. */
static void give_up(struct fcgi_acceptor *a, struct fcgi_connections *all, int error,
                    int64_t now_ms)
{
    if (error != EAGAIN && error != ECONNABORTED) {
        relieve(a, all, error, now_ms);
        return;
    }
    a->failing = false;
    if (error == EAGAIN)
        a->at_ms = 0;
}

/* Plans the next attempt after one that succeeded. No other worker has accepted the
 * connection in time, so those that queue behind it are not left to others either; epoll
 * will not report them. Workers without room take turns, or all would queue at one. */
static void plan_next(struct fcgi_acceptor *a, const struct fcgi_connections *all,
                      int64_t now_ms)
{
    a->failing = false;
    if (is_free(all))
        a->at_ms = 0;
    else if (all->used + 1 < all->in_hand_max)
        a->at_ms = now_ms;
    else if (all->used + 1 < all->count)
        a->at_ms = now_ms + QUEUE_YIELD_MS;
    else
        a->at_ms = now_ms + FULL_YIELD_MS;
}

int fcgi_acceptor_accept(struct fcgi_acceptor *a, struct fcgi_connections *all)
{
    int64_t now_ms = clock_monotonic_ms();

    /* Connections may have closed since the last wait. When none is kept, epoll has to
     * report those that queue behind this one again. */
    fcgi_acceptor_watch(a, all);
    a->at_ms = now_ms + FCGI_ACCEPT_YIELD_MS; /* unless it turns out otherwise */
    a->failing = true;
    a->silent = -1;
    if (!make_room(a, all, now_ms))
        return -1;
    int fd = accept4(a->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        give_up(a, all, errno, now_ms);
        return -1;
    }
    plan_next(a, all, now_ms);
    int place = serve(a, all, fd);
    if (a->at_ms != now_ms)
        a->silent = -1;
    else if (a->silent >= 0)
        a->at_ms += SILENT_YIELD_MS;
    return place;
}

int fcgi_acceptor_told(struct fcgi_acceptor *a, struct fcgi_connections *all)
{
    if (a->stopped)
        return -1;
    if (is_free(all))
        return fcgi_acceptor_accept(a, all);
    if (a->at_ms == 0)
        a->at_ms = clock_monotonic_ms() + yield_ms(all);
    return -1;
}

/* True while the last connection that was accepted has not brought its request. Workers
 * that wait for that a little take turns, rather than one of them taking many at a
 * stretch. */
static bool last_is_silent(const struct fcgi_acceptor *a,
                           const struct fcgi_connections *all)
{
    return a->silent >= 0 && all->at[a->silent].state == FCGI_WAITING &&
           all->at[a->silent].since_ms != 0;
}

int fcgi_acceptor_wait_ms(const struct fcgi_acceptor *a, const struct fcgi_connections *all)
{
    if (a->at_ms == 0)
        return -1;
    if (a->silent >= 0 && !last_is_silent(a, all))
        return 0;
    int64_t left_ms = a->at_ms - clock_monotonic_ms();
    return left_ms > 0 ? (int)left_ms : 0;
}

void fcgi_acceptor_stop(struct fcgi_acceptor *a, struct fcgi_connections *all)
{
    a->stopped = true;
    a->at_ms = 0;
    fcgi_acceptor_watch(a, all);
}
