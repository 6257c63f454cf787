#include "lib/fcgi_connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fcgi_request.h"

enum {
    DISCARD_BYTES = 16 * 1024, /* at once, of what comes behind the last request */
    DISCARDS_MAX = 64,
};

struct fcgi_connections *fcgi_connections_create(int count, int request_ms, int idle_ms,
                                                 size_t max_body_bytes)
{
    struct fcgi_connections *all =
        calloc(1, sizeof *all + (size_t)count * sizeof all->at[0]);

    if (all == NULL)
        return NULL;
    all->count = all->in_hand_max = count;
    all->first = all->last = -1;
    all->request_ms = request_ms;
    all->idle_ms = idle_ms;
    fcgi_reader_init(&all->reader, max_body_bytes);
    all->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (all->epoll < 0) {
        fcgi_connections_free(all);
        return NULL;
    }
    return all;
}

void fcgi_connections_free(struct fcgi_connections *all)
{
    if (all == NULL)
        return;
    for (int i = 0; i < all->count; i++) {
        if (all->at[i].state != FCGI_FREE)
            fcgi_connections_drop(all, i);
        fcgi_request_free(all->at[i].request);
    }
    fcgi_reader_clear(&all->reader);
    if (all->epoll >= 0)
        (void)close(all->epoll);
    free(all);
}

static enum status control(struct fcgi_connections *all, int operation, int fd,
                           uint32_t events, uint32_t number)
{
    struct epoll_event event = {.events = events, .data.u32 = number};

    return epoll_ctl(all->epoll, operation, fd, &event) == 0 ? STATUS_OK : STATUS_IO;
}

enum status fcgi_connections_watch(struct fcgi_connections *all, int fd, uint32_t events,
                                   uint32_t number)
{
    return control(all, EPOLL_CTL_ADD, fd, events, number);
}

void fcgi_connections_unwatch(struct fcgi_connections *all, int fd)
{
    (void)epoll_ctl(all->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* Asks epoll for the events that the connection's state needs. Bytes that are there already
 * count as a new event. */
static enum status watch(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];
    uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLET;

    if (c->state == FCGI_SENDING)
        events |= EPOLLOUT;
    enum status status = control(all, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd,
                                 events, (uint32_t)place);
    c->watched = c->watched || status == STATUS_OK;
    return status;
}

static void set_since(struct fcgi_connections *all, struct fcgi_connection *c,
                      int64_t since_ms)
{
    all->timed += (since_ms != 0) - (c->since_ms != 0);
    c->since_ms = since_ms;
}

/* ---- The queue ---- */

static bool is_queued(const struct fcgi_connections *all, int place)
{
    return all->at[place].before >= 0 || all->first == place;
}

static void enqueue(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];

    c->queued_us = clock_monotonic_us();
    c->before = all->last;
    c->behind = -1;
    if (all->last >= 0)
        all->at[all->last].behind = place;
    else
        all->first = place;
    all->last = place;
    all->queued++;
}

static void dequeue(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];

    if (c->before >= 0)
        all->at[c->before].behind = c->behind;
    else
        all->first = c->behind;
    if (c->behind >= 0)
        all->at[c->behind].before = c->before;
    else
        all->last = c->before;
    c->before = c->behind = -1;
    all->queued--;
}

/* In the queue are those that wait and are to be looked at. */
static void set_look(struct fcgi_connections *all, int place, bool look)
{
    struct fcgi_connection *c = &all->at[place];
    bool queued = is_queued(all, place);

    c->look = look;
    if (look && !queued && c->state == FCGI_WAITING)
        enqueue(all, place);
    else if (!look && queued)
        dequeue(all, place);
}

bool fcgi_connections_has_room(const struct fcgi_connections *all)
{
    return all->in_hand < all->in_hand_max;
}

/* ---- Connections ---- */

static void set_kept(struct fcgi_connections *all, struct fcgi_connection *c, bool kept)
{
    all->kept += kept - c->kept;
    c->kept = kept;
}

static void set_in_hand(struct fcgi_connections *all, struct fcgi_connection *c,
                        bool in_hand)
{
    all->in_hand += in_hand - c->in_hand;
    c->in_hand = in_hand;
}

static void clear_output(struct fcgi_connections *all, struct fcgi_connection *c)
{
    all->unsent_bytes -= c->output.len;
    fcgi_output_clear(&c->output);
}

int fcgi_connections_add(struct fcgi_connections *all, int fd,
                         const struct fcgi_input *input)
{
    const struct fcgi_input nothing = {.file = -1};
    struct fcgi_input collected = input != NULL ? *input : nothing;
    int place = 0;

    while (place < all->count && all->at[place].state != FCGI_FREE)
        place++;
    if (place == all->count) {
        (void)close(fd);
        fcgi_input_clear(&collected);
        return -1;
    }
    all->at[place].state = FCGI_WAITING;
    all->at[place].fd = fd;
    all->at[place].input = collected;
    all->at[place].before = all->at[place].behind = -1;
    all->used++;
    return place;
}

/* Frees the reader's pipe for the next request once libfcgi has read this one. is_read: all
 * of it. */
static void release_pipe(struct fcgi_connections *all, struct fcgi_connection *c,
                         bool is_read)
{
    if (c->piped && is_read)
        all->reader.pipe_used = false;
    else if (c->piped)
        fcgi_reader_clear(&all->reader);
    c->piped = false;
}

static void end_request(struct fcgi_connections *all, struct fcgi_connection *c)
{
    release_pipe(all, c, fcgi_request_end(c->request));
    fcgi_input_clear(&c->input);
    set_in_hand(all, c, false);
}

void fcgi_connections_drop(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];

    if (c->state == FCGI_IN_HAND)
        end_request(all, c);
    set_since(all, c, 0);
    set_look(all, place, false);
    set_kept(all, c, false);
    clear_output(all, c);
    fcgi_input_clear(&c->input);
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    c->watched = false;
    c->state = FCGI_FREE;
    all->used--;
}

void fcgi_connections_end(struct fcgi_connections *all, int place)
{
    char bytes[DISCARD_BYTES];
    ssize_t len = 1;

    for (int i = 0; i < DISCARDS_MAX && len > 0; i++)
        len = recv(all->at[place].fd, bytes, sizeof bytes, MSG_DONTWAIT);
    fcgi_connections_drop(all, place);
}

void fcgi_connections_keep(struct fcgi_connections *all, int place)
{
    set_kept(all, &all->at[place], true);
}

void fcgi_connections_await(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];
    bool was_sending = c->state == FCGI_SENDING;

    c->state = FCGI_WAITING;
    c->rests_since_ms = clock_monotonic_ms();
    set_look(all, place, c->look);
    if ((!c->watched || was_sending) && watch(all, place) != STATUS_OK)
        fcgi_connections_drop(all, place);
}

void fcgi_connections_set_deadline(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];

    if (c->since_ms != 0)
        return;
    set_since(all, c, clock_monotonic_ms());
    c->progress_ms = c->since_ms;
}

void fcgi_connections_mark(struct fcgi_connections *all, int place)
{
    set_look(all, place, true);
}

bool fcgi_connections_rests(const struct fcgi_connection *c)
{
    return c->state == FCGI_WAITING && c->since_ms == 0 && !c->look;
}

int fcgi_connections_longest_resting(const struct fcgi_connections *all)
{
    int longest = -1;

    for (int i = 0; i < all->count; i++)
        if (fcgi_connections_rests(&all->at[i]) &&
            (longest < 0 || all->at[i].rests_since_ms < all->at[longest].rests_since_ms))
            longest = i;
    return longest;
}

static enum status read_from_memory(struct fcgi_connections *all, struct fcgi_connection *c)
{
    enum status status = fcgi_request_begin_in_memory(
        c->request, &c->fd, fcgi_input_bytes(&all->reader), all->reader.len);

    if (status != STATUS_OK || fcgi_input_take(&all->reader, &c->input, c->fd))
        return status;
    (void)fcgi_request_end(c->request);
    return STATUS_IO;
}

/* Lets libfcgi read the complete request of a connection. */
static enum status read_request(struct fcgi_connections *all, struct fcgi_connection *c)
{
    if (c->request == NULL)
        c->request = fcgi_request_create();
    if (c->request == NULL)
        return STATUS_NO_MEMORY;
    if (c->input.file < 0 && fcgi_request_fits_in_memory(all->reader.len))
        return read_from_memory(all, c);
    int *fd = fcgi_input_source(&all->reader, &c->input, c->fd, &c->piped);
    if (fd == NULL)
        return STATUS_IO;
    enum status status = fcgi_request_begin(c->request, fd);
    if (status != STATUS_OK)
        release_pipe(all, c, false);
    return status;
}

/* more: there are bytes behind the request. epoll will not tell of them again. */
static bool begin(struct fcgi_connections *all, int place, bool more)
{
    struct fcgi_connection *c = &all->at[place];

    if (read_request(all, c) != STATUS_OK) {
        fcgi_connections_drop(all, place);
        return false;
    }
    c->state = FCGI_IN_HAND;
    set_in_hand(all, c, true);
    c->stays = fcgi_request_keeps_connection(c->request);
    set_since(all, c, 0);
    set_kept(all, c, c->stays);
    set_look(all, place, more);
    return true;
}

/* Acts on the result of a look at a connection. more: there are bytes to look at that epoll
 * has told of already. True when its request begins. */
static bool act_on(struct fcgi_connections *all, int place, enum fcgi_arrived arrived,
                   bool more)
{
    if (arrived == FCGI_ARRIVED_ALL)
        return begin(all, place, more);
    if (arrived == FCGI_ARRIVED_END || (more && watch(all, place) != STATUS_OK))
        fcgi_connections_drop(all, place);
    else if (arrived == FCGI_ARRIVED_GONE)
        set_since(all, &all->at[place], 0);
    else if (arrived != FCGI_ARRIVED_NOTHING)
        fcgi_connections_set_deadline(all, place);
    return false;
}

static bool collect(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];
    size_t taken = c->input.taken;
    bool more = false;
    enum fcgi_arrived arrived = fcgi_input_collect(&all->reader, &c->input, c->fd, &more);

    if (c->input.taken != taken)
        c->progress_ms = clock_monotonic_ms();
    return act_on(all, place, arrived, more);
}

/* True when that completed the request, which has begun then. */
static bool start_to_collect(struct fcgi_connections *all, int place)
{
    fcgi_connections_set_deadline(all, place);
    if (fcgi_input_start(&all->at[place].input) != STATUS_OK)
        return false; /* tried again at the next look */
    return collect(all, place);
}

static bool look(struct fcgi_connections *all, int place, enum fcgi_arrived collect_from)
{
    struct fcgi_connection *c = &all->at[place];
    bool more = false;

    set_look(all, place, false);
    if (c->input.file >= 0)
        return collect(all, place);
    enum fcgi_arrived arrived = fcgi_input_peek(&all->reader, &c->input, c->fd, &more);
    if (arrived == FCGI_ARRIVED_FULL || arrived == collect_from)
        return start_to_collect(all, place);
    return act_on(all, place, arrived, more);
}

bool fcgi_connections_look(struct fcgi_connections *all, int place)
{
    return look(all, place, FCGI_ARRIVED_FULL);
}

bool fcgi_connections_look_stalled(struct fcgi_connections *all, int place)
{
    return look(all, place, FCGI_ARRIVED_SOME);
}

bool fcgi_connections_has_begun(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];
    bool more;

    if (c->input.file >= 0)
        return true;
    enum fcgi_arrived arrived = fcgi_input_peek(&all->reader, &c->input, c->fd, &more);
    return arrived != FCGI_ARRIVED_NOTHING && arrived != FCGI_ARRIVED_GONE &&
           arrived != FCGI_ARRIVED_END;
}

enum status fcgi_connections_read_body(struct fcgi_connections *all, int place,
                                       char *buffer, size_t size, size_t *len)
{
    struct fcgi_connection *c = &all->at[place];
    enum status status =
        fcgi_request_read_body(c->request, c->input.scan.left_out, buffer, size, len);

    release_pipe(all, c, fcgi_request_is_read(c->request));
    return status;
}

/* Changes to the state of sending what the peer did not take at once. */
static enum status begin_to_send(struct fcgi_connections *all, int place)
{
    struct fcgi_connection *c = &all->at[place];

    c->state = FCGI_SENDING;
    all->unsent_bytes += c->output.len;
    set_since(all, c, clock_monotonic_ms());
    return watch(all, place) == STATUS_OK ? STATUS_BUSY : STATUS_IO;
}

static void set_label(struct fcgi_connection *c, const char *label)
{
    size_t len = strnlen(label, sizeof c->label - 1);

    memcpy(c->label, label, len);
    c->label[len] = '\0';
}

enum status fcgi_connections_answer(struct fcgi_connections *all, int place,
                                    struct span answer, const char *label)
{
    struct fcgi_connection *c = &all->at[place];
    unsigned id = fcgi_request_id(c->request);

    set_label(c, label);
    end_request(all, c);
    enum status status = fcgi_output_start(
        &c->output, c->fd, id, answer, FCGI_CONNECTIONS_UNSENT_BYTES - all->unsent_bytes);
    return status == STATUS_BUSY ? begin_to_send(all, place) : status;
}

enum status fcgi_connections_send(struct fcgi_connections *all, int place, bool lasting)
{
    struct fcgi_connection *c = &all->at[place];
    size_t len = c->output.len, sent = c->output.sent;
    enum status status = fcgi_output_go_on(&c->output, c->fd);

    if (status == STATUS_OK) {
        all->unsent_bytes -= len;
        set_since(all, c, 0);
    } else if (c->output.sent > sent && lasting) {
        set_since(all, c, clock_monotonic_ms());
    }
    return status;
}
