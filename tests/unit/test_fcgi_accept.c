#include "lib/fcgi_accept.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fcgi_connections.h"
#include "lib/fcgi_request.h"
#include "lib/signals.h"
#include "tests/unit/fcgi_bytes.h"

enum {
    PLACES = 3,
    NUMBER = 77,
    PEERS_MAX = 8,
};

static struct fcgi_connections *all;
static struct fcgi_acceptor acceptor;
static struct sockaddr_in address;
static int listening = -1, peers[PEERS_MAX], peer_count;

static int start(void **state)
{
    socklen_t len = sizeof address;

    (void)state;
    peer_count = 0;
    address = (struct sockaddr_in){.sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, len) != 0 ||
        listen(listening, 16) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &len) != 0)
        return -1;
    all = fcgi_connections_create(PLACES, 1000, 1000, 1000);
    fcgi_acceptor_init(&acceptor, listening, NUMBER);
    fcgi_acceptor_watch(&acceptor, all);
    return all == NULL ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    fcgi_connections_free(all);
    for (int i = 0; i < peer_count; i++)
        (void)close(peers[i]);
    return close(listening);
}

static void connect_one(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    peers[peer_count++] = fd;
}

static void send_request_that(int keep, int fd)
{
    static struct fcgi_bytes bytes;

    bytes.len = 0;
    fcgi_bytes_request(&bytes, 1, keep);
    assert_int_equal(send(fd, bytes.data, bytes.len, 0), bytes.len);
}

static void send_request(int fd)
{
    send_request_that(FCGI_KEEP_CONN, fd);
}

/* Whether epoll tells of the listening socket within the time. */
static bool is_told(int wait_ms)
{
    struct epoll_event event;

    fcgi_acceptor_watch(&acceptor, all);
    return epoll_wait(all->epoll, &event, 1, wait_ms) == 1 && event.data.u32 == NUMBER;
}

static void a_worker_that_keeps_none_accepts_at_once(void **state)
{
    int on = 0;
    socklen_t len = sizeof on;

    (void)state;
    connect_one();
    send_request(peers[0]);
    assert_true(is_told(5000));
    int place = fcgi_acceptor_told(&acceptor, all);
    assert_int_equal(place, 0);
    assert_int_equal(all->at[place].state, FCGI_IN_HAND);
    assert_int_equal(getsockopt(all->at[place].fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_true(on != 0);
}

static void a_silent_connection_is_awaited_without_waiting(void **state)
{
    int64_t began_us;

    (void)state;
    connect_one();
    assert_true(is_told(5000));
    began_us = clock_monotonic_us();
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    assert_in_range(clock_monotonic_us() - began_us, 0, 500000);
    assert_int_equal(all->used, 1);
    assert_int_equal(all->timed, 1);
    assert_int_equal(all->kept, 1); /* the next one is left to others */
    send_request(peers[0]);
    struct epoll_event event;
    assert_int_equal(epoll_wait(all->epoll, &event, 1, 5000), 1);
    assert_int_equal(event.data.u32, 0);
    assert_true(fcgi_connections_look(all, 0));
}

static void a_worker_that_keeps_some_leaves_new_ones_to_others_for_a_while(void **state)
{
    (void)state;
    connect_one();
    send_request(peers[0]);
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), 0);
    assert_int_equal(all->kept, 1);
    connect_one();
    send_request(peers[1]);
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_wait_ms(&acceptor, all), -1);
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    assert_in_range(fcgi_acceptor_wait_ms(&acceptor, all), 1, FCGI_ACCEPT_YIELD_MS);
    assert_false(is_told(10)); /* once is enough */
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), 1);
}

/* A silent connection is no reason to take the next one at once. */
static void silent_connections_are_taken_one_by_one(void **state)
{
    (void)state;
    connect_one();
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    connect_one();
    assert_true(is_told(5000));
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), -1);
    assert_int_equal(all->used, 2);
    assert_true(acceptor.at_ms > before_ms);
    send_request(peers[1]);
    assert_true(fcgi_connections_look(all, 1));
    assert_int_equal(fcgi_acceptor_wait_ms(&acceptor, all), 0);
}

/* The edge told of both, and by then the worker kept one. */
static void pending_connections_are_not_forgotten_when_no_more_are_kept(void **state)
{
    (void)state;
    connect_one();
    send_request(peers[0]);
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), 0);
    assert_int_equal(all->kept, 1);
    fcgi_acceptor_watch(&acceptor, all);
    connect_one();
    connect_one();
    assert_true(is_told(5000));
    fcgi_connections_drop(all, 0);
    assert_int_equal(all->kept, 0);
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    assert_int_equal(all->used, 1);
    assert_int_equal(all->kept, 1);
    assert_true(fcgi_acceptor_wait_ms(&acceptor, all) >= 0 || is_told(100));
}

/* No connection is kept and no place is free: waiting must not turn into a busy loop. */
static void without_a_place_the_socket_is_left_alone_until_the_next_attempt(void **state)
{
    (void)state;
    all->in_hand_max = PLACES + 1;
    for (int i = 0; i < PLACES; i++) {
        connect_one();
        send_request_that(0, peers[i]);
        assert_true(is_told(5000));
        assert_int_equal(fcgi_acceptor_told(&acceptor, all), i);
    }
    assert_int_equal(all->used, PLACES);
    assert_int_equal(all->kept, 0);
    connect_one();
    send_request(peers[PLACES]);
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    assert_false(is_told(10));
    assert_in_range(fcgi_acceptor_wait_ms(&acceptor, all), 0, FCGI_ACCEPT_YIELD_MS);
    fcgi_connections_drop(all, 1);
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), 1);
    assert_int_equal(all->at[1].state, FCGI_IN_HAND);
}

/* Its requests would queue here, while another worker may have room. */
static void
a_worker_with_all_requests_in_hand_leaves_new_ones_to_others_for_longer(void **state)
{
    (void)state;
    all->in_hand_max = 1;
    for (int i = 0; i < PLACES; i++) {
        connect_one();
        send_request_that(0, peers[i]);
    }
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), 0);
    assert_int_equal(all->in_hand, 1);
    assert_true(is_told(5000));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    assert_in_range(fcgi_acceptor_wait_ms(&acceptor, all), FCGI_ACCEPT_YIELD_MS + 1, 1000);
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), -1);
    assert_int_equal(all->used, 2);
    assert_int_equal(all->at[1].state, FCGI_WAITING); /* its request was not read */
    assert_true(acceptor.at_ms > before_ms);          /* one at a time */
}

static void the_connection_that_rests_longest_makes_room(void **state)
{
    char byte;

    (void)state;
    for (int i = 0; i < PLACES; i++) {
        connect_one();
        send_request(peers[i]);
        assert_int_equal(fcgi_acceptor_accept(&acceptor, all), i);
        assert_int_equal(fcgi_connections_answer(all, i, span_of("x"), ""), STATUS_OK);
        fcgi_connections_await(all, i);
        all->at[i].rests_since_ms -= 1000 - i;
    }
    connect_one();
    send_request(peers[PLACES]);
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), 0);
    assert_int_equal(recv(peers[0], &byte, 1, MSG_DONTWAIT | MSG_PEEK), 1); /* its answer */
    while (recv(peers[0], &byte, 1, 0) > 0)
        ;
    assert_int_equal(recv(peers[0], &byte, 1, 0), 0); /* and its end */
}

/* How often this process has waited for something. */
static long waits(void)
{
    struct rusage usage;

    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_nvcsw;
}

static void without_a_descriptor_it_does_not_wait_and_tries_again(void **state)
{
    struct rlimit before, none;

    (void)state;
    connect_one();
    send_request(peers[0]);
    assert_true(is_told(5000));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){3, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    long before_waits = waits();
    int place = fcgi_acceptor_told(&acceptor, all);
    long after_waits = waits();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(place, -1);
    assert_int_equal(after_waits, before_waits);
    assert_false(is_told(1));
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), 0);
    assert_int_equal(fcgi_acceptor_wait_ms(&acceptor, all), -1);
    assert_int_equal(fcgi_connections_answer(all, 0, span_of("x"), ""), STATUS_OK);
    fcgi_connections_drop(all, 0);
    assert_int_equal(fcgi_acceptor_accept(&acceptor, all), -1); /* none is pending */
    assert_int_equal(fcgi_acceptor_wait_ms(&acceptor, all), -1);
}

static void after_the_stop_nothing_is_accepted(void **state)
{
    (void)state;
    fcgi_acceptor_stop(&acceptor, all);
    connect_one();
    assert_false(is_told(20));
    assert_int_equal(fcgi_acceptor_told(&acceptor, all), -1);
    assert_int_equal(fcgi_acceptor_wait_ms(&acceptor, all), -1);
    assert_int_equal(all->used, 0);
}

static int init(void **state)
{
    (void)state;
    signals_init();
    return fcgi_request_init() == STATUS_OK ? 0 : -1;
}

#define with_socket(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_socket(a_worker_that_keeps_none_accepts_at_once),
        with_socket(a_silent_connection_is_awaited_without_waiting),
        with_socket(silent_connections_are_taken_one_by_one),
        with_socket(pending_connections_are_not_forgotten_when_no_more_are_kept),
        with_socket(a_worker_that_keeps_some_leaves_new_ones_to_others_for_a_while),
        with_socket(without_a_place_the_socket_is_left_alone_until_the_next_attempt),
        with_socket(
            a_worker_with_all_requests_in_hand_leaves_new_ones_to_others_for_longer),
        with_socket(the_connection_that_rests_longest_makes_room),
        with_socket(without_a_descriptor_it_does_not_wait_and_tries_again),
        with_socket(after_the_stop_nothing_is_accepted),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
