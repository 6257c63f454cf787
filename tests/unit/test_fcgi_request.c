#include "lib/fcgi_request.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/signals.h"
#include "tests/unit/fcgi_bytes.h"

static int own = -1, peer = -1;
static struct fcgi_request *request;
static struct fcgi_bytes bytes;

static int start(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return -1;
    own = pair[0];
    peer = pair[1];
    bytes.len = 0;
    request = fcgi_request_create();
    return request == NULL ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    fcgi_request_free(request);
    if (own >= 0)
        (void)close(own);
    return close(peer);
}

static void send_request(void)
{
    assert_int_equal(write(peer, bytes.data, bytes.len), bytes.len);
}

static void parameters_and_body_are_read(void **state)
{
    char body[8];
    size_t len;

    (void)state;
    fcgi_bytes_begin(&bytes, 300, FCGI_RESPONDER, FCGI_KEEP_CONN);
    fcgi_bytes_param(&bytes, 300, "NAME", "first");
    fcgi_bytes_param(&bytes, 300, "EMPTY", "");
    fcgi_bytes_param(&bytes, 300, "NAME", "second");
    fcgi_bytes_put(&bytes, FCGI_PARAMS, 300, "", 0, 0);
    fcgi_bytes_put(&bytes, FCGI_STDIN, 300, "abc", 3, 5);
    fcgi_bytes_put(&bytes, FCGI_STDIN, 300, "", 0, 0);
    send_request();
    assert_int_equal(fcgi_request_begin(request, &own), STATUS_OK);
    assert_int_equal(fcgi_request_id(request), 300);
    assert_true(fcgi_request_keeps_connection(request));
    const char *const *params = fcgi_request_params(request);
    assert_string_equal(params[1], "NAME=first");
    assert_string_equal(params[2], "EMPTY=");
    assert_string_equal(params[3], "NAME=second");
    assert_null(params[4]);
    assert_int_equal(fcgi_request_read_body(request, 0, body, sizeof body, &len),
                     STATUS_OK);
    assert_int_equal(len, 3);
    assert_memory_equal(body, "abc", 3);
    fcgi_request_end(request);
}

static void nothing_is_written_and_the_connection_stays_open(void **state)
{
    char byte;

    (void)state;
    for (int keep = 0; keep <= 1; keep++) {
        bytes.len = 0;
        fcgi_bytes_request(&bytes, 1, keep);
        send_request();
        assert_int_equal(fcgi_request_begin(request, &own), STATUS_OK);
        assert_int_equal(fcgi_request_keeps_connection(request), keep);
        fcgi_request_end(request);
        assert_true(recv(peer, &byte, 1, 0) < 0);
        assert_int_equal(errno, EAGAIN);
        assert_true(fcntl(own, F_GETFD) >= 0);
    }
}

static void a_body_that_was_not_read_is_taken_off_the_connection(void **state)
{
    static const char piece[50000];
    char byte;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
    fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
    fcgi_bytes_put(&bytes, FCGI_STDIN, 1, piece, sizeof piece, 0);
    fcgi_bytes_put(&bytes, FCGI_STDIN, 1, "", 0, 0);
    send_request();
    assert_int_equal(fcgi_request_begin(request, &own), STATUS_OK);
    fcgi_request_end(request);
    assert_true(recv(own, &byte, 1, MSG_PEEK) < 0);
    assert_int_equal(errno, EAGAIN);
}

static void a_request_may_be_read_from_a_file(void **state)
{
    int file = memfd_create("test", MFD_CLOEXEC);

    (void)state;
    fcgi_bytes_request(&bytes, 7, 0);
    assert_int_equal(write(file, bytes.data, bytes.len), bytes.len);
    assert_int_equal(lseek(file, 0, SEEK_SET), 0);
    assert_int_equal(fcgi_request_begin(request, &file), STATUS_OK);
    assert_string_equal(fcgi_request_params(request)[1], "NAME=value");
    fcgi_request_end(request);
    assert_int_equal(close(file), 0);
}

static void a_request_may_be_read_from_memory(void **state)
{
    char body[8];
    size_t len;

    (void)state;
    fcgi_bytes_request(&bytes, 7, 1);
    assert_int_equal(write(peer, "behind", 6), 6);
    assert_true(fcgi_request_fits_in_memory(bytes.len));
    assert_int_equal(fcgi_request_begin_in_memory(request, &own, bytes.data, bytes.len),
                     STATUS_OK);
    memset(bytes.data, 0xff, bytes.len); /* it need not stay */
    assert_int_equal(fcgi_request_id(request), 7);
    assert_string_equal(fcgi_request_params(request)[1], "NAME=value");
    (void)fcgi_request_read_body(request, 0, body, sizeof body, &len);
    assert_true(fcgi_request_end(request));
    assert_int_equal(recv(own, body, sizeof body, MSG_DONTWAIT), 6);
    assert_memory_equal(body, "behind", 6);
}

static void an_incomplete_request_in_memory_takes_nothing_off_the_connection(void **state)
{
    char byte;

    (void)state;
    fcgi_bytes_request(&bytes, 7, 1);
    assert_int_equal(write(peer, "behind", 6), 6);
    int copy = dup(own);
    assert_int_equal(fcgi_request_begin_in_memory(request, &own, bytes.data, 30),
                     STATUS_IO);
    assert_int_equal(own, -1);
    assert_int_equal(recv(copy, &byte, 1, MSG_DONTWAIT), 1);
    assert_int_equal(byte, 'b');
    assert_int_equal(close(copy), 0);
}

static void a_long_request_does_not_fit_in_memory(void **state)
{
    (void)state;
    assert_true(fcgi_request_fits_in_memory(FCGI_REQUEST_MEMORY_BYTES));
    assert_false(fcgi_request_fits_in_memory(FCGI_REQUEST_MEMORY_BYTES + 1));
}

static void the_length_of_a_body_is_compared_with_what_was_announced(void **state)
{
    static const struct {
        const char *announced;
        size_t left_out, size;
        enum status status;
    } rows[] = {
        {"3", 0, 3, STATUS_OK},         {"", 0, 8, STATUS_OK},
        {"2", 0, 8, STATUS_INVALID},    {"4", 0, 8, STATUS_INVALID},
        {"3", 0, 2, STATUS_TOO_LARGE},  {"103", 100, 8, STATUS_TOO_LARGE},
        {"103", 99, 8, STATUS_INVALID}, {"x", 0, 8, STATUS_INVALID},
        {"-1", 0, 8, STATUS_OK},        {"-x", 0, 8, STATUS_INVALID},
    };
    char body[8];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
        fcgi_bytes_param(&bytes, 1, "CONTENT_LENGTH", rows[i].announced);
        fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
        fcgi_bytes_put(&bytes, FCGI_STDIN, 1, "abc", 3, 0);
        fcgi_bytes_put(&bytes, FCGI_STDIN, 1, "", 0, 0);
        send_request();
        assert_int_equal(fcgi_request_begin(request, &own), STATUS_OK);
        assert_int_equal(
            fcgi_request_read_body(request, rows[i].left_out, body, rows[i].size, &len),
            rows[i].status);
        fcgi_request_end(request);
    }
}

/* The service never reads one, but even then it does not wait for the peer. */
static void an_incomplete_request_fails_at_once(void **state)
{
    int64_t began_ms = clock_monotonic_ms();

    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    bytes.len = 30;
    send_request();
    assert_int_equal(fcgi_request_begin(request, &own), STATUS_IO);
    assert_int_equal(own, -1);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 500);
}

static int init(void **state)
{
    (void)state;
    signals_init();
    return fcgi_request_init() == STATUS_OK ? 0 : -1;
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pair(parameters_and_body_are_read),
        with_pair(nothing_is_written_and_the_connection_stays_open),
        with_pair(a_body_that_was_not_read_is_taken_off_the_connection),
        with_pair(a_request_may_be_read_from_a_file),
        with_pair(a_request_may_be_read_from_memory),
        with_pair(an_incomplete_request_in_memory_takes_nothing_off_the_connection),
        with_pair(a_long_request_does_not_fit_in_memory),
        with_pair(the_length_of_a_body_is_compared_with_what_was_announced),
        with_pair(an_incomplete_request_fails_at_once),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
