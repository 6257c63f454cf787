#include "lib/fastcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fcgi_record.h"
#include "lib/log.h"
#include "lib/signals.h"

enum {
    PEEK_BYTES = 64 * 1024, /* a request that goes beyond is taken off its connection */
    FIRST_BYTES_MS = 2,     /* a new connection nearly always brings its request along */
    STALL_MS = 50,          /* then an unfinished one is, too */
    COLLECT_STEP_BYTES = 1024 * 1024,      /* at once, lest one peer occupies the process */
    COLLECTED_MAX_BYTES = 2 * 1024 * 1024, /* beyond twice the longest body */
    FULL_YIELD_MS = 3 * FASTCGI_YIELD_MS,
    EVENTS_MAX = 16,
    COMPLAIN_MS = 10000, /* between two lines of the log about the same */
};

/* What epoll gives back for the descriptors that are no connections. */
enum {
    MARK_LISTENING = FASTCGI_PLACES,
    MARK_WAKE,
    MARK_NEWS,
    MARK_TAKE,
};

struct connection {
    int fd;           /* -1: a free place */
    int collected;    /* a file in memory with what was taken from fd already; -1: none */
    size_t left_out;  /* bytes of the body that were not kept among them */
    int64_t since_ms; /* when the unfinished request began; 0: none has, or it is in hand */
    int64_t rests_since_ms; /* without a request */
    bool watched;           /* by epoll */
    bool kept;              /* counted in struct fastcgi */
    bool in_hand;           /* its request has come out of fastcgi_wait */
    bool body_read;
    bool look; /* something came while it was in hand, and no edge will tell again */
    FCGX_Request request;
};

enum mode { SERVING, FINISHING, HANDING_OVER };

struct fastcgi {
    struct fastcgi_descriptors fds;
    int epoll;
    int timeout_ms;
    size_t max_body_bytes;
    enum mode mode;
    struct connection connections[FASTCGI_PLACES];
    int used;              /* how many places are */
    int kept;              /* connections that may stay: idle, unfinished, or in hand */
    int unfinished;        /* how many of them have a deadline */
    int to_look;           /* how many are marked */
    int64_t accept_at_ms;  /* 0: nobody waits to be accepted */
    int64_t complained_ms; /* of connections that cannot be accepted; 0: never */
    bool has_looked;       /* at the kept ones since the last was accepted */
    struct epoll_event events[EVENTS_MAX];
    int next_event, event_count;
    char peek[PEEK_BYTES];
};

enum status fastcgi_handover_pair(int *give, int *take)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return STATUS_IO;
    *give = pair[0];
    *take = pair[1];
    return STATUS_OK;
}

static bool watch(struct fastcgi *f, int operation, int fd, uint32_t events, uint32_t mark)
{
    struct epoll_event event = {.events = events, .data.u32 = mark};

    return epoll_ctl(f->epoll, operation, fd, &event) == 0;
}

/* A worker that keeps no connection is one of many who could accept: waking one is enough.
 * One that keeps some only wants to be told of each newcomer, and looks again later. */
static bool watch_listening(struct fastcgi *f)
{
    uint32_t events = f->kept == 0 ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN | EPOLLET;

    if (f->mode != SERVING)
        return true;
    (void)epoll_ctl(f->epoll, EPOLL_CTL_DEL, f->fds.listening, NULL);
    return watch(f, EPOLL_CTL_ADD, f->fds.listening, events, MARK_LISTENING);
}

/* Fields of FCGX_Request that libfcgi keeps to itself are used here and in begin_request;
 * this shows that they work as this file supposes. */
static bool libfcgi_fits(void)
{
    static const unsigned char begin_and_end[] = {
        1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, /* begin: responder, keep */
        1, 4, 0, 1, 0, 0, 0, 0,                         /* no parameters */
        1, 5, 0, 1, 0, 0, 0, 0,                         /* no body */
    };
    int pair[2];
    FCGX_Request request;
    bool fits = false;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    if (FCGX_InitRequest(&request, -1, 0) == 0 &&
        write(pair[0], begin_and_end, sizeof begin_and_end) ==
            (ssize_t)sizeof begin_and_end) {
        request.ipcFd = pair[1];
        request.keepConnection = 1;
        fits = FCGX_Accept_r(&request) == 0 && request.ipcFd == pair[1];
        if (fits)
            FCGX_Finish_r(&request);
        fits = fits && request.ipcFd == pair[1];
    }
    (void)close(pair[0]);
    (void)close(pair[1]);
    return fits;
}

static bool watch_descriptors(struct fastcgi *f)
{
    const struct {
        int fd;
        uint32_t events, mark;
    } table[] = {
        {f->fds.wake, EPOLLIN, MARK_WAKE},
        {f->fds.news, EPOLLIN | EPOLLET, MARK_NEWS},
        {f->fds.take, EPOLLIN | EPOLLEXCLUSIVE, MARK_TAKE},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (table[i].fd >= 0 &&
            !watch(f, EPOLL_CTL_ADD, table[i].fd, table[i].events, table[i].mark))
            return false;
    return watch_listening(f);
}

enum status fastcgi_create(struct fastcgi **out, const struct fastcgi_descriptors *fds,
                           int timeout_ms, size_t max_body_bytes)
{
    struct fastcgi *f = calloc(1, sizeof *f);

    *out = NULL;
    if (f == NULL)
        return STATUS_NO_MEMORY;
    f->fds = *fds;
    f->timeout_ms = timeout_ms;
    f->max_body_bytes = max_body_bytes;
    for (int i = 0; i < FASTCGI_PLACES; i++)
        f->connections[i] = (struct connection){.fd = -1, .collected = -1};
    f->epoll = epoll_create1(EPOLL_CLOEXEC);
    /* libfcgi installs handlers of its own where it finds default ones: ours come first */
    if (f->epoll < 0 || FCGX_Init() != 0 || !libfcgi_fits() || !watch_descriptors(f)) {
        fastcgi_free(f);
        return STATUS_INTERNAL;
    }
    for (int i = 0; i < FASTCGI_PLACES; i++)
        (void)FCGX_InitRequest(&f->connections[i].request, -1, 0);
    *out = f;
    return STATUS_OK;
}

static void set_deadline(struct fastcgi *f, struct connection *c, int64_t since_ms)
{
    f->unfinished += (since_ms != 0) - (c->since_ms != 0);
    c->since_ms = since_ms;
}

static void set_look(struct fastcgi *f, struct connection *c, bool look)
{
    f->to_look += look - c->look;
    c->look = look;
}

/* Connections that may stay are what makes this worker leave new ones to others. */
static void set_kept(struct fastcgi *f, struct connection *c, bool kept)
{
    int before = f->kept;

    f->kept += kept - c->kept;
    c->kept = kept;
    if ((before == 0) != (f->kept == 0))
        (void)watch_listening(f);
}

static void close_collected(struct connection *c)
{
    if (c->collected >= 0)
        (void)close(c->collected);
    c->collected = -1;
    c->left_out = 0;
}

/* Who has no place left leaves handed-over connections to others. */
static void watch_take(struct fastcgi *f)
{
    if (f->fds.take < 0 || f->mode != SERVING)
        return;
    if (f->used == FASTCGI_PLACES)
        (void)epoll_ctl(f->epoll, EPOLL_CTL_DEL, f->fds.take, NULL);
    else
        (void)watch(f, EPOLL_CTL_ADD, f->fds.take, EPOLLIN | EPOLLEXCLUSIVE, MARK_TAKE);
}

/* Gives the place free; its descriptors are closed, or somebody else's. */
static void forget(struct fastcgi *f, int place)
{
    struct connection *c = &f->connections[place];

    set_deadline(f, c, 0);
    set_look(f, c, false);
    set_kept(f, c, false);
    close_collected(c);
    c->fd = -1;
    c->watched = c->in_hand = false;
    if (f->used-- == FASTCGI_PLACES)
        watch_take(f);
}

static void drop(struct fastcgi *f, int place)
{
    (void)close(f->connections[place].fd);
    forget(f, place);
}

void fastcgi_free(struct fastcgi *f)
{
    if (f == NULL)
        return;
    for (int i = 0; i < FASTCGI_PLACES; i++) {
        struct connection *c = &f->connections[i];
        if (c->in_hand)
            FCGX_Free(&c->request, 0);
        close_collected(c);
        if (c->fd >= 0)
            (void)close(c->fd);
    }
    if (f->epoll >= 0)
        (void)close(f->epoll);
    free(f);
}

/* Takes a place for the connection. -1: there is none, and it is closed. */
static int take_place(struct fastcgi *f, int fd)
{
    int place = 0;

    while (place < FASTCGI_PLACES && f->connections[place].fd >= 0)
        place++;
    if (place == FASTCGI_PLACES) {
        (void)close(fd);
        return -1;
    }
    f->connections[place].fd = fd;
    if (++f->used == FASTCGI_PLACES)
        watch_take(f);
    return place;
}

/* Also tells of what is there already, as for the first time. */
static bool watch_connection(struct fastcgi *f, int operation, const struct connection *c)
{
    return watch(f, operation, c->fd, EPOLLIN | EPOLLRDHUP | EPOLLET,
                 (uint32_t)(c - f->connections));
}

/* Waits for the connection's next request, or the rest of this one. */
static void keep(struct fastcgi *f, int place)
{
    struct connection *c = &f->connections[place];

    set_kept(f, c, true);
    c->rests_since_ms = clock_monotonic_ms();
    if (c->watched)
        return;
    c->watched = watch_connection(f, EPOLL_CTL_ADD, c);
    if (!c->watched)
        drop(f, place);
}

/* Takes the first record off the connection and answers it. All of it is in f->peek. */
static bool answer_record(struct fastcgi *f, int fd)
{
    unsigned char answer[FCGI_RECORD_ANSWER_BYTES];
    size_t len = fcgi_record_answer((unsigned char *)f->peek, answer);
    size_t taken = fcgi_record_bytes((unsigned char *)f->peek);

    return recv(fd, f->peek, taken, MSG_DONTWAIT) == (ssize_t)taken &&
           send(fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

/* PEEKED_END: nothing good will come any more. */
enum peeked { PEEKED_NOTHING, PEEKED_SOME, PEEKED_FULL, PEEKED_ALL, PEEKED_END };

static enum peeked peek_at(struct fastcgi *f, int fd)
{
    for (;;) {
        ssize_t len = recv(fd, f->peek, sizeof f->peek, MSG_PEEK | MSG_DONTWAIT);

        if (len < 0)
            return errno == EAGAIN || errno == EINTR ? PEEKED_NOTHING : PEEKED_END;
        if (len == 0)
            return PEEKED_END;
        bool full = (size_t)len == sizeof f->peek;
        switch (fcgi_record_judge((unsigned char *)f->peek, (size_t)len)) {
        case FCGI_RECORD_COMPLETE:
            return PEEKED_ALL;
        case FCGI_RECORD_BODY_MISSING:
            return full ? PEEKED_FULL : PEEKED_SOME;
        case FCGI_RECORD_HEAD_MISSING:
            return PEEKED_SOME;
        case FCGI_RECORD_MANAGEMENT:
            if (!answer_record(f, fd))
                return PEEKED_END;
            break;
        case FCGI_RECORD_UNKNOWN_ROLE:
            (void)answer_record(f, fd);
            return PEEKED_END;
        case FCGI_RECORD_WRONG:
            return PEEKED_END;
        }
    }
}

/* Lets libfcgi read the request from fd: the connection, or what was collected from it.
 * When that fails, libfcgi has closed fd. */
static bool begin_request(struct fastcgi *f, struct connection *c, int fd)
{
    c->request.ipcFd = fd;
    c->request.keepConnection = 1; /* or FCGX_Accept_r would close it first */
    c->request.detached = 1;       /* or closing it would wait for the peer, up to 2 s */
    c->body_read = false;
    if (FCGX_Accept_r(&c->request) != 0)
        return false;
    c->in_hand = true;
    set_deadline(f, c, 0);
    set_kept(f, c, c->request.keepConnection != 0);
    return true;
}

static void set_timeouts(const struct fastcgi *f, int fd)
{
    struct timeval limit = {f->timeout_ms / 1000,
                            (suseconds_t)(f->timeout_ms % 1000) * 1000};

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* A new connection: usually its request is there at once. */
static int serve_new(struct fastcgi *f, int fd)
{
    enum peeked peeked = peek_at(f, fd);

    if (peeked == PEEKED_NOTHING || peeked == PEEKED_SOME) {
        (void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, FIRST_BYTES_MS);
        peeked = peek_at(f, fd);
    }
    if (peeked == PEEKED_END) {
        (void)close(fd);
        return -1;
    }
    int place = take_place(f, fd);
    if (place < 0)
        return -1;
    if (peeked != PEEKED_ALL) {
        set_deadline(f, &f->connections[place], clock_monotonic_ms());
        keep(f, place);
        return -1;
    }
    if (begin_request(f, &f->connections[place], fd))
        return place;
    forget(f, place);
    return -1;
}

/* Who would have to close another connection for it leaves a new one for longer to those
 * who have room. */
static int yield_ms(const struct fastcgi *f)
{
    return f->used < FASTCGI_PLACES ? FASTCGI_YIELD_MS : FULL_YIELD_MS;
}

static bool rests(const struct connection *c)
{
    return c->fd >= 0 && !c->in_hand && c->since_ms == 0;
}

/* The place of the connection that has rested longest; -1: none does. */
static int longest_resting(const struct fastcgi *f)
{
    int longest = -1;

    for (int i = 0; i < FASTCGI_PLACES; i++)
        if (rests(&f->connections[i]) &&
            (longest < 0 ||
             f->connections[i].rests_since_ms < f->connections[longest].rests_since_ms))
            longest = i;
    return longest;
}

/* Kept connections must not shut out a new one: that which has rested longest is closed, as
 * web servers expect of any that they keep. */
static bool make_room(struct fastcgi *f, int64_t now_ms)
{
    if (f->used < FASTCGI_PLACES)
        return true;
    if (poll(&(struct pollfd){.fd = f->fds.listening, .events = POLLIN}, 1, 0) <= 0) {
        f->accept_at_ms = 0; /* nobody waits any more */
        return false;
    }
    int longest = longest_resting(f);
    if (longest < 0 || now_ms - f->connections[longest].rests_since_ms < FASTCGI_YIELD_MS ||
        peek_at(f, f->connections[longest].fd) != PEEKED_NOTHING)
        return false;
    drop(f, longest);
    return true;
}

/* Out of descriptors, or of the kernel's memory: a kept connection that rests makes way, and
 * where there is none, nothing but time helps. */
static void suffer(struct fastcgi *f, int error, int64_t now_ms)
{
    int longest = longest_resting(f);

    if (f->complained_ms == 0 || now_ms - f->complained_ms >= COMPLAIN_MS) {
        LOG(LEVEL_ERROR, "accept_failed", LOG_TEXT("message", strerror(error)),
            LOG_NUMBER("connections", f->used));
        f->complained_ms = now_ms;
    }
    if (longest >= 0)
        drop(f, longest);
    else
        (void)poll(NULL, 0, FASTCGI_YIELD_MS);
}

/* The place of a request that begins, or -1. */
static int accept_new(struct fastcgi *f)
{
    int64_t now_ms = clock_monotonic_ms();

    f->accept_at_ms = now_ms + FASTCGI_YIELD_MS; /* unless it turns out otherwise */
    if (!make_room(f, now_ms))
        return -1;
    int fd = accept4(f->fds.listening, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN)
            f->accept_at_ms = 0;
        else if (errno != ECONNABORTED)
            suffer(f, errno, now_ms);
        return -1;
    }
    /* This one was left to others for long enough, so nobody will come for those behind it
     * either, if there is room for one more. No edge will tell of them. */
    if (f->kept == 0)
        f->accept_at_ms = 0;
    else if (f->used + 1 < FASTCGI_PLACES)
        f->accept_at_ms = now_ms;
    else
        f->accept_at_ms = now_ms + FULL_YIELD_MS;
    set_timeouts(f, fd);
    return serve_new(f, fd);
}

/* Judges what was collected. *len is how much of it is worth keeping. */
static enum fcgi_record_verdict judge_collected(const struct fastcgi *f,
                                                struct connection *c, size_t *len)
{
    const size_t size = *len;
    unsigned char *bytes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->collected, 0);

    if (bytes == MAP_FAILED)
        return FCGI_RECORD_WRONG;
    enum fcgi_record_verdict verdict = fcgi_record_judge(bytes, size);
    if (verdict == FCGI_RECORD_BODY_MISSING && size > f->max_body_bytes)
        *len = fcgi_record_shorten(bytes, size, f->max_body_bytes, &c->left_out);
    (void)munmap(bytes, size);
    return verdict;
}

/* What was collected, as peek_at tells it. */
static enum peeked look_at_collected(const struct fastcgi *f, struct connection *c)
{
    struct stat info;

    if (fstat(c->collected, &info) != 0)
        return PEEKED_END;
    if (info.st_size == 0)
        return PEEKED_SOME;
    size_t len = (size_t)info.st_size;
    enum fcgi_record_verdict verdict = judge_collected(f, c, &len);
    if (verdict == FCGI_RECORD_COMPLETE)
        return PEEKED_ALL;
    if (verdict != FCGI_RECORD_HEAD_MISSING && verdict != FCGI_RECORD_BODY_MISSING)
        return PEEKED_END;
    bool kept = len <= COLLECTED_MAX_BYTES + 2 * f->max_body_bytes &&
                ftruncate(c->collected, (off_t)len) == 0 &&
                lseek(c->collected, (off_t)len, SEEK_SET) == (off_t)len;
    return kept ? PEEKED_SOME : PEEKED_END;
}

/* A socket's buffer is full after some hundred small pieces, and then it never holds the
 * whole request: so take them off. */
static enum peeked collect(struct fastcgi *f, struct connection *c)
{
    size_t taken = 0;
    ssize_t len = 1;

    while (taken < COLLECT_STEP_BYTES &&
           (len = recv(c->fd, f->peek, sizeof f->peek, MSG_DONTWAIT)) > 0) {
        if (write(c->collected, f->peek, (size_t)len) != len)
            return PEEKED_END;
        taken += (size_t)len;
    }
    bool more = len > 0, ended = !more && (len == 0 || (errno != EAGAIN && errno != EINTR));
    enum peeked peeked = look_at_collected(f, c);
    if (peeked == PEEKED_SOME &&
        (ended || (more && !watch_connection(f, EPOLL_CTL_MOD, c))))
        return PEEKED_END;
    return peeked;
}

/* Begins the request of a connection that was waiting. */
static bool begin_waiting(struct fastcgi *f, int place)
{
    struct connection *c = &f->connections[place];
    bool collected = c->collected >= 0;

    if (collected && lseek(c->collected, 0, SEEK_SET) != 0) {
        drop(f, place);
        return false;
    }
    if (begin_request(f, c, collected ? c->collected : c->fd))
        return true;
    if (collected) { /* libfcgi has closed that, but knows nothing of fd */
        c->collected = -1;
        (void)close(c->fd);
    }
    forget(f, place);
    return false;
}

/* Does what a look at a connection asks for. True when its request begins. */
static bool act_on(struct fastcgi *f, int place, enum peeked peeked)
{
    struct connection *c = &f->connections[place];

    if (peeked == PEEKED_ALL)
        return begin_waiting(f, place);
    if (peeked == PEEKED_END)
        drop(f, place);
    else if (peeked != PEEKED_NOTHING && c->since_ms == 0)
        set_deadline(f, c, clock_monotonic_ms());
    return false;
}

/* True when that completed the request, which has begun then. */
static bool start_to_collect(struct fastcgi *f, int place)
{
    struct connection *c = &f->connections[place];

    (void)act_on(f, place, PEEKED_SOME);
    c->collected = memfd_create("request", MFD_CLOEXEC);
    return c->collected >= 0 && act_on(f, place, collect(f, c));
}

/* True when the request of a connection begins on which something has arrived. */
static bool serve_kept(struct fastcgi *f, int place)
{
    struct connection *c = &f->connections[place];

    if (c->fd < 0) /* closed since epoll told of it */
        return false;
    if (c->in_hand) {
        set_look(f, c, true);
        return false;
    }
    if (c->collected >= 0)
        return act_on(f, place, collect(f, c));
    enum peeked peeked = peek_at(f, c->fd);
    return peeked == PEEKED_FULL ? start_to_collect(f, place) : act_on(f, place, peeked);
}

/* A connection and, where there is one, what was collected from it; its left_out is the
 * message. */
union rights {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
};

/* A connection from a worker that ended. It is watched like a kept one. */
static void take_over(struct fastcgi *f)
{
    size_t left_out;
    int fds[2] = {-1, -1};
    union rights control;
    struct iovec data = {&left_out, sizeof left_out};
    struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof control.bytes,
    };

    if (recvmsg(f->fds.take, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) !=
        (ssize_t)sizeof left_out)
        return;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_type != SCM_RIGHTS)
        return;
    size_t size = header->cmsg_len - CMSG_LEN(0);
    memcpy(fds, CMSG_DATA(header), size < sizeof fds ? size : sizeof fds);
    if ((message.msg_flags & MSG_CTRUNC) != 0) { /* without what was collected from it */
        (void)close(fds[0]);
        return;
    }
    set_timeouts(f, fds[0]);
    int place = take_place(f, fds[0]);
    if (place < 0) {
        if (fds[1] >= 0)
            (void)close(fds[1]);
        return;
    }
    f->connections[place].collected = fds[1];
    f->connections[place].left_out = left_out;
    if (fds[1] >= 0)
        set_deadline(f, &f->connections[place], clock_monotonic_ms());
    keep(f, place);
}

static bool give_away(struct fastcgi *f, const struct connection *c)
{
    const int fds[2] = {c->fd, c->collected};
    const size_t size = (c->collected >= 0 ? 2 : 1) * sizeof(int);
    union rights control = {.header = {CMSG_LEN(size), SOL_SOCKET, SCM_RIGHTS}};
    size_t left_out = c->left_out;
    struct iovec data = {&left_out, sizeof left_out};
    struct msghdr message = {
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = CMSG_SPACE(size),
    };

    memcpy(CMSG_DATA(&control.header), fds, size);
    while (sendmsg(f->fds.give, &message, MSG_NOSIGNAL) < 0) {
        struct pollfd room = {.fd = f->fds.give, .events = POLLOUT};
        if (errno != EAGAIN || poll(&room, 1, f->timeout_ms) <= 0)
            return false;
    }
    return true;
}

/* False when nobody took it in time. */
static bool pass_on(struct fastcgi *f, int place, bool somebody_takes)
{
    bool taken = somebody_takes && give_away(f, &f->connections[place]);

    drop(f, place);
    return taken;
}

/* A peer that sends no more may be waiting for room in the socket. */
static bool serve_stalled(struct fastcgi *f, int place)
{
    enum peeked peeked = peek_at(f, f->connections[place].fd);

    return peeked == PEEKED_SOME ? start_to_collect(f, place) : serve_kept(f, place);
}

/* Those whose time is over are dropped, and those that take long are collected. The place
 * of a request that begins, or -1. */
static int look_after_unfinished(struct fastcgi *f)
{
    int64_t now_ms = clock_monotonic_ms();

    for (int i = 0; i < FASTCGI_PLACES && f->unfinished > 0; i++) {
        const struct connection *c = &f->connections[i];
        if (c->since_ms == 0)
            continue;
        if (now_ms - c->since_ms >= f->timeout_ms)
            drop(f, i);
        else if (c->collected < 0 && now_ms - c->since_ms >= STALL_MS &&
                 serve_stalled(f, i))
            return i;
    }
    return -1;
}

/* Those on which something came while their request was in hand. */
static int look_again(struct fastcgi *f)
{
    for (int i = 0; i < FASTCGI_PLACES && f->to_look > 0; i++) {
        struct connection *c = &f->connections[i];
        if (!c->look || c->in_hand)
            continue;
        set_look(f, c, false);
        if (serve_kept(f, i))
            return i;
    }
    return -1;
}

static int shorter(int a_ms, int b_ms)
{
    return b_ms < 0 || (a_ms >= 0 && a_ms < b_ms) ? a_ms : b_ms;
}

/* How long there is nothing to do but wait; -1: no limit. */
static int waiting_ms(const struct fastcgi *f)
{
    int wait_ms = f->unfinished > 0 ? STALL_MS : -1;

    if (f->accept_at_ms == 0)
        return wait_ms;
    int64_t left_ms = f->accept_at_ms - clock_monotonic_ms();
    return shorter(left_ms > 0 ? (int)left_ms : 0, wait_ms);
}

/* True for a connection on which at least a part of a request has arrived. */
static bool has_begun(struct fastcgi *f, const struct connection *c)
{
    if (c->in_hand || c->collected >= 0)
        return true;
    enum peeked peeked = peek_at(f, c->fd);
    return peeked == PEEKED_SOME || peeked == PEEKED_FULL || peeked == PEEKED_ALL;
}

static void stop_accepting(struct fastcgi *f, enum mode mode)
{
    const int no_more[] = {f->fds.listening, f->fds.wake, f->fds.take};

    f->mode = mode;
    f->accept_at_ms = 0;
    for (size_t i = 0; i < sizeof no_more / sizeof no_more[0]; i++)
        if (no_more[i] >= 0)
            (void)epoll_ctl(f->epoll, EPOLL_CTL_DEL, no_more[i], NULL);
}

void fastcgi_finish(struct fastcgi *f)
{
    if (f->mode == FINISHING)
        return;
    stop_accepting(f, FINISHING);
    for (int i = 0; i < FASTCGI_PLACES; i++) {
        struct connection *c = &f->connections[i];
        if (c->fd >= 0 && !has_begun(f, c))
            drop(f, i);
        else if (c->fd >= 0 && !c->in_hand && c->since_ms == 0)
            set_deadline(f, c, clock_monotonic_ms());
    }
}

void fastcgi_hand_over(struct fastcgi *f)
{
    if (f->fds.give < 0) {
        fastcgi_finish(f);
        return;
    }
    if (f->mode != SERVING)
        return;
    stop_accepting(f, HANDING_OVER);
    bool somebody_takes = true;
    for (int i = 0; i < FASTCGI_PLACES; i++)
        if (f->connections[i].fd >= 0 && !f->connections[i].in_hand)
            somebody_takes = pass_on(f, i, somebody_takes);
}

/* The end of a connection may come with the last bytes of a request, and then nothing will
 * tell of it again. */
static void mark_ended(struct fastcgi *f, struct connection *c, uint32_t events)
{
    if (c->fd >= 0 && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        set_look(f, c, true);
}

/* The place of a request that begins, or -1. */
static int handle(struct fastcgi *f, uint32_t mark, uint32_t events)
{
    if (mark < FASTCGI_PLACES) {
        mark_ended(f, &f->connections[mark], events);
        return serve_kept(f, (int)mark) ? (int)mark : -1;
    }
    if (f->mode != SERVING)
        return -1;
    if (mark == MARK_TAKE && f->used < FASTCGI_PLACES)
        take_over(f);
    else if (mark == MARK_TAKE)
        return -1;
    else if (f->kept == 0)
        return accept_new(f);
    else if (f->accept_at_ms == 0)
        f->accept_at_ms = clock_monotonic_ms() + yield_ms(f);
    return -1;
}

/* What epoll has told already; FASTCGI_DONE when that is all. */
static enum fastcgi_event next_of_batch(struct fastcgi *f, int *place)
{
    while (f->next_event < f->event_count) {
        uint32_t mark = f->events[f->next_event++].data.u32;
        if (mark == MARK_WAKE)
            return FASTCGI_WOKEN;
        if (mark == MARK_NEWS)
            return FASTCGI_NEWS;
        *place = handle(f, mark, f->events[f->next_event - 1].events);
        if (*place >= 0)
            return FASTCGI_REQUEST;
    }
    return FASTCGI_DONE;
}

/* What is to be done without epoll telling. The place of a request that begins, or -1. */
static int next_by_time(struct fastcgi *f)
{
    int place = look_again(f);

    /* one for each look at the kept ones, so that neither keeps the other waiting */
    if (place < 0 && f->has_looked && f->accept_at_ms != 0 &&
        f->accept_at_ms <= clock_monotonic_ms()) {
        f->has_looked = false;
        place = accept_new(f);
    }
    return place >= 0 ? place : look_after_unfinished(f);
}

enum fastcgi_event fastcgi_wait(struct fastcgi *f, int timeout_ms, size_t *place)
{
    for (;;) {
        int found = -1;
        enum fastcgi_event event = next_of_batch(f, &found);
        if (event == FASTCGI_WOKEN || event == FASTCGI_NEWS)
            return event;
        if (found < 0)
            found = next_by_time(f);
        if (found >= 0) {
            *place = (size_t)found;
            return FASTCGI_REQUEST;
        }
        if (f->mode != SERVING && f->used == 0)
            return FASTCGI_DONE;
        int wait_ms = waiting_ms(f);
        f->next_event = f->event_count = 0;
        int count = epoll_pwait(f->epoll, f->events, EVENTS_MAX,
                                shorter(wait_ms, timeout_ms), signals_waiting_mask());
        f->has_looked = true;
        if (count < 0)
            return errno == EINTR ? FASTCGI_WOKEN : FASTCGI_BROKEN;
        if (count == 0 && (wait_ms < 0 || (timeout_ms >= 0 && timeout_ms <= wait_ms)))
            return FASTCGI_NEWS;
        f->event_count = count;
    }
}

const char *fastcgi_param(const struct fastcgi *f, size_t place, const char *name)
{
    return FCGX_GetParam(name, f->connections[place].request.envp);
}

const char *fastcgi_param_nth(const struct fastcgi *f, size_t place, const char *name,
                              size_t index)
{
    size_t len = strlen(name);

    for (char **each = f->connections[place].request.envp; *each != NULL; each++)
        if (strncmp(*each, name, len) == 0 && (*each)[len] == '=' && index-- == 0)
            return *each + len + 1;
    return NULL;
}

/* Takes the rest of the body from the connection: closing one that still holds bytes
 * would cut the answer off at the peer. Returns how much there was. */
static size_t drain(struct fastcgi *f, struct connection *c)
{
    size_t total = 0;
    int len;

    while ((len = FCGX_GetStr(f->peek, sizeof f->peek, c->request.in)) > 0)
        total += (size_t)len;
    c->body_read = true;
    return total;
}

static bool agrees_with_content_length(const struct connection *c, size_t len)
{
    const char *text = FCGX_GetParam("CONTENT_LENGTH", c->request.envp);
    char *end;

    if (text == NULL || text[0] == '\0')
        return true;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long announced = strtoull(text, &end, 10);
    return *end == '\0' && errno == 0 && announced == len;
}

enum status fastcgi_read_body(struct fastcgi *f, size_t place, char *buffer, size_t size,
                              size_t *len)
{
    struct connection *c = &f->connections[place];
    int limit = size < INT32_MAX ? (int)size : INT32_MAX;
    int got = FCGX_GetStr(buffer, limit, c->request.in);

    *len = got > 0 ? (size_t)got : 0;
    size_t rest = drain(f, c) + c->left_out;
    if (FCGX_GetError(c->request.in) != 0 || !agrees_with_content_length(c, *len + rest))
        return STATUS_INVALID;
    return rest == 0 ? STATUS_OK : STATUS_TOO_LARGE;
}

/* libfcgi has closed its descriptor, or leaves it open for the next request. */
static void settle(struct fastcgi *f, int place)
{
    struct connection *c = &f->connections[place];
    bool open = c->request.ipcFd >= 0;

    c->request.ipcFd = -1;
    c->in_hand = false;
    if (!open) {
        if (c->collected >= 0) { /* that is what it has closed */
            c->collected = -1;
            (void)close(c->fd);
        }
        forget(f, place);
        return;
    }
    close_collected(c);
    if (f->mode == HANDING_OVER)
        (void)give_away(f, c);
    if (f->mode == SERVING)
        keep(f, place);
    else
        drop(f, place);
}

enum status fastcgi_answer(struct fastcgi *f, size_t place, struct span answer)
{
    struct connection *c = &f->connections[place];

    if (!c->body_read)
        (void)drain(f, c);
    if (c->collected >= 0) /* the request came from a file, the answer goes to the peer */
        (void)dup2(c->fd, c->collected);
    if (FCGX_PutStr(answer.data, (int)answer.len, c->request.out) < 0)
        (void)shutdown(c->fd, SHUT_RDWR); /* who took nothing so far gets no more time */
    /* the end-of-request record goes with the stream that is closed last */
    int failed = FCGX_FClose(c->request.err);
    failed |= FCGX_FClose(c->request.out);
    FCGX_Finish_r(&c->request);
    settle(f, (int)place);
    return failed == 0 ? STATUS_OK : STATUS_IO;
}
