#include "lib/mailbox.h"

#include <assert.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/secret.h"
#include "lib/shared.h"

enum {
    WORD_BITS = 64,
    PAGE_BYTES = 4096,
};

enum state { EMPTY, QUEUED, TAKEN, ANSWERED, LOST, ABANDONED };

/* Lengths are read once and then checked: a client that was taken over may change them. */
struct box {
    _Alignas(64) _Atomic uint32_t state; /* enum state */
    _Atomic uint32_t letter_len;
    _Atomic uint32_t answer_len;
    char answer[MAILBOX_ANSWER_BYTES];
};

/* The shared memory. */
struct shared {
    _Alignas(64) atomic_bool server_sleeps;
    _Atomic uint64_t queued[]; /* a bit for each box whose letter waits to be looked at */
};

struct mailboxes {
    size_t clients, boxes_each, count, words, letter_bytes;
    struct shared *shared;
    struct box *boxes;
    char *letters; /* letter_bytes each, from a page of their own */
    int doorbell;  /* an eventfd that wakes the server */
    int *bells;    /* eventfds that wake the clients */
    bool *to_tell; /* of the server: the clients that have new answers */
    size_t turn;   /* of the server: the box to look at next */
};

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

static size_t shared_bytes(const struct mailboxes *m)
{
    return sizeof *m->shared + m->words * sizeof m->shared->queued[0];
}

static bool make_bells(struct mailboxes *m)
{
    bool made = true;

    m->bells = malloc(m->clients * sizeof *m->bells);
    m->to_tell = calloc(m->clients, sizeof *m->to_tell);
    m->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; m->bells != NULL && i < m->clients; i++) {
        m->bells[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        made = made && m->bells[i] >= 0;
    }
    return made && m->bells != NULL && m->to_tell != NULL && m->doorbell >= 0;
}

struct mailboxes *mailboxes_create(size_t clients, size_t boxes_each, size_t letter_bytes)
{
    struct mailboxes *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    m->doorbell = -1;
    m->clients = clients;
    m->boxes_each = boxes_each;
    m->count = clients * boxes_each;
    m->words = round_up(m->count, WORD_BITS) / WORD_BITS;
    m->letter_bytes = round_up(letter_bytes, PAGE_BYTES);
    m->shared = shared_create(shared_bytes(m));
    m->boxes = shared_create(m->count * sizeof *m->boxes);
    m->letters = shared_create(m->count * m->letter_bytes);
    if (m->shared == NULL || m->boxes == NULL || m->letters == NULL || !make_bells(m)) {
        mailboxes_free(m);
        return NULL;
    }
    return m;
}

static void close_bell(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void mailboxes_free(struct mailboxes *m)
{
    if (m == NULL)
        return;
    shared_free(m->shared, shared_bytes(m));
    shared_free(m->boxes, m->count * sizeof *m->boxes);
    shared_free(m->letters, m->count * m->letter_bytes);
    for (size_t i = 0; m->bells != NULL && i < m->clients; i++)
        close_bell(m->bells[i]);
    close_bell(m->doorbell);
    free(m->bells);
    free(m->to_tell);
    free(m);
}

size_t mailboxes_letter_bytes(const struct mailboxes *m)
{
    return m->letter_bytes;
}

int mailboxes_client_fd(const struct mailboxes *m, size_t client)
{
    return m->bells[client];
}

static bool change(struct box *box, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong(&box->state, &from, to);
}

static void ring(int bell)
{
    uint64_t one = 1;

    (void)!write(bell, &one, sizeof one); /* fails only if it is signalled already */
}

/* Sets the box, then the bit, then reads server_sleeps. The server does this in reverse
 * order, so at least one of the two notices the other. */
static void announce(struct mailboxes *m, size_t number)
{
    atomic_fetch_or(&m->shared->queued[number / WORD_BITS], UINT64_C(1)
                                                                << number % WORD_BITS);
    if (atomic_load(&m->shared->server_sleeps))
        ring(m->doorbell);
}

static void put_len(_Atomic uint32_t *out, size_t len)
{
    atomic_store_explicit(out, (uint32_t)len, memory_order_relaxed);
}

static size_t len_up_to(size_t max, const _Atomic uint32_t *in)
{
    size_t len = atomic_load_explicit(in, memory_order_relaxed);

    return len < max ? len : max;
}

/* Whoever takes a letter out of use wipes it first, since it holds what a client has sent.
 * That is the server for one that it has answered, and else the client. */
static void wipe_letter(struct mailboxes *m, size_t number)
{
    size_t len = len_up_to(m->letter_bytes, &m->boxes[number].letter_len);

    secret_wipe(m->letters + number * m->letter_bytes, len);
}

/* Takes back a letter that the server has not taken. */
static bool withdraw(struct mailboxes *m, size_t number)
{
    if (!change(&m->boxes[number], QUEUED, EMPTY))
        return false;
    wipe_letter(m, number);
    return true;
}

void mailboxes_claim(struct mailboxes *m, size_t client)
{
    for (size_t i = client * m->boxes_each; i < (client + 1) * m->boxes_each; i++) {
        struct box *b = &m->boxes[i];
        if (withdraw(m, i) || change(b, TAKEN, ABANDONED) || change(b, ANSWERED, EMPTY))
            continue;
        if (atomic_load(&b->state) == LOST) {
            wipe_letter(m, i);
            atomic_store(&b->state, EMPTY);
        }
    }
}

enum status mailbox_post(struct mailboxes *m, size_t client, size_t box,
                         const struct span *parts, size_t count)
{
    size_t number = client * m->boxes_each + box, len = 0;
    struct box *b = &m->boxes[number];
    char *letter = m->letters + number * m->letter_bytes;

    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > m->letter_bytes - len)
            return STATUS_TOO_LARGE;
        len += parts[i].len;
    }
    if (atomic_load(&b->state) != EMPTY)
        return STATUS_BUSY;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(letter, parts[i].data, parts[i].len);
        letter += parts[i].len;
    }
    put_len(&b->letter_len, len);
    atomic_store(&b->state, QUEUED);
    announce(m, number);
    return STATUS_OK;
}

static enum mailbox_state check(struct mailboxes *m, size_t number, void *answer,
                                size_t *answer_len)
{
    struct box *b = &m->boxes[number];
    uint32_t state = atomic_load(&b->state);

    if (state == QUEUED || state == TAKEN)
        return MAILBOX_WAITING;
    assert(state == ANSWERED || state == LOST);
    if (state == ANSWERED) {
        *answer_len = len_up_to(sizeof b->answer, &b->answer_len);
        memcpy(answer, b->answer, *answer_len);
    } else {
        wipe_letter(m, number);
    }
    atomic_store(&b->state, EMPTY);
    return state == ANSWERED ? MAILBOX_ANSWERED : MAILBOX_LOST;
}

enum mailbox_state mailbox_check(struct mailboxes *m, size_t client, size_t box,
                                 void *answer, size_t *answer_len)
{
    return check(m, client * m->boxes_each + box, answer, answer_len);
}

enum mailbox_state mailbox_withdraw(struct mailboxes *m, size_t client, size_t box,
                                    void *answer, size_t *answer_len)
{
    size_t number = client * m->boxes_each + box;

    return withdraw(m, number) ? MAILBOX_WITHDRAWN : check(m, number, answer, answer_len);
}

enum mailbox_state mailbox_give_up(struct mailboxes *m, size_t client, size_t box,
                                   void *answer, size_t *answer_len)
{
    size_t number = client * m->boxes_each + box;

    if (withdraw(m, number))
        return MAILBOX_WITHDRAWN;
    return change(&m->boxes[number], TAKEN, ABANDONED)
               ? MAILBOX_LOST
               : check(m, number, answer, answer_len);
}

void mailboxes_recover(struct mailboxes *m)
{
    for (size_t i = 0; i < m->count; i++) {
        struct box *b = &m->boxes[i];
        if (change(b, TAKEN, LOST)) {
            m->to_tell[i / m->boxes_each] = true;
        } else if (atomic_load(&b->state) == ABANDONED) {
            wipe_letter(m, i);
            atomic_store(&b->state, EMPTY);
        } else if (atomic_load(&b->state) == QUEUED) {
            announce(m, i);
        }
    }
    mailboxes_tell(m);
}

static bool any_queued(const struct mailboxes *m)
{
    for (size_t i = 0; i < m->words; i++)
        if (atomic_load(&m->shared->queued[i]) != 0)
            return true;
    return false;
}

bool mailboxes_wait(struct mailboxes *m, int timeout_ms, int wake_fd, const sigset_t *mask)
{
    const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    struct pollfd fds[] = {
        {.fd = m->doorbell, .events = POLLIN},
        {.fd = wake_fd, .events = POLLIN},
    };
    uint64_t rung;

    /* a client reads server_sleeps after it has queued: at least one of the two notices the
     * other */
    atomic_store(&m->shared->server_sleeps, true);
    if (!any_queued(m) && ppoll(fds, 2, &timeout, mask) < 0)
        fds[0].revents = 0;
    atomic_store(&m->shared->server_sleeps, false);
    if (fds[0].revents != 0)
        (void)!read(m->doorbell, &rung, sizeof rung);
    return any_queued(m);
}

/* Finds the first box from `turn` on, and from the beginning again, whose bit is set. */
static bool find_queued(const struct mailboxes *m, size_t *box)
{
    uint64_t not_before = UINT64_MAX << m->turn % WORD_BITS;
    size_t word = m->turn / WORD_BITS;

    for (size_t i = 0; i <= m->words; i++, word = word + 1 < m->words ? word + 1 : 0) {
        uint64_t bits = atomic_load(&m->shared->queued[word]);
        if (i == 0)
            bits &= not_before;
        else if (i == m->words)
            bits &= ~not_before;
        if (bits != 0) {
            *box = word * WORD_BITS + (size_t)__builtin_ctzll(bits);
            return true;
        }
    }
    return false;
}

size_t mailboxes_waiting(const struct mailboxes *m)
{
    int waiting = 0;

    for (size_t i = 0; i < m->words; i++)
        waiting += __builtin_popcountll(atomic_load(&m->shared->queued[i]));
    return (size_t)waiting;
}

bool mailboxes_take(struct mailboxes *m, size_t *number, struct span *letter)
{
    while (find_queued(m, number)) {
        size_t i = *number;
        struct box *b = &m->boxes[i];

        m->turn = (i + 1) % m->count;
        atomic_fetch_and(&m->shared->queued[i / WORD_BITS],
                         ~(UINT64_C(1) << i % WORD_BITS));
        if (i >= m->count) /* no correct client sets that bit */
            continue;
        if (!change(b, QUEUED, TAKEN)) /* withdrawn */
            continue;
        *letter = (struct span){m->letters + i * m->letter_bytes,
                                len_up_to(m->letter_bytes, &b->letter_len)};
        return true;
    }
    return false;
}

void mailboxes_answer(struct mailboxes *m, size_t number, const void *answer, size_t len)
{
    struct box *b = &m->boxes[number];

    assert(len <= sizeof b->answer);
    memcpy(b->answer, answer, len);
    put_len(&b->answer_len, len);
    wipe_letter(m, number);
    if (change(b, TAKEN, ANSWERED))
        m->to_tell[number / m->boxes_each] = true;
    else
        (void)change(b, ABANDONED, EMPTY);
}

void mailboxes_tell(struct mailboxes *m)
{
    for (size_t i = 0; i < m->clients; i++) {
        if (m->to_tell[i])
            ring(m->bells[i]);
        m->to_tell[i] = false;
    }
}
