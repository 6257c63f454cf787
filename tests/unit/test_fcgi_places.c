#include "lib/fcgi_places.h"

#include <sys/socket.h>
#include <unistd.h>

#include "lib/fcgi_request.h"
#include "lib/signals.h"
#include "tests/unit/fcgi_bytes.h"

enum {
    COUNT = FCGI_PLACES + 8, /* of connections */
    LIMIT_MS = 3000,
    BODY_MAX_BYTES = 1000,
};

static struct fcgi_connections *all;
static struct fcgi_places places;
static int peers[COUNT];

static int start(void **state)
{
    (void)state;
    all = fcgi_connections_create(COUNT, LIMIT_MS, LIMIT_MS, BODY_MAX_BYTES);
    if (all == NULL)
        return -1;
    fcgi_places_init(&places, all);
    for (int i = 0; i < COUNT; i++)
        peers[i] = -1;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fcgi_connections_free(all);
    for (int i = 0; i < COUNT; i++)
        if (peers[i] >= 0)
            (void)close(peers[i]);
    return 0;
}

/* A new connection with a request that has arrived; its number. */
static int connect_one(void)
{
    static struct fcgi_bytes bytes;
    int pair[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    int connection = fcgi_connections_add(all, pair[0], NULL);
    assert_in_range(connection, 0, COUNT - 1);
    peers[connection] = pair[1];
    bytes.len = 0;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(send(pair[1], bytes.data, bytes.len, 0), bytes.len);
    return connection;
}

/* Its place. */
static size_t connect_and_begin(void)
{
    int connection = connect_one();
    size_t place;

    assert_true(fcgi_places_look(&places, connection));
    assert_false(fcgi_places_take(&places, connection, &place));
    return place;
}

static void answer(size_t place)
{
    int connection = fcgi_places_free(&places, place);

    assert_int_equal(fcgi_connections_answer(all, connection, span_of("x"), ""), STATUS_OK);
    fcgi_connections_drop(all, connection);
}

static void fill(void)
{
    for (int i = 0; i < FCGI_PLACES; i++)
        (void)connect_and_begin();
}

static void expect_refusal(int connection)
{
    size_t place;

    assert_true(fcgi_places_take(&places, connection, &place));
    assert_int_equal(place, FCGI_PLACES);
    answer(place);
}

static void places_take_turns(void **state)
{
    (void)state;
    assert_int_equal(connect_and_begin(), 1);
    for (size_t i = 2; i < FCGI_PLACES; i++)
        assert_int_equal(connect_and_begin(), i);
    answer(5);
    answer(7);
    assert_int_equal(connect_and_begin(), 0);
    answer(3);
    assert_int_equal(connect_and_begin(), 3);
    assert_int_equal(connect_and_begin(), 5);
    assert_int_equal(connect_and_begin(), 7);
}

static void without_a_free_place_requests_queue_in_their_order(void **state)
{
    int waiting[4];
    size_t place;

    (void)state;
    fill();
    for (int i = 0; i < 4; i++) {
        waiting[i] = connect_one();
        assert_false(fcgi_places_look(&places, waiting[i]));
    }
    assert_int_equal(all->queued, 4);
    assert_int_equal(fcgi_places_look_at_queue(&places), -1);
    fcgi_connections_drop(all, waiting[1]);
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            continue;
        answer((size_t)i);
        /* one that arrives now comes after them */
        int late = connect_one();
        assert_false(fcgi_places_look(&places, late));
        fcgi_connections_drop(all, late);
        assert_int_equal(fcgi_places_look_at_queue(&places), waiting[i]);
        assert_false(fcgi_places_take(&places, waiting[i], &place));
    }
    assert_int_equal(all->queued, 0);
    assert_false(fcgi_places_has_free(&places));
}

static void
a_request_that_cannot_be_answered_in_time_is_refused_when_it_arrives(void **state)
{
    (void)state;
    fill();
    places.overload.held_us = LIMIT_MS * 1000 * 2 / 3 - 1;
    int queued = connect_one();
    assert_false(fcgi_places_look(&places, queued));
    places.overload.held_us = LIMIT_MS * 1000 * 2 / 3;
    int late = connect_one();
    assert_true(fcgi_places_look(&places, late));
    assert_int_equal(fcgi_places_retry_after_s(&places), LIMIT_MS / 1000);
    expect_refusal(late);
    assert_int_equal(all->queued, 1); /* the older one still is */
}

static void a_request_that_has_queued_for_too_long_is_refused(void **state)
{
    size_t place;

    (void)state;
    fill();
    int first = connect_one(), second = connect_one();
    assert_false(fcgi_places_look(&places, first));
    assert_false(fcgi_places_look(&places, second));
    all->at[first].queued_us -= (int64_t)LIMIT_MS * 1000 * 2 / 3 + 1;
    answer(0);
    assert_int_equal(fcgi_places_look_at_queue(&places), first);
    expect_refusal(first);
    assert_int_equal(fcgi_places_look_at_queue(&places), second);
    assert_false(fcgi_places_take(&places, second, &place));
}

/* Otherwise the slow ones would be the last that were measured. */
static void while_a_place_is_free_no_request_is_refused(void **state)
{
    size_t place;

    (void)state;
    places.overload.held_us = (int64_t)LIMIT_MS * 1000 * 100;
    int connection = connect_one();
    assert_true(fcgi_places_look(&places, connection));
    assert_false(fcgi_places_take(&places, connection, &place));
    assert_in_range(place, 0, FCGI_PLACES - 1);
    int queued[] = {connect_one(), connect_one()};
    fcgi_connections_mark(all, queued[0]);
    assert_false(fcgi_places_look(&places, queued[1]));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fcgi_places_look_at_queue(&places), queued[i]);
        assert_false(fcgi_places_take(&places, queued[i], &place));
    }
}

static void answers_are_measured(void **state)
{
    (void)state;
    size_t place = connect_and_begin();
    places.at[place].begun_us -= 700000;
    answer(place);
    assert_in_range(places.overload.held_us, 700000, 900000);
    fill();
    assert_int_not_equal(places.overload.full_since_us, 0);
    answer(place);
    assert_int_equal(places.overload.full_since_us, 0);
}

static int init(void **state)
{
    (void)state;
    signals_init();
    return fcgi_request_init() == STATUS_OK ? 0 : -1;
}

#define with_places(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_places(places_take_turns),
        with_places(without_a_free_place_requests_queue_in_their_order),
        with_places(a_request_that_cannot_be_answered_in_time_is_refused_when_it_arrives),
        with_places(a_request_that_has_queued_for_too_long_is_refused),
        with_places(while_a_place_is_free_no_request_is_refused),
        with_places(answers_are_measured),
    };

    return cmocka_run_group_tests(tests, init, NULL);
}
