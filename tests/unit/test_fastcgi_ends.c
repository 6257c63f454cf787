#include "tests/unit/fastcgi_site.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Ends of workers ---- */

static void all_connections_are_handed_over_half_sent_requests_included(void **state)
{
    struct bytes *half = request(false, "half");
    size_t cut = half->len / 2;
    int fds[30];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = connect_and_keep();
    int fresh = connect_to_server();
    send_bytes(fresh, half->data, cut);
    send_bytes(fds[0], half->data, cut);
    (void)ask("a request later than those bytes");
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    send_bytes(fds[0], half->data + cut, half->len - cut);
    expect_answer(fds[0], ABC "half ");
    assert_int_equal(who_answered(), servers[1]);
    expect_end(fds[0]);
    send_bytes(fresh, half->data + cut, half->len - cut);
    expect_answer(fresh, ABC "half ");
    expect_end(fresh);
    for (size_t i = 1; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(who_answered(), servers[1]);
        assert_int_equal(close(fds[i]), 0);
    }
    free(half);
}

static void connections_are_handed_over_to_workers_that_have_room(void **state)
{
    int first[FASTCGI_PLACES], second[FASTCGI_PLACES];

    (void)state;
    send_held(first, FASTCGI_PLACES, true);
    start_server();
    /* or it would let a request of the second ones queue */
    assert_int_equal(kill(servers[0], SIGSTOP), 0);
    send_held(second, FASTCGI_PLACES, true);
    assert_int_equal(kill(servers[0], SIGCONT), 0);
    start_server();
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(first, FASTCGI_PLACES);
    assert_int_equal(end_server(0, SIGHUP), 1);
    for (size_t i = 0; i < FASTCGI_PLACES; i++) {
        ask_on(first[i], "handed-over");
        assert_int_equal(who_answered(), servers[2]);
    }
    assert_int_equal(kill(servers[1], SIGUSR1), 0);
    expect_held(second, FASTCGI_PLACES);
    for (size_t i = 0; i < FASTCGI_PLACES; i++) {
        assert_int_equal(close(first[i]), 0);
        assert_int_equal(close(second[i]), 0);
    }
}

static void a_stalled_request_is_handed_over_with_what_was_taken_from_it(void **state)
{
    struct bytes *half = request(true, "half");
    size_t cut = half->len / 2;
    int fd = connect_and_keep();

    (void)state;
    send_bytes(fd, half->data, cut);
    let_it_stall();
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    send_bytes(fd, half->data + cut, half->len - cut);
    expect_answer(fd, ABC "half ");
    assert_int_equal(who_answered(), servers[1]);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
    free(half);
}

static void a_body_much_too_large_is_handed_over(void **state)
{
    int fd = connect_and_keep();

    (void)state;
    send_head(fd, (size_t)200 * PIECE_BYTES);
    send_pieces(fd, 100);
    let_it_stall();
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    send_pieces(fd, 100);
    send_end_of_body(fd);
    expect_answer(fd, "too_large 307200 ");
    assert_int_equal(who_answered(), servers[1]);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static void requests_that_have_begun_are_finished_before_the_end(void **state)
{
    struct bytes *half = request(true, "half");
    size_t cut = half->len / 2;
    int kept = connect_and_keep(), idle = connect_and_keep(), stalled = connect_and_keep();
    int fresh = connect_to_server(), silent = connect_to_server();

    (void)state;
    send_bytes(stalled, half->data, cut);
    let_it_stall();
    send_bytes(kept, half->data, cut);
    send_bytes(fresh, half->data, cut);
    (void)ask("a request later than those bytes");
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    expect_end(idle);
    expect_end(silent);
    const int fds[] = {kept, fresh, stalled};
    for (size_t i = 0; i < COUNT(fds); i++) {
        send_bytes(fds[i], half->data + cut, half->len - cut);
        expect_answer(fds[i], ABC "half ");
        expect_end(fds[i]);
    }
    free(half);
}

static void a_request_that_stays_unfinished_does_not_hold_up_the_end(void **state)
{
    int fd = connect_and_keep();

    (void)state;
    send_bytes(fd, "\1\1\0\1", 4);
    (void)ask("a request later than those bytes");
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(end_server(0, SIGTERM), 0);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, TIMEOUT_MS * 3 / 2 + SLACK_MS);
    expect_end(fd);
}

static void a_handed_over_request_is_given_up_in_time(void **state)
{
    int fd = connect_and_keep();

    (void)state;
    send_bytes(fd, "\1\1\0\1", 4);
    (void)ask("a request later than those bytes");
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    int64_t began_ms = clock_monotonic_ms();
    expect_end(fd);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, TIMEOUT_MS * 3 / 2 + SLACK_MS);
}

/* Keeps count connections busy without a pause until the server is gone. */
static _Noreturn void be_busy(int count)
{
    int fds[64];
    struct bytes *out = request(true, "busy");

    for (int i = 0; i < count; i++) {
        fds[i] = connect_to_server();
        send_bytes(fds[i], out->data, out->len);
    }
    for (int i = 0;; i = (i + 1) % count) {
        if (!read_answer(fds[i]))
            _exit(0);
        if (send(fds[i], out->data, out->len, MSG_NOSIGNAL) < 0)
            _exit(0);
    }
}

static void a_signal_is_heard_however_busy_the_worker_is(void **state)
{
    pid_t clients[4];
    int wait_status;

    (void)state;
    for (size_t i = 0; i < COUNT(clients); i++) {
        clients[i] = fork();
        if (clients[i] == 0)
            be_busy(10);
    }
    for (int i = 0; i < 100; i++)
        (void)ask("x");
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(end_server(0, SIGTERM), 0);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
    for (size_t i = 0; i < COUNT(clients); i++)
        assert_int_equal(waitpid(clients[i], &wait_status, 0), clients[i]);
}

/* ---- Answers that are being sent ---- */

static void send_for_large_answers(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        fds[i] = connect_to_server();
        send_all(fds[i], request_for(true, "3000000"));
    }
    (void)ask("by now they are being sent");
}

static void expect_large_answer(int fd)
{
    expect_answer(fd, "ok 0 0 - ");
    assert_int_equal(strspn(strchr(answer, 'x'), "x"), 3000000);
}

static void answers_that_are_being_sent_are_completed_before_the_end(void **state)
{
    int fds[5];

    (void)state;
    send_for_large_answers(fds, COUNT(fds));
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    let_it_stall();
    assert_int_equal(waitpid(servers[0], NULL, WNOHANG), 0);
    for (size_t i = 0; i < COUNT(fds); i++) {
        expect_large_answer(fds[i]);
        expect_end(fds[i]);
    }
    assert_int_equal(await_end(0), 0);
}

static void connections_are_handed_over_after_answers_that_are_being_sent(void **state)
{
    int fds[5];

    (void)state;
    send_for_large_answers(fds, COUNT(fds));
    start_server();
    assert_int_equal(kill(servers[0], SIGHUP), 0);
    assert_in_range(ask("meanwhile"), 0, SLACK_MS);
    assert_int_equal(who_answered(), servers[1]);
    for (size_t i = 0; i < COUNT(fds); i++) {
        expect_large_answer(fds[i]);
        assert_int_equal(who_answered(), servers[0]);
        ask_on(fds[i], "kept");
        assert_int_equal(who_answered(), servers[1]);
        assert_int_equal(close(fds[i]), 0);
    }
    assert_int_equal(await_end(0), 1);
}

/* Each piece that the peer takes would extend the deadline. */
static void an_answer_that_is_taken_slowly_does_not_hold_up_the_end(void **state)
{
    static unsigned char some[50000];
    int fd, wait_status = 0;

    (void)state;
    send_for_large_answers(&fd, 1);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    while (waitpid(servers[0], &wait_status, WNOHANG) == 0) {
        (void)recv(fd, some, sizeof some, MSG_DONTWAIT);
        (void)poll(NULL, 0, 100);
        assert_in_range(clock_monotonic_ms() - began_ms, 0, 2 * TIMEOUT_MS + SLACK_MS);
    }
    servers[0] = 0;
    assert_true(WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0);
    assert_int_equal(close(fd), 0);
}

/* No worker takes them, and the socket has room for fewer than there are. */
static void connections_that_nobody_takes_over_do_not_hold_up_the_end(void **state)
{
    int fds[FASTCGI_PLACES - 1], bytes = 1;

    (void)state;
    assert_int_equal(setsockopt(give, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = connect_and_keep();
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(end_server(0, SIGHUP), 1);
    assert_in_range(clock_monotonic_ms() - began_ms, TIMEOUT_MS - SLACK_MS,
                    TIMEOUT_MS + SLACK_MS);
    start_server();
    size_t closed = 0;
    for (size_t i = 0; i < COUNT(fds); i++) {
        struct pollfd end = {.fd = fds[i], .events = POLLIN};
        if (poll(&end, 1, 0) > 0)
            closed++;
        else
            ask_on(fds[i], "kept");
        assert_int_equal(close(fds[i]), 0);
    }
    assert_in_range(closed, 1, COUNT(fds) - 1);
}

static void connections_wait_for_room_in_the_hand_over_socket(void **state)
{
    int fds[FASTCGI_PLACES - 1], bytes = 1;

    (void)state;
    assert_int_equal(setsockopt(give, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = connect_and_keep();
    assert_int_equal(kill(servers[0], SIGHUP), 0);
    let_it_stall();
    assert_int_equal(waitpid(servers[0], NULL, WNOHANG), 0);
    start_server();
    for (size_t i = 0; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(who_answered(), servers[1]);
        assert_int_equal(close(fds[i]), 0);
    }
    assert_int_equal(await_end(0), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(a_body_much_too_large_is_handed_over),
        with_server(connections_are_handed_over_to_workers_that_have_room),
        with_server(all_connections_are_handed_over_half_sent_requests_included),
        with_server(a_stalled_request_is_handed_over_with_what_was_taken_from_it),
        with_server(a_handed_over_request_is_given_up_in_time),
        with_server(requests_that_have_begun_are_finished_before_the_end),
        with_server(a_request_that_stays_unfinished_does_not_hold_up_the_end),
        with_server(a_signal_is_heard_however_busy_the_worker_is),
        with_server(answers_that_are_being_sent_are_completed_before_the_end),
        with_server(connections_are_handed_over_after_answers_that_are_being_sent),
        with_server(an_answer_that_is_taken_slowly_does_not_hold_up_the_end),
        with_server(connections_that_nobody_takes_over_do_not_hold_up_the_end),
        with_server(connections_wait_for_room_in_the_hand_over_socket),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
