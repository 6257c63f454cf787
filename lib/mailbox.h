/*
 * Mailboxes in shared memory: many client processes, one server process.
 *
 * A client has some boxes, puts a letter into a free one and goes on; the server takes
 * whatever letters there are, works on them together, and answers each. The state of a box
 * says at every moment, whoever may have died, what has become of its letter: a letter that
 * was not taken can be withdrawn, one that was taken by a server that died is lost, and an
 * answer that comes too late reaches nobody.
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

/* A number of boxes for each client, for letters of up to letter_bytes. Memory is only used
 * as far as letters reach; each client takes a descriptor. NULL: out of either. */
struct mailboxes *mailboxes_create(size_t clients, size_t boxes_each, size_t letter_bytes);

/* NULL is allowed. In each process, for its own view. */
void mailboxes_free(struct mailboxes *boxes);

/* The most bytes a letter may have. */
size_t mailboxes_letter_bytes(const struct mailboxes *boxes);

/* For a new client: whatever a former one left in its boxes is withdrawn or abandoned. */
void mailboxes_claim(struct mailboxes *boxes, size_t client);

/* A descriptor that becomes readable, anew each time, when the client has answers. It is
 * to be watched for edges, not read. */
int mailboxes_client_fd(const struct mailboxes *boxes, size_t client);

/* Posts a letter made of parts, which are copied one behind the other. STATUS_BUSY: the
 * server still works on a letter that was given up here; STATUS_TOO_LARGE: it does not
 * fit. */
enum status mailbox_post(struct mailboxes *boxes, size_t client, size_t box,
                         const struct span *parts, size_t count);

enum mailbox_state {
    MAILBOX_WAITING,   /* not taken, or not answered yet */
    MAILBOX_ANSWERED,  /* the answer has been copied out, and the box is free */
    MAILBOX_LOST,      /* there will be no answer, and the box is free */
    MAILBOX_WITHDRAWN, /* nobody has taken it, and nobody will */
};

/* What has become of a letter. answer has room for MAILBOX_ANSWER_BYTES. */
enum mailbox_state mailbox_check(struct mailboxes *boxes, size_t client, size_t box,
                                 void *answer, size_t *answer_len);

/* Takes the letter back if the server has not taken it: MAILBOX_WITHDRAWN; otherwise as
 * mailbox_check. */
enum mailbox_state mailbox_withdraw(struct mailboxes *boxes, size_t client, size_t box,
                                    void *answer, size_t *answer_len);

/* As mailbox_withdraw, but waits no longer for one that was taken: MAILBOX_LOST. */
enum mailbox_state mailbox_give_up(struct mailboxes *boxes, size_t client, size_t box,
                                   void *answer, size_t *answer_len);

/* For a new server, first: marks what a server that died had taken as lost, and tells its
 * clients; has letters that wait delivered to this one. */
void mailboxes_recover(struct mailboxes *boxes);

/* Waits until there is a letter (true), or until a signal of the mask came or wake_fd (-1:
 * none) is readable or at its end (false). */
bool mailboxes_wait(struct mailboxes *boxes, int wake_fd, const sigset_t *mask);

/* Takes the next letter: a number for it goes to *number, and the bytes stay valid until it
 * is answered. False: there is none now. Boxes take turns. */
bool mailboxes_take(struct mailboxes *boxes, size_t *number, struct span *letter);

/* Answers a letter that was taken. The client may be gone; then nothing happens. Clients
 * are told by the next mailboxes_tell. */
void mailboxes_answer(struct mailboxes *boxes, size_t number, const void *answer,
                      size_t len);

/* Tells all clients that have got answers since the last call. */
void mailboxes_tell(struct mailboxes *boxes);

#endif
