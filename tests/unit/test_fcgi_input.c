#include "lib/fcgi_input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fcgi_bytes.h"

enum {
    BODY_MAX_BYTES = 10000,
};

static int own = -1, peer = -1;
static struct fcgi_reader reader = {.max_body_bytes = BODY_MAX_BYTES};
static struct fcgi_input input;
static struct fcgi_bytes bytes;

static int start(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    own = pair[0];
    peer = pair[1];
    bytes.len = 0;
    input = (struct fcgi_input){.file = -1};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fcgi_input_clear(&input);
    return close(own) | close(peer);
}

static void send_part(size_t from, size_t to)
{
    assert_int_equal(send(peer, bytes.data + from, to - from, MSG_NOSIGNAL), to - from);
}

/* What the peer gets: the type of the next record; 0: nothing. */
static int type_that_came(void)
{
    unsigned char record[FCGI_HEADER_LEN + 32];

    if (recv(peer, record, FCGI_HEADER_LEN, MSG_DONTWAIT) != FCGI_HEADER_LEN)
        return 0;
    assert_true(recv(peer, record + FCGI_HEADER_LEN, record[5], MSG_DONTWAIT) >= 0);
    return record[1];
}

static void a_look_takes_nothing(void **state)
{
    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_NOTHING);
    send_part(0, 20);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_SOME);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_SOME);
    send_part(20, bytes.len);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_ALL);
    assert_int_equal(recv(own, reader.bytes, sizeof reader.bytes, MSG_DONTWAIT), bytes.len);
}

static void the_end_and_what_is_no_fastcgi_are_told(void **state)
{
    (void)state;
    assert_int_equal(send(peer, "GET / HTTP/1.1", 14, 0), 14);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_END);
    assert_int_equal(recv(own, reader.bytes, sizeof reader.bytes, 0), 14);
    assert_int_equal(shutdown(peer, SHUT_WR), 0);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_END);
}

static void management_records_are_answered_on_the_way(void **state)
{
    (void)state;
    fcgi_bytes_put(&bytes, FCGI_GET_VALUES, 0, "", 0, 0);
    fcgi_bytes_put(&bytes, 200, 0, "xyz", 3, 5);
    fcgi_bytes_request(&bytes, 1, 1);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_ALL);
    assert_int_equal(type_that_came(), FCGI_GET_VALUES_RESULT);
    assert_int_equal(type_that_came(), FCGI_UNKNOWN_TYPE);
    assert_int_equal(type_that_came(), 0);
}

static void another_role_is_refused_and_ends_the_connection(void **state)
{
    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_AUTHORIZER, 1);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, own), FCGI_ARRIVED_END);
    assert_int_equal(type_that_came(), FCGI_END_REQUEST);
}

/* A peer that asks endlessly and reads no answers. */
static void unread_answers_to_management_records_are_bounded(void **state)
{
    enum fcgi_arrived arrived = FCGI_ARRIVED_NOTHING;

    (void)state;
    fcgi_bytes_put(&bytes, FCGI_GET_VALUES, 0, "", 0, 0);
    for (int i = 0; i < 100000 && arrived == FCGI_ARRIVED_NOTHING; i++) {
        send_part(0, bytes.len);
        arrived = fcgi_input_peek(&reader, own);
    }
    assert_int_equal(arrived, FCGI_ARRIVED_END);
}

static void a_request_is_collected_in_pieces(void **state)
{
    bool more;

    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    for (size_t i = 0; i < bytes.len; i++) {
        send_part(i, i + 1);
        assert_int_equal(fcgi_input_collect(&reader, &input, own, &more),
                         i + 1 < bytes.len ? FCGI_ARRIVED_SOME : FCGI_ARRIVED_ALL);
        assert_false(more);
    }
    assert_int_equal(fcgi_input_rewind(&input), STATUS_OK);
    assert_int_equal(read(input.file, reader.bytes, sizeof reader.bytes), bytes.len);
    assert_memory_equal(reader.bytes, bytes.data, bytes.len);
}

static void a_request_that_breaks_off_has_ended(void **state)
{
    bool more;

    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    send_part(0, bytes.len - 1);
    assert_int_equal(shutdown(peer, SHUT_WR), 0);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    assert_int_equal(fcgi_input_collect(&reader, &input, own, &more), FCGI_ARRIVED_END);
}

static void the_rest_of_a_body_far_too_long_is_counted_and_not_kept(void **state)
{
    static const char piece[1000];
    struct stat info;
    bool more;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 0);
    fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    bytes.len = 0;
    fcgi_bytes_put(&bytes, FCGI_STDIN, 1, piece, sizeof piece, 0);
    for (int i = 0; i < 5000; i++) {
        send_part(0, bytes.len);
        assert_int_equal(fcgi_input_collect(&reader, &input, own, &more),
                         FCGI_ARRIVED_SOME);
    }
    assert_int_equal(fstat(input.file, &info), 0);
    assert_in_range(info.st_size, BODY_MAX_BYTES, 2 * BODY_MAX_BYTES);
    assert_in_range(input.left_out, (size_t)5000 * 1000 - 2 * BODY_MAX_BYTES,
                    (size_t)5000 * 1000 - BODY_MAX_BYTES);
}

/* Endless parameters, none of which can be left out. */
static void a_file_that_only_grows_is_given_up(void **state)
{
    static const char piece[60000];
    enum fcgi_arrived arrived = FCGI_ARRIVED_SOME;
    size_t sent = 0;
    bool more;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 0);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    bytes.len = 0;
    fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, piece, sizeof piece, 0);
    for (; arrived == FCGI_ARRIVED_SOME && sent < 10u << 20; sent += bytes.len) {
        send_part(0, bytes.len);
        arrived = fcgi_input_collect(&reader, &input, own, &more);
    }
    assert_int_equal(arrived, FCGI_ARRIVED_END);
    assert_in_range(sent, 2u << 20, (2u << 20) + 2 * BODY_MAX_BYTES + 2 * sizeof piece);
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pair(a_look_takes_nothing),
        with_pair(the_end_and_what_is_no_fastcgi_are_told),
        with_pair(management_records_are_answered_on_the_way),
        with_pair(another_role_is_refused_and_ends_the_connection),
        with_pair(unread_answers_to_management_records_are_bounded),
        with_pair(a_request_is_collected_in_pieces),
        with_pair(a_request_that_breaks_off_has_ended),
        with_pair(the_rest_of_a_body_far_too_long_is_counted_and_not_kept),
        with_pair(a_file_that_only_grows_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
