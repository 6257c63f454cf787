#include "tests/unit/fastcgi_site.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Peers that are slow ---- */

static void silent_and_half_sent_requests_hold_up_nobody(void **state)
{
    struct bytes *out = request(true, "x");
    int fds[40];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to_server();
        send_bytes(fds[i], out->data, i * (out->len - 1) / COUNT(fds));
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(ask("y"), 0, SLACK_MS);
    for (size_t i = 0; i < COUNT(fds); i++) {
        size_t cut = i * (out->len - 1) / COUNT(fds);
        send_bytes(fds[i], out->data + cut, out->len - cut);
        expect_answer(fds[i], ABC "x ");
        assert_int_equal(close(fds[i]), 0);
    }
    free(out);
}

static void a_request_that_stays_unfinished_is_given_up(void **state)
{
    static const size_t cuts[] = {0, 4, 30};
    struct bytes *out = request(true, "x");

    (void)state;
    for (size_t i = 0; i < COUNT(cuts); i++) {
        int64_t began_ms = clock_monotonic_ms();
        int fd = connect_to_server();
        send_bytes(fd, out->data, cuts[i]);
        expect_end(fd);
        assert_in_range(clock_monotonic_ms() - began_ms, TIMEOUT_MS - SLACK_MS,
                        TIMEOUT_MS * 3 / 2 + SLACK_MS);
    }
    free(out);
}

static void an_idle_kept_connection_is_never_given_up(void **state)
{
    int fd = connect_and_keep();
    struct pollfd end = {.fd = fd, .events = POLLIN};

    (void)state;
    assert_int_equal(poll(&end, 1, TIMEOUT_MS * 2), 0);
    ask_on(fd, "x");
    assert_int_equal(close(fd), 0);
}

static void an_answer_that_is_never_read_holds_up_nobody_and_is_given_up(void **state)
{
    int fd = connect_to_server();
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};

    (void)state;
    send_all(fd, request_for(true, "3000000"));
    int64_t began_ms = clock_monotonic_ms();
    assert_in_range(ask("next"), 0, SLACK_MS);
    assert_int_equal(poll(&end, 1, PATIENCE_S * 1000), 1);
    assert_in_range(clock_monotonic_ms() - began_ms, TIMEOUT_MS - SLACK_MS,
                    TIMEOUT_MS + SLACK_MS);
    assert_false(read_answer(fd));
    assert_int_equal(close(fd), 0);
}

static void an_answer_larger_than_the_socket_holds_arrives_whole(void **state)
{
    int fd = connect_to_server();

    (void)state;
    send_all(fd, request_for(true, "3000000"));
    expect_answer(fd, "ok 0 0 - ");
    assert_int_equal(strspn(strchr(answer, 'x'), "x"), 3000000);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static void a_peer_that_vanishes_before_its_answer_does_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = connect_to_server();
        send_all(fd, request_for(i % 2 == 0, "1000000"));
        assert_int_equal(close(fd), 0);
    }
    assert_in_range(ask("next"), 0, SLACK_MS);
}

/* Many at once, so that one after the other would take long. */
static void answers_that_are_never_read_hold_up_nobody(void **state)
{
    int fds[30];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to_server();
        send_all(fds[i], request_for(true, "3000000"));
    }
    int kept = connect_and_keep();
    for (int i = 0; i < 5; i++) {
        assert_in_range(ask("next"), 0, SLACK_MS);
        ask_on(kept, "kept");
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        struct pollfd end = {.fd = fds[i], .events = POLLRDHUP};
        assert_int_equal(poll(&end, 1, PATIENCE_S * 1000), 1);
        assert_int_equal(close(fds[i]), 0);
    }
    ask_on(kept, "kept");
    assert_int_equal(close(kept), 0);
}

/* It takes longer in all than the time in which a peer has to take something. */
static void a_peer_that_reads_slowly_gets_its_whole_answer(void **state)
{
    enum { ANSWER_BYTES = 2000000, STEPS = 16 };
    static unsigned char bytes[ANSWER_BYTES / STEPS];
    int fd = connect_to_server();

    (void)state;
    send_all(fd, request_for(true, "2000000"));
    for (int i = 0; i < STEPS - 1; i++) {
        (void)poll(NULL, 0, 2 * TIMEOUT_MS / STEPS);
        assert_int_equal(recv(fd, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
    }
    /* the rest ends with the records that end the request */
    size_t rest = ANSWER_BYTES / STEPS;
    assert_true(recv(fd, bytes, rest, MSG_WAITALL) == (ssize_t)rest);
    ssize_t len = recv(fd, bytes, sizeof bytes, 0);
    assert_true(len >= 16);
    assert_int_equal(bytes[len - 15], FCGI_END_REQUEST);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static void a_request_that_comes_while_an_answer_is_sent_is_answered_next(void **state)
{
    int fd = connect_to_server();

    (void)state;
    send_all(fd, request_for(true, "3000000"));
    (void)ask("by now it is being sent");
    send_all(fd, request(false, "second"));
    (void)ask("a request later than that");
    expect_answer(fd, "ok 0 0 - ");
    assert_int_equal(strspn(strchr(answer, 'x'), "x"), 3000000);
    expect_answer(fd, ABC "second ");
    expect_end(fd);
}

static void a_peer_that_ends_its_side_gets_an_answer_that_takes_long(void **state)
{
    int fd = connect_to_server();

    (void)state;
    send_all(fd, request_for(true, "3000000"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    (void)ask("by now it is being sent");
    expect_answer(fd, "ok 0 0 - ");
    assert_int_equal(strspn(strchr(answer, 'x'), "x"), 3000000);
    expect_end(fd);
}

static void a_peer_that_leaves_in_the_middle_of_its_answer_frees_its_place(void **state)
{
    static unsigned char some[100000];

    (void)state;
    for (int i = 0; i < FASTCGI_PLACES + 10; i++) {
        int fd = connect_to_server();
        send_all(fd, request_for(true, "3000000"));
        assert_int_equal(recv(fd, some, sizeof some, MSG_WAITALL), sizeof some);
        assert_int_equal(close(fd), 0);
    }
    assert_in_range(ask("next"), 0, SLACK_MS);
}

/* ---- What is no request ---- */

static void bytes_that_are_no_fastcgi_end_the_connection_at_once(void **state)
{
    static const char *const rows[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02garbage garbage",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "00000000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t began_ms = clock_monotonic_ms();
        int fd = connect_to_server();
        send_bytes(fd, rows[i], strlen(rows[i]));
        char byte;
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        assert_int_equal(close(fd), 0);
        assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
        assert_in_range(ask("next"), 0, SLACK_MS);
    }
}

/* Sends the bytes and expects that others are served at once, whether or not they are
 * answered. */
static void expect_no_hold_up(struct bytes *out, const char *what)
{
    int fd = connect_to_server();

    send_all(fd, out);
    for (int i = 0; i < 2; i++) {
        int64_t took_ms = ask("next");
        if (took_ms > SLACK_MS)
            fail_msg("%s: others waited %d ms", what, (int)took_ms);
    }
    assert_int_equal(close(fd), 0);
}

static void records_in_a_wrong_order_hold_up_nobody(void **state)
{
    static const unsigned char zero_role[8] = {0, 0, 1};
    struct bytes *out = no_bytes();

    (void)state;
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "the body's end alone");
    out = no_bytes();
    put_begin(out, true);
    put_body(out, "abc", 3, 3);
    expect_no_hold_up(out, "no parameters");
    out = no_bytes();
    put_record(out, FCGI_BEGIN_REQUEST, "1234", 4);
    put_record(out, FCGI_PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "a short begin");
    out = no_bytes();
    put_record(out, FCGI_BEGIN_REQUEST, zero_role, sizeof zero_role);
    put_record(out, FCGI_PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "a role that does not exist");
    out = no_bytes();
    put_begin(out, true);
    put_record_of(out, FCGI_PARAMS, 2, "", 0, 0);
    put_record_of(out, FCGI_STDIN, 2, "", 0, 0);
    expect_no_hold_up(out, "streams of another request");
    out = no_bytes();
    put_begin(out, true);
    put_record(out, FCGI_PARAMS, "\x7f\x7fxx", 4);
    put_record(out, FCGI_PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "parameters that are cut off");
    out = no_bytes();
    put_begin(out, true);
    put_record(out, FCGI_PARAMS, "\xff\xff\xff\xff\xff\xff\xff\xffxx", 10);
    put_record(out, FCGI_PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "parameters of 4 GiB");
    out = no_bytes();
    put_begin(out, true);
    put_begin(out, true);
    put_record(out, FCGI_PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "two beginnings");
    out = no_bytes();
    put_record(out, 200, "x", 1);
    expect_no_hold_up(out, "an unknown record");
}

static void a_question_for_values_is_answered(void **state)
{
    static const char names[] = "\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS";
    unsigned char content[65536];
    size_t len = 0;
    int fd = connect_to_server();
    struct bytes *out = no_bytes();

    (void)state;
    put_record_of(out, FCGI_GET_VALUES, 0, names, sizeof names - 1, 0);
    send_all(fd, out);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(read_record(fd, content, &len), FCGI_GET_VALUES_RESULT);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
    assert_in_range(ask("other"), 0, SLACK_MS);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(silent_and_half_sent_requests_hold_up_nobody),
        with_server(a_request_that_stays_unfinished_is_given_up),
        with_server(an_idle_kept_connection_is_never_given_up),
        with_server(an_answer_that_is_never_read_holds_up_nobody_and_is_given_up),
        with_server(an_answer_larger_than_the_socket_holds_arrives_whole),
        with_server(answers_that_are_never_read_hold_up_nobody),
        with_server(a_peer_that_reads_slowly_gets_its_whole_answer),
        with_server(a_request_that_comes_while_an_answer_is_sent_is_answered_next),
        with_server(a_peer_that_ends_its_side_gets_an_answer_that_takes_long),
        with_server(a_peer_that_leaves_in_the_middle_of_its_answer_frees_its_place),
        with_server(a_peer_that_vanishes_before_its_answer_does_no_harm),
        with_server(bytes_that_are_no_fastcgi_end_the_connection_at_once),
        with_server(records_in_a_wrong_order_hold_up_nobody),
        with_server(a_question_for_values_is_answered),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
