#include "lib/fastcgi.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/clock.h"
#include "lib/fcgi_accept.h"
#include "lib/fcgi_connections.h"
#include "lib/fcgi_handover.h"
#include "lib/fcgi_places.h"
#include "lib/fcgi_request.h"
#include "lib/log.h"
#include "lib/signals.h"

enum {
    EVENTS_MAX = 16,
};
_Static_assert((int)FASTCGI_YIELD_MS == (int)FCGI_ACCEPT_YIELD_MS, "as its header says");
_Static_assert((int)FASTCGI_PLACES == (int)FCGI_PLACES, "likewise");

/* The numbers by which epoll reports descriptors that are no connections. */
enum {
    NUMBER_LISTENING = FASTCGI_CONNECTIONS,
    NUMBER_WAKE,
    NUMBER_NEWS,
    NUMBER_TAKE,
    NUMBER_GIVE,
};

enum mode { SERVING, FINISHING, HANDING_OVER };

struct fastcgi {
    struct fastcgi_descriptors fds;
    struct fcgi_connections *all;
    struct fcgi_places places;
    struct fcgi_acceptor acceptor;
    enum mode mode;
    int64_t ending_since_ms; /* since when mode is not SERVING */
    bool take_watched;
    bool has_looked; /* at the connections since the last one was accepted */
    struct epoll_event events[EVENTS_MAX];
    int next_event, event_count;
};

enum status fastcgi_handover_pair(int *give, int *take)
{
    return fcgi_handover_pair(give, take);
}

static enum status watch_descriptors(struct fastcgi *f)
{
    const struct {
        int fd;
        uint32_t events, number;
    } table[] = {
        {f->fds.wake, EPOLLIN, NUMBER_WAKE},
        {f->fds.news, EPOLLIN | EPOLLET, NUMBER_NEWS},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].fd >= 0 && fcgi_connections_watch(f->all, table[i].fd, table[i].events,
                                                       table[i].number) != STATUS_OK)
            return STATUS_INTERNAL;
    return STATUS_OK;
}

enum status fastcgi_create(struct fastcgi **out, const struct fastcgi_descriptors *fds,
                           const struct fastcgi_limits *limits)
{
    struct fastcgi *f = calloc(1, sizeof *f);

    *out = NULL;
    if (f == NULL)
        return STATUS_NO_MEMORY;
    f->fds = *fds;
    f->all = fcgi_connections_create(FASTCGI_CONNECTIONS, limits->request_ms,
                                     limits->idle_ms, limits->max_body_bytes);
    if (f->all == NULL || fcgi_request_init() != STATUS_OK ||
        watch_descriptors(f) != STATUS_OK) {
        fastcgi_free(f);
        return STATUS_INTERNAL;
    }
    fcgi_places_init(&f->places, f->all);
    fcgi_acceptor_init(&f->acceptor, fds->listening, NUMBER_LISTENING);
    *out = f;
    return STATUS_OK;
}

void fastcgi_free(struct fastcgi *f)
{
    if (f == NULL)
        return;
    fcgi_connections_free(f->all);
    free(f);
}

int64_t fastcgi_retry_after_s(const struct fastcgi *f)
{
    return fcgi_places_retry_after_s(&f->places);
}

/* ---- After an answer ---- */

static bool idle_time_is_over(const struct fastcgi *f, int64_t since_ms, int64_t now_ms)
{
    return now_ms - since_ms >= f->all->idle_ms;
}

/* Passes a connection on to another worker. When the hand-over socket is full it waits,
 * until the deadline. */
static void pass_on(struct fastcgi *f, int place)
{
    const struct fcgi_connection *c = &f->all->at[place];

    if (fcgi_handover_give(f->fds.give, c->fd, &c->input) != STATUS_BUSY ||
        idle_time_is_over(f, f->ending_since_ms, clock_monotonic_ms()))
        fcgi_connections_drop(f->all, place);
    else
        f->all->at[place].state = FCGI_WAITING;
}

/* Goes on with a connection only if its next request has begun. */
static void await_begun(struct fastcgi *f, int place)
{
    const struct fcgi_connection *c = &f->all->at[place];

    fcgi_connections_await(f->all, place);
    if (c->state == FCGI_FREE)
        return;
    if (idle_time_is_over(f, f->ending_since_ms, clock_monotonic_ms()) ||
        !fcgi_connections_has_begun(f->all, place)) {
        fcgi_connections_drop(f->all, place);
        return;
    }
    fcgi_connections_set_deadline(f->all, place);
    fcgi_connections_mark(f->all, place);
}

/* The whole answer was sent. */
static void settle(struct fastcgi *f, int place)
{
    bool stays = f->all->at[place].stays;

    if (stays && f->mode == SERVING)
        fcgi_connections_await(f->all, place);
    else if (stays && f->mode == HANDING_OVER)
        pass_on(f, place);
    else if (stays)
        await_begun(f, place);
    else
        fcgi_connections_end(f->all, place);
}

static void give_up_answer(struct fastcgi *f, int place)
{
    LOG(LEVEL_WARNING, "answer_not_taken", LOG_TEXT("request_id", f->all->at[place].label));
    fcgi_connections_drop(f->all, place);
}

/* status: the result of sending an answer, or more of it. */
static void after_sending(struct fastcgi *f, int place, enum status status)
{
    if (status == STATUS_OK)
        settle(f, place);
    else if (status != STATUS_BUSY)
        give_up_answer(f, place);
}

void fastcgi_answer(struct fastcgi *f, size_t place, struct span answer, const char *label)
{
    int connection = fcgi_places_free(&f->places, place);

    after_sending(f, connection,
                  fcgi_connections_answer(f->all, connection, answer, label));
}

static void send_more(struct fastcgi *f, int place)
{
    after_sending(f, place, fcgi_connections_send(f->all, place, f->mode == SERVING));
}

/* ---- Connections from and to other workers ---- */

static void take_over(struct fastcgi *f)
{
    struct fcgi_input input;
    int fd;

    if (fcgi_handover_take(f->fds.take, &fd, &input) != STATUS_OK)
        return;
    int place = fcgi_connections_add(f->all, fd, &input);
    if (place < 0)
        return;
    if (input.file >= 0)
        fcgi_connections_set_deadline(f->all, place);
    fcgi_connections_keep(f->all, place);
    fcgi_connections_await(f->all, place);
}

static bool has_room(const struct fastcgi *f)
{
    return fcgi_places_has_free(&f->places) && f->all->used < FASTCGI_CONNECTIONS;
}

/* A worker without room leaves handed-over connections to others. */
static void watch_take(struct fastcgi *f)
{
    bool wanted = f->mode == SERVING && has_room(f);

    if (f->fds.take < 0 || wanted == f->take_watched)
        return;
    f->take_watched = wanted;
    if (wanted)
        (void)fcgi_connections_watch(f->all, f->fds.take, EPOLLIN | EPOLLEXCLUSIVE,
                                     NUMBER_TAKE);
    else
        fcgi_connections_unwatch(f->all, f->fds.take);
}

static void stop_serving(struct fastcgi *f, enum mode mode)
{
    if (f->mode == SERVING)
        f->ending_since_ms = clock_monotonic_ms();
    f->mode = mode;
    fcgi_acceptor_stop(&f->acceptor, f->all);
    watch_take(f);
    if (f->fds.wake >= 0)
        fcgi_connections_unwatch(f->all, f->fds.wake);
}

void fastcgi_finish(struct fastcgi *f)
{
    if (f->mode == FINISHING)
        return;
    stop_serving(f, FINISHING);
    for (int i = 0; i < FASTCGI_CONNECTIONS; i++) {
        const struct fcgi_connection *c = &f->all->at[i];
        if (c->state != FCGI_WAITING)
            continue;
        if (fcgi_connections_has_begun(f->all, i))
            fcgi_connections_set_deadline(f->all, i);
        else
            fcgi_connections_drop(f->all, i);
    }
}

/* Also those that wait for the hand-over socket. */
static void pass_on_waiting(struct fastcgi *f)
{
    for (int i = 0; i < FASTCGI_CONNECTIONS; i++)
        if (f->all->at[i].state == FCGI_WAITING)
            pass_on(f, i);
}

void fastcgi_hand_over(struct fastcgi *f)
{
    if (f->fds.give < 0) {
        fastcgi_finish(f);
        return;
    }
    if (f->mode != SERVING)
        return;
    stop_serving(f, HANDING_OVER);
    (void)fcgi_connections_watch(f->all, f->fds.give, EPOLLOUT | EPOLLET, NUMBER_GIVE);
    pass_on_waiting(f);
}

/* ---- The loop ---- */

/* A peer that took nothing until the deadline. epoll does not report a socket with little
 * free space as writable, so it is tried once more. */
static void try_last_time(struct fastcgi *f, int place, int64_t now_ms)
{
    const struct fcgi_connection *c = &f->all->at[place];

    send_more(f, place);
    if (c->state == FCGI_SENDING && idle_time_is_over(f, c->since_ms, now_ms))
        give_up_answer(f, place);
}

/* Why an unfinished request is given up; NULL: it still has time. */
static const char *reason_to_give_up(const struct fastcgi *f,
                                     const struct fcgi_connection *c, int64_t now_ms)
{
    if (now_ms - c->since_ms >= f->all->request_ms)
        return "it took too long to arrive";
    return idle_time_is_over(f, c->progress_ms, now_ms) ? "its peer sent no more of it"
                                                        : NULL;
}

static void give_up_request(struct fastcgi *f, int place, const char *reason,
                            int64_t now_ms)
{
    const struct fcgi_connection *c = &f->all->at[place];

    LOG(LEVEL_WARNING, "request_given_up", LOG_TEXT("message", reason),
        LOG_NUMBER("after_ms", now_ms - c->since_ms),
        LOG_NUMBER("bytes", (int64_t)c->input.taken));
    fcgi_connections_drop(f->all, place);
}

/* Checks a connection with a deadline. True: its request begins. */
static bool look_at_timed(struct fastcgi *f, int place, int64_t now_ms)
{
    const struct fcgi_connection *c = &f->all->at[place];

    if (c->state == FCGI_SENDING && idle_time_is_over(f, c->since_ms, now_ms))
        try_last_time(f, place, now_ms);
    /* what queues was not looked at yet */
    if (c->state != FCGI_WAITING || c->look || f->mode == HANDING_OVER)
        return false;
    const char *reason = reason_to_give_up(f, c, now_ms);
    if (reason != NULL)
        give_up_request(f, place, reason, now_ms);
    else if (c->input.file < 0 && fcgi_places_has_free(&f->places) &&
             now_ms - c->since_ms >= FCGI_CONNECTIONS_STALL_MS)
        return fcgi_connections_look_stalled(f->all, place);
    return false;
}

/* Drops connections after their deadline, and collects requests that take long. Returns the
 * place of a request that begins, or -1. */
static int look_after_timed(struct fastcgi *f)
{
    int64_t now_ms = f->all->timed > 0 ? clock_monotonic_ms() : 0;

    for (int i = 0; i < FASTCGI_CONNECTIONS && f->all->timed > 0; i++)
        if (f->all->at[i].since_ms != 0 && look_at_timed(f, i, now_ms))
            return i;
    return -1;
}

/* Handles an event of a connection. Returns the place of a request that begins, or -1. */
static int handle_connection(struct fastcgi *f, int place, uint32_t events)
{
    const uint32_t end = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    const struct fcgi_connection *c = &f->all->at[place];
    const enum fcgi_connection_state before = c->state;
    bool begins = false;

    if (before == FCGI_SENDING && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        send_more(f, place);
    else if (before == FCGI_WAITING && f->mode != HANDING_OVER)
        begins = fcgi_places_look(&f->places, place);
    /* the end of a connection may come together with the last bytes of a request; then
     * there is no further event */
    uint32_t later = before == FCGI_WAITING ? end : end | EPOLLIN;
    if (c->state != FCGI_FREE && (events & later) != 0)
        fcgi_connections_mark(f->all, place);
    return begins ? place : -1;
}

/* Returns the place of a request that begins, or -1. */
static int handle(struct fastcgi *f, uint32_t number, uint32_t events)
{
    if (number < FASTCGI_CONNECTIONS)
        return handle_connection(f, (int)number, events);
    if (number == NUMBER_LISTENING)
        return fcgi_acceptor_told(&f->acceptor, f->all);
    if (number == NUMBER_TAKE && f->mode == SERVING && has_room(f))
        take_over(f);
    return -1;
}

/* Handles the events that epoll has returned already; FASTCGI_DONE when none is left. */
static enum fastcgi_event next_of_batch(struct fastcgi *f, int *place)
{
    while (f->next_event < f->event_count) {
        const struct epoll_event *event = &f->events[f->next_event++];
        if (event->data.u32 == NUMBER_WAKE)
            return FASTCGI_WOKEN;
        if (event->data.u32 == NUMBER_NEWS)
            return FASTCGI_NEWS;
        *place = handle(f, event->data.u32, event->events);
        if (*place >= 0)
            return FASTCGI_REQUEST;
    }
    return FASTCGI_DONE;
}

/* Does what is due by time, without an event. Returns the place of a request that begins,
 * or -1. */
static int next_by_time(struct fastcgi *f)
{
    if (f->mode == HANDING_OVER) {
        pass_on_waiting(f);
        (void)look_after_timed(f);
        return -1;
    }
    int place = fcgi_places_look_at_queue(&f->places);
    /* one connection for each check of the others, so that neither delays the other */
    if (place < 0 && f->has_looked && fcgi_acceptor_wait_ms(&f->acceptor, f->all) == 0) {
        f->has_looked = false;
        place = fcgi_acceptor_accept(&f->acceptor, f->all);
    }
    return place >= 0 ? place : look_after_timed(f);
}

static int shorter(int a_ms, int b_ms)
{
    return b_ms < 0 || (a_ms >= 0 && a_ms < b_ms) ? a_ms : b_ms;
}

/* How long to wait for events at most; -1: no limit. */
static int waiting_ms(const struct fastcgi *f)
{
    bool timed = f->all->timed > 0 || f->mode == HANDING_OVER;

    return shorter(fcgi_acceptor_wait_ms(&f->acceptor, f->all),
                   timed ? FCGI_CONNECTIONS_STALL_MS : -1);
}

/* Waits for epoll. FASTCGI_DONE: there are events, or the time of waiting_ms is over. */
static enum fastcgi_event wait_once(struct fastcgi *f, int timeout_ms)
{
    int wait_ms = waiting_ms(f);

    fcgi_acceptor_watch(&f->acceptor, f->all);
    watch_take(f);
    f->next_event = f->event_count = 0;
    int count = epoll_pwait(f->all->epoll, f->events, EVENTS_MAX,
                            shorter(wait_ms, timeout_ms), signals_waiting_mask());
    f->has_looked = true;
    if (count < 0)
        return errno == EINTR ? FASTCGI_WOKEN : FASTCGI_BROKEN;
    if (count == 0 && (wait_ms < 0 || (timeout_ms >= 0 && timeout_ms <= wait_ms)))
        return FASTCGI_NEWS;
    f->event_count = count;
    return FASTCGI_DONE;
}

/* What is left of a time limit; -1: there is none. *until_ms is its end, 0 at first. */
static int left_of(int timeout_ms, int64_t *until_ms)
{
    if (timeout_ms < 0)
        return -1;
    int64_t now_ms = clock_monotonic_ms();
    if (*until_ms == 0)
        *until_ms = now_ms + timeout_ms;
    return *until_ms > now_ms ? (int)(*until_ms - now_ms) : 0;
}

enum fastcgi_event fastcgi_wait(struct fastcgi *f, int timeout_ms, size_t *place)
{
    int64_t until_ms = 0;

    for (;;) {
        bool has_waited = until_ms != 0;
        int found = -1;
        enum fastcgi_event event = next_of_batch(f, &found);
        if (event == FASTCGI_WOKEN || event == FASTCGI_NEWS)
            return event;
        if (found < 0)
            found = next_by_time(f);
        if (found >= 0)
            return fcgi_places_take(&f->places, found, place) ? FASTCGI_SURPLUS
                                                              : FASTCGI_REQUEST;
        if (f->mode != SERVING && f->all->used == 0)
            return FASTCGI_DONE;
        int left_ms = left_of(timeout_ms, &until_ms);
        /* whatever else has happened meanwhile, such as a part of a request */
        if (has_waited && left_ms == 0)
            return FASTCGI_NEWS;
        event = wait_once(f, left_ms);
        if (event != FASTCGI_DONE)
            return event;
    }
}

bool fastcgi_has_more(const struct fastcgi *f)
{
    return f->next_event < f->event_count;
}

/* ---- The request in hand ---- */

const char *const *fastcgi_params(const struct fastcgi *f, size_t place)
{
    return fcgi_request_params(f->all->at[f->places.at[place].connection].request);
}

enum status fastcgi_read_body(struct fastcgi *f, size_t place, char *buffer, size_t size,
                              size_t *len)
{
    return fcgi_connections_read_body(f->all, f->places.at[place].connection, buffer, size,
                                      len);
}
