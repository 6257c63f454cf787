/* Requests that come before the answer to the one in front of them on their connection. */
#include "tests/unit/fastcgi_site.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Adds a whole request on a connection that is kept. */
static void put_request(struct bytes *out, const char *name, const char *body, size_t len)
{
    put_begin(out, true);
    put_params(out, name, len);
    put_body(out, body, len, 60000);
}

/* The requests 0 to count-1, named by their number. */
static struct bytes *several(int count)
{
    struct bytes *out = no_bytes();
    char name[8];

    for (int i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        put_request(out, name, "abc", 3);
    }
    return out;
}

static void expect_several(int fd, int count)
{
    char expected[32];

    for (int i = 0; i < count; i++) {
        (void)snprintf(expected, sizeof expected, ABC "%d ", i);
        expect_answer(fd, expected);
    }
}

static void requests_in_one_piece_are_answered_in_their_order(void **state)
{
    int fd = connect_to_server();

    (void)state;
    for (int count = 2; count <= 500; count = count * 3) {
        send_all(fd, several(count));
        expect_several(fd, count);
    }
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static void a_stream_of_requests_may_be_cut_anywhere(void **state)
{
    struct bytes *out = several(2);

    (void)state;
    for (size_t cut = 1; cut < out->len; cut++) {
        int fd = connect_to_server();
        send_bytes(fd, out->data, cut);
        if (cut % 16 == 0)
            (void)ask("a request later than those bytes");
        send_bytes(fd, out->data + cut, out->len - cut);
        expect_several(fd, 2);
        assert_int_equal(close(fd), 0);
    }
    free(out);
}

static void the_half_behind_a_request_is_not_lost(void **state)
{
    struct bytes *out = several(2);
    int fd = connect_to_server();

    (void)state;
    size_t cut = out->len * 3 / 4;
    for (int stall = 0; stall <= 1; stall++) {
        send_bytes(fd, out->data, cut);
        expect_several(fd, 1);
        if (stall)
            let_it_stall();
        send_bytes(fd, out->data + cut, out->len - cut);
        expect_answer(fd, ABC "1 ");
    }
    free(out);
    assert_int_equal(close(fd), 0);
}

/* Short bodies pass through the pipe, longer ones through a file. */
static void a_request_behind_a_body_of_any_size_is_not_lost(void **state)
{
    static const size_t sizes[] = {0, 8000, 8192, 20000, 60000, 65536, 200000};
    static char body[200000];
    char expected[32];
    int fd = connect_to_server();

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct bytes *out = no_bytes();
        put_request(out, "long", body, sizes[i]);
        put_request(out, "short", "abc", 3);
        send_all(fd, out);
        (void)snprintf(expected, sizeof expected, "ok %zu 0 long ", sizes[i]);
        expect_answer(fd, expected);
        expect_answer(fd, ABC "short ");
    }
    assert_int_equal(close(fd), 0);
}

static void a_request_waits_for_the_answer_in_front_of_it(void **state)
{
    struct bytes *out = request_with(true, "held", "HOLD");
    int fd = connect_to_server();

    (void)state;
    put_request(out, "behind", "abc", 3);
    send_all(fd, out);
    int other = connect_to_server();
    send_all(other, request_with(true, "other", "RELEASE"));
    expect_answer(other, ABC "other ");
    expect_answer(fd, ABC "held ");
    expect_answer(fd, ABC "behind ");
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(other), 0);
}

/* Their bodies are read when the answer is made, each from where it is. */
static void requests_in_hand_keep_their_bodies_apart(void **state)
{
    static char body[40000];
    int fds[10];
    char expected[32];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        struct bytes *out = no_bytes();
        fds[i] = connect_to_server();
        put_begin(out, true);
        put_param(out, "HOLD", "1");
        put_params(out, "h", 1000 * i);
        put_body(out, body, 1000 * i, 60000);
        put_request(out, "behind", "abc", 3);
        send_all(fds[i], out);
    }
    (void)ask("a request later than those bytes");
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    for (size_t i = 0; i < COUNT(fds); i++) {
        (void)snprintf(expected, sizeof expected, "ok %zu 0 h ", 1000 * i);
        expect_answer(fds[i], expected);
        expect_answer(fds[i], ABC "behind ");
        assert_int_equal(close(fds[i]), 0);
    }
}

/* A connection with a request in hand and two behind it, one of which is unfinished.
 * *rest: what is missing of that. */
static int connect_with_held(struct bytes *rest)
{
    struct bytes *out = request_with(true, "held", "HOLD"), *half = request(true, "half");
    int fd = connect_to_server();

    put_request(out, "behind", "abc", 3);
    send_all(fd, out);
    send_bytes(fd, half->data, half->len / 2);
    rest->len = half->len - half->len / 2;
    memcpy(rest->data, half->data + half->len / 2, rest->len);
    free(half);
    (void)ask("a request later than those bytes");
    return fd;
}

static void expect_held_and_behind(int fd, struct bytes *rest)
{
    expect_answer(fd, ABC "held ");
    expect_answer(fd, ABC "behind ");
    send_bytes(fd, rest->data, rest->len);
    expect_answer(fd, ABC "half ");
}

static void what_has_begun_behind_a_request_is_answered_before_the_end(void **state)
{
    static struct bytes rest;
    int fd = connect_with_held(&rest);

    (void)state;
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held_and_behind(fd, &rest);
    expect_end(fd);
}

static void what_has_begun_behind_a_request_is_handed_over(void **state)
{
    static struct bytes rest;
    int fd = connect_with_held(&rest);

    (void)state;
    start_server();
    assert_int_equal(kill(servers[0], SIGHUP), 0);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held_and_behind(fd, &rest);
    assert_int_equal(who_answered(), servers[1]);
    assert_int_equal(end_server(0, 0), 1); /* it has ended by itself */
    assert_int_equal(close(fd), 0);
}

/* Fills its connection with requests, without an end. */
static void a_peer_that_never_pauses_does_not_hold_up_the_end(void **state)
{
    int fd = connect_and_keep();
    struct bytes *out = several(50);

    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        while (send(fd, out->data, out->len, MSG_NOSIGNAL) > 0 && read_answer(fd))
            for (int i = 1; i < 50 && read_answer(fd); i++)
                continue;
        _exit(0);
    }
    assert_int_equal(close(fd), 0);
    free(out);
    (void)ask("another");
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(end_server(0, SIGTERM), 0);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 2 * TIMEOUT_MS + SLACK_MS);
    (void)kill(child, SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(requests_in_one_piece_are_answered_in_their_order),
        with_server(a_stream_of_requests_may_be_cut_anywhere),
        with_server(the_half_behind_a_request_is_not_lost),
        with_server(a_request_behind_a_body_of_any_size_is_not_lost),
        with_server(a_request_waits_for_the_answer_in_front_of_it),
        with_server(requests_in_hand_keep_their_bodies_apart),
        with_server(what_has_begun_behind_a_request_is_answered_before_the_end),
        with_server(what_has_begun_behind_a_request_is_handed_over),
        with_server(a_peer_that_never_pauses_does_not_hold_up_the_end),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
