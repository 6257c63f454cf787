#include "lib/fcgi_handover.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"

static int give = -1, take = -1, own = -1, peer = -1;

static int start(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return -1;
    own = pair[0];
    peer = pair[1];
    return fcgi_handover_pair(&give, &take) == STATUS_OK ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    return close(give) | close(take) | close(own) | close(peer);
}

static void expect_connected(int fd)
{
    char byte = 0;

    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(peer, &byte, 1), 1);
    assert_int_equal(byte, 'x');
}

static void a_connection_passes_alone(void **state)
{
    const struct fcgi_input nothing = {.file = -1};
    struct fcgi_input input;
    int fd;

    (void)state;
    assert_int_equal(fcgi_handover_take(take, &fd, &input), STATUS_NOT_FOUND);
    assert_int_equal(fcgi_handover_give(give, own, &nothing), STATUS_OK);
    assert_int_equal(fcgi_handover_take(take, &fd, &input), STATUS_OK);
    assert_int_equal(input.file, -1);
    assert_int_equal(input.scan.left_out, 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    expect_connected(fd);
    assert_int_equal(close(fd), 0);
    assert_int_equal(fcgi_handover_take(take, &fd, &input), STATUS_NOT_FOUND);
}

static void what_was_collected_passes_with_it(void **state)
{
    struct fcgi_input collected = {.file = -1}, input;
    char text[4];
    int fd;

    (void)state;
    assert_int_equal(fcgi_input_start(&collected), STATUS_OK);
    assert_int_equal(write(collected.file, "half", 4), 4);
    collected.scan.left_out = 123456789;
    assert_int_equal(fcgi_handover_give(give, own, &collected), STATUS_OK);
    fcgi_input_clear(&collected);
    assert_int_equal(fcgi_handover_take(take, &fd, &input), STATUS_OK);
    assert_int_equal(input.scan.left_out, 123456789);
    assert_int_equal(lseek(input.file, 0, SEEK_SET), 0);
    assert_int_equal(read(input.file, text, sizeof text), 4);
    assert_memory_equal(text, "half", 4);
    expect_connected(fd);
    assert_int_equal(close(fd), 0);
    fcgi_input_clear(&input);
}

static void a_full_socket_does_not_make_the_giver_wait(void **state)
{
    const struct fcgi_input nothing = {.file = -1};
    enum status status = STATUS_OK;
    int64_t began_ms = clock_monotonic_ms();
    struct fcgi_input input;
    int given = 0, taken = 0, fd;

    (void)state;
    for (; status == STATUS_OK && given < 100000; given += status == STATUS_OK)
        status = fcgi_handover_give(give, own, &nothing);
    assert_int_equal(status, STATUS_BUSY);
    assert_true(given > 0);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, 2000);
    for (; fcgi_handover_take(take, &fd, &input) == STATUS_OK; taken++)
        assert_int_equal(close(fd), 0);
    assert_int_equal(taken, given);
    assert_int_equal(fcgi_handover_give(give, own, &nothing), STATUS_OK);
}

/* The kernel delivers the message without the descriptor for which no number is free. */
static void a_connection_whose_collected_part_is_lost_is_closed(void **state)
{
    struct fcgi_input collected = {.file = -1}, input;
    struct rlimit before, less;
    int fd, next;

    (void)state;
    assert_int_equal(fcgi_input_start(&collected), STATUS_OK);
    assert_int_equal(fcgi_handover_give(give, own, &collected), STATUS_OK);
    fcgi_input_clear(&collected);
    next = dup(own);
    assert_int_equal(close(next), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    less = (struct rlimit){(rlim_t)next + 1, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
    enum status status = fcgi_handover_take(take, &fd, &input);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(status, STATUS_NOT_FOUND);
    assert_int_equal(fcntl(next, F_GETFD), -1);
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_pair(a_connection_passes_alone),
        with_pair(what_was_collected_passes_with_it),
        with_pair(a_full_socket_does_not_make_the_giver_wait),
        with_pair(a_connection_whose_collected_part_is_lost_is_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
