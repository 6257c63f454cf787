#include "lib/fcgi_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <fastcgi.h>

#include "lib/fcgi_record.h"

enum {
    ID = 0x1234,
    LARGE_BYTES = 300000,
    ANSWER_MAX_BYTES = 400000,
    RECORDS_MAX_BYTES = ANSWER_MAX_BYTES + 1000,
    SMALL_BUFFER_BYTES = 4096,
};

static int own = -1, peer = -1;
static char text[ANSWER_MAX_BYTES];
static unsigned char got[RECORDS_MAX_BYTES];

static int open_pair(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    own = pair[0];
    peer = pair[1];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7 % 251);
    return 0;
}

static int close_pair(void **state)
{
    (void)state;
    if (peer >= 0)
        (void)close(peer);
    return close(own);
}

static void make_buffer_small(void)
{
    int bytes = SMALL_BUFFER_BYTES;

    assert_int_equal(setsockopt(own, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
}

/* Takes what has arrived, at most `size` bytes; 0: nothing. */
static size_t take(unsigned char *out, size_t size)
{
    ssize_t len = recv(peer, out, size, MSG_DONTWAIT);

    return len > 0 ? (size_t)len : 0;
}

static size_t take_all(void)
{
    size_t total = 0, len;

    while ((len = take(got + total, sizeof got - total)) > 0)
        total += len;
    return total;
}

/* The records in `got` are an answer with the first `len` bytes of `text`, to the byte. */
static void expect_records(size_t total, size_t len)
{
    static const unsigned char end[] = {
        1, FCGI_STDOUT,           0x12, 0x34, 0, 0, 0, 0, /* end of the stream */
        1, FCGI_END_REQUEST,      0x12, 0x34, 0, 8, 0, 0, 0, 0, 0,
        0, FCGI_REQUEST_COMPLETE, 0,    0,    0,
    };
    size_t at = 0, body = 0;

    assert_int_equal(total, fcgi_output_bytes(len));
    while (body < len) {
        const unsigned char *head = got + at;
        size_t size = (size_t)head[4] << 8 | head[5];
        assert_int_equal(head[0], FCGI_VERSION_1);
        assert_int_equal(head[1], FCGI_STDOUT);
        assert_int_equal(head[2] << 8 | head[3], ID);
        assert_int_equal(head[6], 0);
        assert_true(size > 0 && size <= len - body);
        assert_memory_equal(head + FCGI_HEADER_LEN, text + body, size);
        at += FCGI_HEADER_LEN + size;
        body += size;
    }
    assert_int_equal(total - at, sizeof end);
    assert_memory_equal(got + at, end, sizeof end);
}

static enum status start_answer(struct fcgi_output *output, size_t len)
{
    return fcgi_output_start(output, own, ID, (struct span){text, len}, SIZE_MAX);
}

static void answers_of_all_sizes_have_the_right_records(void **state)
{
    static const size_t sizes[] = {0,     1,     7,     8,     8192,   20000,  65527,
                                   65528, 65529, 65535, 65536, 131055, 131056, 131057};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct fcgi_output output = {0};
        size_t total = 0;
        enum status status = start_answer(&output, sizes[i]);
        while (status == STATUS_BUSY) {
            total += take(got + total, sizeof got - total);
            status = fcgi_output_go_on(&output, own);
        }
        assert_int_equal(status, STATUS_OK);
        assert_null(output.bytes);
        total += take(got + total, sizeof got - total);
        while (total < fcgi_output_bytes(sizes[i]))
            total += take(got + total, sizeof got - total);
        expect_records(total, sizes[i]);
    }
}

static void an_answer_that_is_taken_at_once_costs_no_memory(void **state)
{
    struct fcgi_output output = {0};

    (void)state;
    assert_int_equal(fcgi_output_start(&output, own, ID, (struct span){text, 60000}, 0),
                     STATUS_OK);
    assert_null(output.bytes);
    expect_records(take_all(), 60000);
}

static void a_peer_that_reads_single_bytes_gets_exactly_the_answer(void **state)
{
    struct fcgi_output output = {0};
    size_t total = 0, len, partial = 0;

    (void)state;
    make_buffer_small();
    enum status status = start_answer(&output, LARGE_BYTES);
    assert_int_equal(status, STATUS_BUSY);
    while (status == STATUS_BUSY) {
        size_t before = output.sent;
        total += take(got + total, 1);
        status = fcgi_output_go_on(&output, own);
        partial += status == STATUS_BUSY && output.sent > before;
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(partial > 10);
    while ((len = take(got + total, 1)) > 0)
        total += len;
    expect_records(total, LARGE_BYTES);
}

static void an_answer_of_one_record_goes_on_where_it_was_cut(void **state)
{
    struct fcgi_output output = {0};
    size_t total = 0;

    (void)state;
    make_buffer_small();
    enum status status = start_answer(&output, 60000);
    assert_int_equal(status, STATUS_BUSY);
    assert_in_range(output.sent, 1, fcgi_output_bytes(60000) - 1);
    while (status == STATUS_BUSY) {
        total += take(got + total, 1000);
        status = fcgi_output_go_on(&output, own);
    }
    assert_int_equal(status, STATUS_OK);
    total += take(got + total, sizeof got - total);
    while (total < fcgi_output_bytes(60000))
        total += take(got + total, sizeof got - total);
    expect_records(total, 60000);
}

static void nothing_is_sent_twice_while_the_peer_takes_nothing(void **state)
{
    struct fcgi_output output = {0};

    (void)state;
    make_buffer_small();
    assert_int_equal(start_answer(&output, LARGE_BYTES), STATUS_BUSY);
    size_t sent = output.sent;
    for (int i = 0; i < 10; i++)
        assert_int_equal(fcgi_output_go_on(&output, own), STATUS_BUSY);
    assert_int_equal(output.sent, sent);
    assert_int_equal(output.len, fcgi_output_bytes(LARGE_BYTES));
    fcgi_output_clear(&output);
    assert_null(output.bytes);
    assert_int_equal(output.len, 0);
}

static void more_than_may_be_kept_is_not_kept(void **state)
{
    struct fcgi_output output = {0};
    const struct span answer = {text, LARGE_BYTES};
    size_t needed = fcgi_output_bytes(LARGE_BYTES);

    (void)state;
    make_buffer_small();
    assert_int_equal(fcgi_output_start(&output, own, ID, answer, needed - 1),
                     STATUS_TOO_LARGE);
    assert_null(output.bytes);
    assert_int_equal(fcgi_output_start(&output, own, ID, answer, needed), STATUS_BUSY);
    assert_int_equal(output.len, needed);
    fcgi_output_clear(&output);
}

static void a_peer_that_closes_is_found_out(void **state)
{
    static const size_t sizes[] = {0, 100, LARGE_BYTES};
    struct fcgi_output output = {0};

    (void)state;
    make_buffer_small();
    assert_int_equal(start_answer(&output, LARGE_BYTES), STATUS_BUSY);
    (void)take(got, 2000);
    assert_int_equal(close(peer), 0);
    peer = -1;
    assert_int_equal(fcgi_output_go_on(&output, own), STATUS_IO);
    fcgi_output_clear(&output);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(start_answer(&output, sizes[i]), STATUS_IO);
        assert_null(output.bytes);
    }
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pair(answers_of_all_sizes_have_the_right_records),
        with_pair(an_answer_that_is_taken_at_once_costs_no_memory),
        with_pair(a_peer_that_reads_single_bytes_gets_exactly_the_answer),
        with_pair(an_answer_of_one_record_goes_on_where_it_was_cut),
        with_pair(nothing_is_sent_twice_while_the_peer_takes_nothing),
        with_pair(more_than_may_be_kept_is_not_kept),
        with_pair(a_peer_that_closes_is_found_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
