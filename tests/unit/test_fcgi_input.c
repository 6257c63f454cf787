#include "lib/fcgi_input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fcgi_bytes.h"

enum {
    BODY_MAX_BYTES = 10000,
};

static int own = -1, peer = -1;
static struct fcgi_reader reader;
static struct fcgi_input input;
static struct fcgi_bytes bytes;
static bool more;

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
    fcgi_reader_init(&reader, BODY_MAX_BYTES);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fcgi_input_clear(&input);
    fcgi_reader_clear(&reader);
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

/* libfcgi would read these bytes and then nothing. */
static void expect_source(const struct fcgi_bytes *request, bool expect_piped)
{
    static unsigned char read_bytes[sizeof request->data];
    bool piped;
    int *fd = fcgi_input_source(&reader, &input, own, &piped);

    assert_non_null(fd);
    assert_int_equal(piped, expect_piped);
    assert_int_equal(read(*fd, read_bytes, sizeof read_bytes), request->len);
    assert_memory_equal(read_bytes, request->data, request->len);
    assert_true(read(*fd, read_bytes, 1) <= 0);
    if (piped)
        reader.pipe_used = false;
    fcgi_input_clear(&input);
}

static void a_look_takes_nothing(void **state)
{
    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_NOTHING);
    send_part(0, 20);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_SOME);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_SOME);
    send_part(20, bytes.len);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
    assert_int_equal(recv(own, reader.bytes, sizeof reader.bytes, MSG_DONTWAIT), bytes.len);
}

static void the_end_and_what_is_no_fastcgi_are_told(void **state)
{
    (void)state;
    assert_int_equal(send(peer, "GET / HTTP/1.1", 14, 0), 14);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_END);
    assert_int_equal(recv(own, reader.bytes, sizeof reader.bytes, 0), 14);
    input = (struct fcgi_input){.file = -1};
    assert_int_equal(shutdown(peer, SHUT_WR), 0);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_END);
}

static void management_records_are_answered_on_the_way(void **state)
{
    (void)state;
    fcgi_bytes_put(&bytes, FCGI_GET_VALUES, 0, "", 0, 0);
    fcgi_bytes_put(&bytes, 200, 0, "xyz", 3, 5);
    fcgi_bytes_request(&bytes, 1, 1);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
    assert_int_equal(type_that_came(), FCGI_GET_VALUES_RESULT);
    assert_int_equal(type_that_came(), FCGI_UNKNOWN_TYPE);
    assert_int_equal(type_that_came(), 0);
}

static void another_role_is_refused_and_ends_the_connection(void **state)
{
    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_AUTHORIZER, 0);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_END);
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
        arrived = fcgi_input_peek(&reader, &input, own, &more);
    }
    assert_int_equal(arrived, FCGI_ARRIVED_END);
}

static void a_request_is_collected_in_pieces(void **state)
{

    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    for (size_t i = 0; i < bytes.len; i++) {
        send_part(i, i + 1);
        assert_int_equal(fcgi_input_collect(&reader, &input, own, &more),
                         i + 1 < bytes.len ? FCGI_ARRIVED_SOME : FCGI_ARRIVED_ALL);
        assert_false(more);
    }
    expect_source(&bytes, false);
}

static void a_request_that_breaks_off_has_ended(void **state)
{

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
    assert_in_range(input.scan.left_out, (size_t)5000 * 1000 - 2 * BODY_MAX_BYTES,
                    (size_t)5000 * 1000 - BODY_MAX_BYTES);
}

/* Endless parameters, none of which can be left out. */
static void a_file_that_only_grows_is_given_up(void **state)
{
    static const char piece[60000];
    enum fcgi_arrived arrived = FCGI_ARRIVED_SOME;
    size_t sent = 0;

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

/* ---- More than one request ---- */

static void what_lies_behind_a_request_stays_in_the_socket(void **state)
{
    static struct fcgi_bytes one;

    (void)state;
    one.len = 0;
    fcgi_bytes_request(&one, 1, 1);
    for (int i = 0; i < 3; i++)
        fcgi_bytes_request(&bytes, 1, 1);
    send_part(0, bytes.len - 1);
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            send_part(bytes.len - 1, bytes.len);
        assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
        assert_int_equal(more, i < 2);
        expect_source(&one, true);
    }
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_NOTHING);
}

static void the_same_with_padding_between_and_when_collected(void **state)
{
    static struct fcgi_bytes one;

    (void)state;
    one.len = 0;
    fcgi_bytes_request(&one, 1, 1);
    one.data[one.len - 2] = 5;
    for (int i = 0; i < 4; i++) {
        fcgi_bytes_request(&bytes, 1, 1);
        bytes.data[bytes.len - 2] = 5;
        bytes.len += 5;
    }
    send_part(0, bytes.len - 2);
    for (int i = 0; i < 4; i++) {
        bool collect = i % 2 == 0;
        one.data[one.len - 2] = collect ? 0 : 5;
        assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
        if (collect) {
            assert_int_equal(fcgi_input_start(&input), STATUS_OK);
            assert_int_equal(fcgi_input_collect(&reader, &input, own, &more),
                             FCGI_ARRIVED_ALL);
        }
        assert_int_equal(more, i < 3);
        expect_source(&one, !collect);
    }
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_NOTHING);
    send_part(bytes.len - 2, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_NOTHING);
    assert_true(recv(own, reader.bytes, 1, MSG_DONTWAIT) < 0);
}

/* sendfile(2) sends the pages of a file without a copy. */
static void what_the_peer_changes_after_the_look_does_not_count(void **state)
{
    static unsigned char changed[sizeof bytes.data];

    (void)state;
    for (int in_use = 0; in_use < 2; in_use++) {
        int file = memfd_create("request", MFD_CLOEXEC);
        bytes.len = 0;
        fcgi_bytes_request(&bytes, 1, 1);
        assert_int_equal(write(file, bytes.data, bytes.len), bytes.len);
        assert_int_equal(sendfile(peer, file, &(off_t){0}, bytes.len), bytes.len);
        reader.pipe_used = in_use;
        assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
        assert_int_equal(pwrite(file, changed, bytes.len, 0), bytes.len);
        assert_memory_equal(fcgi_input_bytes(&reader), bytes.data, bytes.len);
        expect_source(&bytes, !in_use);
        assert_int_equal(close(file), 0);
    }
}

static void a_request_that_finds_the_pipe_in_use_gets_a_file(void **state)
{
    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    send_part(0, bytes.len);
    reader.pipe_used = true;
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
    expect_source(&bytes, false);
    reader.pipe_used = false;
}

static void another_request_in_the_middle_is_refused_and_left_out(void **state)
{
    static struct fcgi_bytes one;

    (void)state;
    one.len = 0;
    fcgi_bytes_request(&one, 1, 1);
    memcpy(bytes.data, one.data, FCGI_RECORD_BEGIN_BYTES);
    bytes.len = FCGI_RECORD_BEGIN_BYTES;
    fcgi_bytes_request(&bytes, 2, 1);
    memcpy(bytes.data + bytes.len, one.data + FCGI_RECORD_BEGIN_BYTES,
           one.len - FCGI_RECORD_BEGIN_BYTES);
    bytes.len += one.len - FCGI_RECORD_BEGIN_BYTES;
    size_t mixed = bytes.len;
    fcgi_bytes_request(&bytes, 2, 1);
    send_part(0, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_FULL);
    assert_int_equal(type_that_came(), 0);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    assert_int_equal(fcgi_input_collect(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
    assert_true(more);
    assert_int_equal(input.taken, mixed);
    assert_int_equal(type_that_came(), FCGI_END_REQUEST);
    expect_source(&one, false);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
    assert_false(more);
}

static void an_aborted_request_is_gone(void **state)
{
    (void)state;
    for (int collect = 0; collect <= 1; collect++) {
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
        send_part(0, bytes.len);
        assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_SOME);
        if (collect)
            assert_int_equal(fcgi_input_start(&input), STATUS_OK);
        bytes.len = 0;
        fcgi_bytes_put(&bytes, FCGI_ABORT_REQUEST, 1, "", 0, 0);
        send_part(0, bytes.len);
        assert_int_equal(collect ? fcgi_input_collect(&reader, &input, own, &more)
                                 : fcgi_input_peek(&reader, &input, own, &more),
                         FCGI_ARRIVED_GONE);
        assert_int_equal(input.file, -1);
        assert_int_equal(type_that_came(), FCGI_END_REQUEST);
        assert_int_equal(fcgi_input_peek(&reader, &input, own, &more),
                         FCGI_ARRIVED_NOTHING);
    }
}

/* A record that is longer than what can be peeked at. */
static void a_long_record_of_nobody_is_taken_in_parts(void **state)
{
    static const char content[65535];

    (void)state;
    fcgi_bytes_put(&bytes, FCGI_STDIN, 9, content, sizeof content, 255);
    fcgi_bytes_request(&bytes, 1, 1);
    send_part(0, 5);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_SOME);
    send_part(5, 30000);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_SOME);
    assert_true(recv(own, reader.bytes, 1, MSG_DONTWAIT) < 0);
    send_part(30000, bytes.len);
    assert_int_equal(fcgi_input_peek(&reader, &input, own, &more), FCGI_ARRIVED_ALL);
}

/* Each is refused; the work and the answers of one look are bounded. */
static void very_many_beginnings_are_taken_in_turns(void **state)
{
    enum { AT_ONCE = 10000 };
    size_t refused = 0;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
    send_part(0, bytes.len);
    bytes.len = 0;
    for (int i = 0; i < AT_ONCE; i++)
        fcgi_bytes_begin(&bytes, 2 + i, FCGI_RESPONDER, 1);
    assert_int_equal(fcgi_input_start(&input), STATUS_OK);
    enum fcgi_arrived arrived = FCGI_ARRIVED_SOME;
    for (int i = 0; i < 100 && arrived == FCGI_ARRIVED_SOME; i++) {
        ssize_t sent = send(peer, bytes.data, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        assert_true(sent > 0 && sent % 16 == 0);
        arrived = fcgi_input_collect(&reader, &input, own, &more);
        refused += (size_t)sent / 16;
        if (i < 2)
            while (type_that_came() == FCGI_END_REQUEST)
                refused--;
    }
    assert_int_equal(arrived, FCGI_ARRIVED_END); /* the peer reads no answers any more */
    assert_in_range(refused, 1, 100000);
    assert_true(input.kept <= FCGI_RECORD_BEGIN_BYTES);
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
        with_pair(what_lies_behind_a_request_stays_in_the_socket),
        with_pair(the_same_with_padding_between_and_when_collected),
        with_pair(what_the_peer_changes_after_the_look_does_not_count),
        with_pair(a_request_that_finds_the_pipe_in_use_gets_a_file),
        with_pair(another_request_in_the_middle_is_refused_and_left_out),
        with_pair(an_aborted_request_is_gone),
        with_pair(a_long_record_of_nobody_is_taken_in_parts),
        with_pair(very_many_beginnings_are_taken_in_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
