/*
 * Mailboxes in shared memory: many client processes, one server process.
 *
 * A client has some boxes, puts a letter into a free one and goes on. The server takes all
 * letters that are queued, works on them together, and answers each. The state of a box
 * always says what has become of its letter, whichever process dies: a letter that was not
 * taken can be withdrawn, one that was taken by a server that died is lost, and an answer
 * after the client's deadline is dropped. A letter is wiped when it is answered, withdrawn
 * or lost.
 *
 *   EMPTY ──post──► QUEUED ──take──► TAKEN ──answer──► ANSWERED ──check──► EMPTY
 *                     │ give up        │ server died ─► LOST ─────check──► EMPTY
 *                     ▼                │ give up ─────► ABANDONED
 *                   EMPTY              └──────────────────────► EMPTY (by the server)
 *
 * Made before fork. Clients and their boxes are numbered from 0; no two living clients may
 * have the same number.
 */
#ifndef LIB_MAILBOX_H
#define LIB_MAILBOX_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/span.h"
#include "lib/status.h"

enum {
    MAILBOX_ANSWER_BYTES = 128, /* the most an answer may have */
};

struct mailboxes;

/* Makes boxes_each boxes for each client, for letters of up to letter_bytes. Memory is only
 * used as far as letters reach; each client takes a descriptor. NULL: no memory or no
 * descriptor. */
struct mailboxes *mailboxes_create(size_t clients, size_t boxes_each, size_t letter_bytes);

/* NULL is allowed. In each process, for its own view. */
void mailboxes_free(struct mailboxes *boxes);

/* The most bytes a letter may have. */
size_t mailboxes_letter_bytes(const struct mailboxes *boxes);

/* For a new client: letters that an earlier client of this number left are withdrawn or
 * abandoned. */
void mailboxes_claim(struct mailboxes *boxes, size_t client);

/* A descriptor that becomes readable each time that the client has new answers. Watch it
 * for edges, and do not read it. */
int mailboxes_client_fd(const struct mailboxes *boxes, size_t client);

/* Posts a letter made of parts, which are copied one after the other. STATUS_BUSY: the
 * server still works on an earlier letter in this box that was given up; STATUS_TOO_LARGE:
 * it does not fit. */
enum status mailbox_post(struct mailboxes *boxes, size_t client, size_t box,
                         const struct span *parts, size_t count);

enum mailbox_state {
    MAILBOX_WAITING,   /* not taken, or not answered yet */
    MAILBOX_ANSWERED,  /* the answer has been copied out, and the box is free */
    MAILBOX_LOST,      /* there will be no answer, and the box is free */
    MAILBOX_WITHDRAWN, /* the server has not taken it and never will; the box is free */
};

/* The state of a letter. answer has room for MAILBOX_ANSWER_BYTES. */
enum mailbox_state mailbox_check(struct mailboxes *boxes, size_t client, size_t box,
                                 void *answer, size_t *answer_len);

/* Takes the letter back if the server has not taken it: MAILBOX_WITHDRAWN; otherwise as
 * mailbox_check. */
enum mailbox_state mailbox_withdraw(struct mailboxes *boxes, size_t client, size_t box,
                                    void *answer, size_t *answer_len);

/* As mailbox_withdraw, but a letter that was taken is given up: MAILBOX_LOST. */
enum mailbox_state mailbox_give_up(struct mailboxes *boxes, size_t client, size_t box,
                                   void *answer, size_t *answer_len);

/* To be called first by a new server: marks letters that a server had taken before it died
 * as lost, and wakes their clients. Queued letters are for the new server. */
void mailboxes_recover(struct mailboxes *boxes);

/* Waits until there is a letter (true), or until timeout_ms have passed, a signal of the
 * mask came, or wake_fd (-1: none) is readable or at its end (false). */
bool mailboxes_wait(struct mailboxes *boxes, int timeout_ms, int wake_fd,
                    const sigset_t *mask);

/* How many letters wait to be taken, about. For any process. */
size_t mailboxes_waiting(const struct mailboxes *boxes);

/* Takes the next letter: *number identifies it, and the bytes stay valid until it is
 * answered. False: none is queued. Boxes take turns. */
bool mailboxes_take(struct mailboxes *boxes, size_t *number, struct span *letter);

/* Answers a letter that was taken; has no effect when the client has gone. mailboxes_tell
 * wakes the clients. */
void mailboxes_answer(struct mailboxes *boxes, size_t number, const void *answer,
                      size_t len);

/* Wakes all clients that have got answers since the last call. */
void mailboxes_tell(struct mailboxes *boxes);

#endif
