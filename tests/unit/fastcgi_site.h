/*
 * Servers made of lib/fastcgi.h in processes of their own, and a client that speaks to them
 * record by record.
 *
 * The answer of a server describes the request: the status and length of its body, a
 * checksum of it, the parameter NAME, and the server's process id. ANSWER_BYTES makes the
 * answer longer by so many 'x'. A request with the parameter HOLD is answered when one with
 * RELEASE comes, or on USR1. The answer to one that cannot be answered in time is "surplus"
 * with the seconds after which it may come again. TERM lets a server finish, HUP lets it hand
 * over its connections.
 */
#ifndef TESTS_UNIT_FASTCGI_SITE_H
#define TESTS_UNIT_FASTCGI_SITE_H

#include "tests/unit/wait_for.h"

#include <stdbool.h>
#include <sys/types.h>

#include <fastcgi.h>

#include "lib/fastcgi.h"
#include "lib/signals.h"

enum {
    BODY_MAX_BYTES = 300 * 1024, /* what a server takes */
    TIMEOUT_MS = 1500,           /* its limit for peers */
    SLACK_MS = 700,              /* a shared machine may be that slow */
    PATIENCE_S = 20,             /* of the client's own reads */
    ANSWER_MAX_BYTES = 4 << 20,
    SERVERS_MAX = 3,
    PIECE_BYTES = 50000,
};

/* The answer to "abc" up to its checksum. */
#define ABC "ok 3 96354 "

/* ---- Servers ---- */

extern const struct fastcgi_limits site_limits;
extern int listening, give, take;
extern pid_t servers[SERVERS_MAX]; /* in the order of their start; 0: ended */

/* Fixtures: the socket and the first server; all servers have to end well. */
int start_site(void **state);
int stop_site(void **state);
#define with_server(test) cmocka_unit_test_setup_teardown(test, start_site, stop_site)

/* For the group of tests. */
int init_signals(void **state);

/* One more server; it serves when this returns. */
void start_server(void);

/* Sends the signal and returns the exit status: 0 after TERM, 1 after HUP, more on faults. */
int end_server(int i, int signal_number);

/* The same for a server that was sent its signal before. One that does not end in time is
 * killed, and the test fails. */
int await_end(int i);

/* Counts the requests with HOLD that servers have taken since the first one started. */
extern atomic_int *held_by_all;

/* ---- Records ---- */

struct bytes {
    unsigned char data[BODY_MAX_BYTES * 2];
    size_t len;
};

struct bytes *no_bytes(void);
void put_record_of(struct bytes *out, int type, int id, const void *content, size_t len,
                   size_t padding);
void put_record(struct bytes *out, int type, const void *content, size_t len);
void put_begin(struct bytes *out, bool keep);

/* Writes both lengths in four bytes, which the specification allows for short ones, too. */
void put_param(struct bytes *out, const char *name, const char *value);

/* CONTENT_LENGTH, NAME and the end of the parameters. */
void put_params(struct bytes *out, const char *name, size_t content_length);

/* chunk: bytes of the body in a record. */
void put_body(struct bytes *out, const char *body, size_t len, size_t chunk);

/* A whole request with the body "abc"; the second has the parameter param=1, too, and the
 * third asks for an answer of so many bytes and has no body. */
struct bytes *request(bool keep, const char *name);
struct bytes *request_with(bool keep, const char *name, const char *param);
struct bytes *request_for(bool keep, const char *answer_bytes);

/* ---- The client ---- */

int connect_to_server(void);
void send_bytes(int fd, const void *data, size_t len);

/* Frees the bytes. */
void send_all(int fd, struct bytes *bytes);

/* A request's beginning, `pieces` records of its body with PIECE_BYTES each, and its end. */
void send_head(int fd, size_t content_length);
void send_pieces(int fd, int pieces);
void send_end_of_body(int fd);

/* The type of the next record, 0 at the end of the connection. */
int read_record(int fd, unsigned char *content, size_t *len);

/* Reads an answer without its header into `answer`. False when the connection ends first. */
extern char answer[ANSWER_MAX_BYTES];
bool read_answer(int fd);

/* Reads an answer and compares how it begins. */
void expect_answer(int fd, const char *beginning);

/* The process that gave the last answer. */
pid_t who_answered(void);

/* The server closes the connection without a further byte. */
void expect_end(int fd);

/* A request on a connection of its own is answered; returns how long that took. */
int64_t ask(const char *name);

/* A request on a connection that is to be kept is answered. */
void ask_on(int fd, const char *name);

/* A new connection with a first request that was answered. */
int connect_and_keep(void);

/* Requests on so many new connections, named h0, h1, …. Returns when servers hold them back. */
void send_held(int *fds, int count, bool keep);
void expect_held(const int *fds, int count);

/* Long enough for what has arrived to be taken off the connection. */
void let_it_stall(void);

#endif
