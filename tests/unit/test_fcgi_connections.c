#include "lib/fcgi_connections.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fcgi_request.h"
#include "lib/signals.h"
#include "tests/unit/fcgi_bytes.h"

enum {
    PLACES = 4,
    TIMEOUT_MS = 1000,
    BODY_MAX_BYTES = 10000,
    LARGE_BYTES = 40 * 1024 * 1024,
};

static struct fcgi_connections *all;
static int peers[PLACES];
static char *large;

static int start(void **state)
{
    (void)state;
    for (int i = 0; i < PLACES; i++)
        peers[i] = -1;
    all = fcgi_connections_create(PLACES, TIMEOUT_MS, TIMEOUT_MS, BODY_MAX_BYTES);
    large = calloc(1, LARGE_BYTES);
    return all == NULL || large == NULL ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    fcgi_connections_free(all);
    free(large);
    for (int i = 0; i < PLACES; i++)
        if (peers[i] >= 0)
            (void)close(peers[i]);
    return 0;
}

/* A new connection; its place. */
static int connect_one(void)
{
    int pair[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    int place = fcgi_connections_add(all, pair[0], NULL);
    assert_in_range(place, 0, PLACES - 1);
    peers[place] = pair[1];
    return place;
}

static void send_request(int place, int keep)
{
    static struct fcgi_bytes bytes;

    bytes.len = 0;
    fcgi_bytes_request(&bytes, 1, keep);
    assert_int_equal(send(peers[place], bytes.data, bytes.len, 0), bytes.len);
}

/* A new connection with a request in hand. */
static int connect_and_ask(int keep)
{
    int place = connect_one();

    send_request(place, keep);
    assert_true(fcgi_connections_look(all, place));
    assert_int_equal(all->at[place].state, FCGI_IN_HAND);
    return place;
}

static size_t take_all(int place)
{
    static char bytes[65536];
    size_t total = 0;
    ssize_t len;

    while ((len = recv(peers[place], bytes, sizeof bytes, 0)) > 0)
        total += (size_t)len;
    return total;
}

/* Whether epoll tells of the place within the time. */
static bool is_told_of(int place, int wait_ms)
{
    struct epoll_event event;

    return epoll_wait(all->epoll, &event, 1, wait_ms) == 1 &&
           event.data.u32 == (uint32_t)place;
}

static void a_place_is_given_once_and_again_after_it_is_free(void **state)
{
    int pair[2];

    (void)state;
    for (int i = 0; i < PLACES; i++)
        assert_int_equal(connect_one(), i);
    assert_int_equal(all->used, PLACES);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fcgi_connections_add(all, pair[0], NULL), -1);
    char byte;
    assert_int_equal(recv(pair[1], &byte, 1, 0), 0); /* it was closed */
    assert_int_equal(close(pair[1]), 0);
    fcgi_connections_drop(all, 2);
    assert_int_equal(recv(peers[2], &byte, 1, 0), 0);
    assert_int_equal(close(peers[2]), 0);
    assert_int_equal(all->used, PLACES - 1);
    assert_int_equal(connect_one(), 2);
}

static void a_connection_is_kept_when_its_request_says_so(void **state)
{
    (void)state;
    int once = connect_and_ask(0);
    assert_int_equal(all->kept, 0);
    int kept = connect_and_ask(FCGI_KEEP_CONN);
    assert_int_equal(all->kept, 1);
    int fresh = connect_one();
    assert_int_equal(send(peers[fresh], "\1\1\0\1", 4, 0), 4);
    assert_false(fcgi_connections_look(all, fresh));
    assert_int_equal(all->kept, 1);
    assert_int_equal(all->timed, 1);
    fcgi_connections_keep(all, fresh);
    assert_int_equal(all->kept, 2);
    assert_false(fcgi_connections_look_stalled(all, fresh));
    assert_int_equal(all->kept, 2);
    assert_true(all->at[fresh].input.file >= 0);
    fcgi_connections_drop(all, once);
    fcgi_connections_drop(all, kept);
    fcgi_connections_drop(all, fresh);
    assert_int_equal(all->kept, 0);
    assert_int_equal(all->timed, 0);
    assert_int_equal(all->used, 0);
}

static void a_stalled_request_is_completed_from_its_file(void **state)
{
    static struct fcgi_bytes bytes;
    int place = connect_one();

    (void)state;
    bytes.len = 0;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(send(peers[place], bytes.data, 30, 0), 30);
    assert_false(fcgi_connections_look_stalled(all, place));
    assert_int_equal(send(peers[place], bytes.data + 30, bytes.len - 30, 0),
                     bytes.len - 30);
    assert_true(fcgi_connections_look(all, place));
    assert_string_equal(fcgi_request_params(all->at[place].request)[1], "NAME=value");
    assert_int_equal(all->timed, 0);
    assert_int_equal(
        fcgi_connections_answer(all, place, (struct span){"hello", 5}, "label"), STATUS_OK);
    assert_int_equal(all->at[place].input.file, -1);
    assert_int_equal(take_all(place), fcgi_output_bytes(5));
}

static void the_connection_that_rests_longest_is_found(void **state)
{
    (void)state;
    assert_int_equal(fcgi_connections_longest_resting(all), -1);
    int first = connect_and_ask(1), second = connect_and_ask(1);
    assert_int_equal(fcgi_connections_longest_resting(all), -1); /* in hand */
    const int order[] = {second, first};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcgi_connections_answer(all, order[i], span_of("x"), ""),
                         STATUS_OK);
        fcgi_connections_await(all, order[i]);
        all->at[order[i]].rests_since_ms += i;
    }
    assert_int_equal(fcgi_connections_longest_resting(all), second);
    fcgi_connections_set_deadline(all, second);
    assert_int_equal(fcgi_connections_longest_resting(all), first);
}

static void an_answer_that_is_not_taken_is_sent_when_the_peer_reads(void **state)
{
    int place = connect_and_ask(1);
    size_t total = 0;

    (void)state;
    assert_int_equal(
        fcgi_connections_answer(all, place, (struct span){large, 1000000}, "the-label"),
        STATUS_BUSY);
    assert_int_equal(all->at[place].state, FCGI_SENDING);
    assert_string_equal(all->at[place].label, "the-label");
    assert_int_equal(all->unsent_bytes, fcgi_output_bytes(1000000));
    assert_int_equal(all->timed, 1);
    assert_false(is_told_of(place, 20)); /* there is no room */
    enum status status = STATUS_BUSY;
    while (status == STATUS_BUSY) {
        total += take_all(place);
        assert_true(is_told_of(place, 5000));
        status = fcgi_connections_send(all, place, true);
    }
    assert_int_equal(status, STATUS_OK);
    total += take_all(place);
    assert_int_equal(total, fcgi_output_bytes(1000000));
    assert_int_equal(all->unsent_bytes, 0);
    assert_int_equal(all->timed, 0);
    fcgi_connections_await(all, place);
    assert_false(is_told_of(place, 20)); /* it is not reported again */
    send_request(place, 1);
    assert_true(is_told_of(place, 5000));
    assert_true(fcgi_connections_look(all, place));
}

static void taking_something_extends_the_deadline_if_it_may(void **state)
{
    (void)state;
    for (int lasting = 0; lasting <= 1; lasting++) {
        int place = connect_and_ask(1);
        assert_int_equal(
            fcgi_connections_answer(all, place, (struct span){large, LARGE_BYTES}, ""),
            STATUS_BUSY);
        int64_t since_ms = all->at[place].since_ms -= 500;
        assert_int_equal(fcgi_connections_send(all, place, lasting), STATUS_BUSY);
        assert_int_equal(all->at[place].since_ms, since_ms); /* it took nothing */
        (void)take_all(place);
        assert_int_equal(fcgi_connections_send(all, place, lasting), STATUS_BUSY);
        if (lasting)
            assert_true(all->at[place].since_ms >= since_ms + 500);
        else
            assert_int_equal(all->at[place].since_ms, since_ms);
        fcgi_connections_drop(all, place);
        assert_int_equal(close(peers[place]), 0);
        peers[place] = -1;
    }
}

static void unsent_answers_are_bounded_together(void **state)
{
    const struct span answer = {large, LARGE_BYTES};
    int places[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        places[i] = connect_and_ask(1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(fcgi_connections_answer(all, places[i], answer, ""), STATUS_BUSY);
    assert_int_equal(fcgi_connections_answer(all, places[2], answer, ""), STATUS_TOO_LARGE);
    fcgi_connections_drop(all, places[2]);
    assert_int_equal(all->unsent_bytes, 2 * fcgi_output_bytes(LARGE_BYTES));
    assert_true(all->unsent_bytes <= FCGI_CONNECTIONS_UNSENT_BYTES);
    fcgi_connections_drop(all, places[0]);
    assert_int_equal(all->unsent_bytes, fcgi_output_bytes(LARGE_BYTES));
    (void)close(peers[places[2]]);
    int place = connect_and_ask(1);
    assert_int_equal(fcgi_connections_answer(all, place, answer, ""), STATUS_BUSY);
}

static void a_label_that_is_too_long_is_cut(void **state)
{
    char label[200];
    int place = connect_and_ask(1);

    (void)state;
    memset(label, 'l', sizeof label - 1);
    label[sizeof label - 1] = '\0';
    assert_int_equal(fcgi_connections_answer(all, place, span_of("x"), label), STATUS_OK);
    assert_int_equal(strlen(all->at[place].label), FCGI_CONNECTIONS_LABEL_BYTES - 1);
}

static int init(void **state)
{
    (void)state;
    signals_init();
    return fcgi_request_init() == STATUS_OK ? 0 : -1;
}

#define with_table(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_table(a_place_is_given_once_and_again_after_it_is_free),
        with_table(a_connection_is_kept_when_its_request_says_so),
        with_table(a_stalled_request_is_completed_from_its_file),
        with_table(the_connection_that_rests_longest_is_found),
        with_table(an_answer_that_is_not_taken_is_sent_when_the_peer_reads),
        with_table(taking_something_extends_the_deadline_if_it_may),
        with_table(unsent_answers_are_bounded_together),
        with_table(a_label_that_is_too_long_is_cut),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
