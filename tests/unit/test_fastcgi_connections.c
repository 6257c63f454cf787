#include "tests/unit/fastcgi_site.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Many connections ---- */

static void new_connections_are_taken_by_a_worker_that_keeps_others(void **state)
{
    int fds[50];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = connect_and_keep();
    for (int i = 0; i < 5; i++)
        assert_in_range(ask("new"), 0, FASTCGI_YIELD_MS + SLACK_MS);
    for (size_t i = 0; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(close(fds[i]), 0);
    }
}

static void a_burst_of_new_connections_waits_once_and_not_one_after_another(void **state)
{
    int kept = connect_and_keep(), fds[60];
    struct bytes *burst = request(false, "burst");
    int64_t began_ms = clock_monotonic_ms();

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to_server();
        send_bytes(fds[i], burst->data, burst->len);
    }
    free(burst);
    for (size_t i = 0; i < COUNT(fds); i++) {
        expect_answer(fds[i], ABC "burst ");
        expect_end(fds[i]);
    }
    assert_in_range(clock_monotonic_ms() - began_ms, 0, FASTCGI_YIELD_MS + SLACK_MS);
    ask_on(kept, "kept");
    assert_int_equal(close(kept), 0);
}

static void kept_connections_make_room_for_new_ones(void **state)
{
    enum { MANY = FASTCGI_CONNECTIONS + 20 };
    int fds[MANY];
    size_t closed = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_and_keep();
        if (i + 1 == FASTCGI_CONNECTIONS) /* those that are in use stay */
            for (size_t j = 0; j < 10; j++)
                ask_on(fds[j], "again");
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        struct pollfd end = {.fd = fds[i], .events = POLLIN};
        if (poll(&end, 1, 0) > 0) {
            assert_in_range(i, 10, 10 + MANY - FASTCGI_CONNECTIONS - 1);
            closed++;
        } else {
            ask_on(fds[i], "kept");
        }
        assert_int_equal(close(fds[i]), 0);
    }
    assert_int_equal(closed, MANY - FASTCGI_CONNECTIONS);
}

static void requests_in_all_places_are_waited_for(void **state)
{
    int fds[FASTCGI_PLACES];
    struct pollfd answered = {.events = POLLIN};

    (void)state;
    send_held(fds, COUNT(fds), true);
    answered.fd = connect_to_server();
    send_all(answered.fd, request(false, "new"));
    assert_int_equal(poll(&answered, 1, 200), 0);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(fds, COUNT(fds));
    expect_answer(answered.fd, ABC "new ");
    expect_end(answered.fd);
    for (size_t i = 0; i < COUNT(fds); i++)
        assert_int_equal(close(fds[i]), 0);
}

/* The server's limit is TIMEOUT_MS. While it answers nothing, that is soon over for those
 * that come last; the one that came before still has its turn. */
static void a_request_that_cannot_be_answered_in_time_is_refused_at_once(void **state)
{
    int fds[FASTCGI_PLACES];

    (void)state;
    send_held(fds, COUNT(fds), true);
    (void)poll(NULL, 0, TIMEOUT_MS / 3);
    int queued = connect_to_server();
    send_all(queued, request(false, "queued"));
    (void)poll(NULL, 0, TIMEOUT_MS / 3);
    int late = connect_to_server();
    int64_t began_ms = clock_monotonic_ms();
    send_all(late, request(false, "late"));
    expect_answer(late, "surplus 2 ");
    expect_end(late);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(fds, COUNT(fds));
    expect_answer(queued, ABC "queued ");
    assert_int_equal(close(queued), 0);
    ask_on(fds[0], "again");
    for (size_t i = 0; i < COUNT(fds); i++)
        assert_int_equal(close(fds[i]), 0);
}

static void new_connections_go_to_workers_that_keep_none(void **state)
{
    int kept[2];

    (void)state;
    start_server();
    for (size_t i = 0; i < COUNT(kept); i++) {
        kept[i] = connect_and_keep();
    }
    ask_on(kept[0], "x");
    pid_t first = who_answered();
    ask_on(kept[1], "x");
    assert_int_not_equal(who_answered(), first);
    for (size_t i = 0; i < COUNT(kept); i++)
        assert_int_equal(close(kept[i]), 0);
}

/* ---- Many requests in hand ---- */

static void requests_are_answered_in_any_order(void **state)
{
    enum { COUNT_HELD = 40 };
    int fds[COUNT_HELD];

    (void)state;
    for (int keep = 0; keep <= 1; keep++) {
        send_held(fds, COUNT_HELD, keep);
        for (int i = 0; i < 5; i++)
            (void)ask("between");
        int last = connect_to_server();
        send_all(last, request_with(false, "last", "RELEASE"));
        expect_answer(last, ABC "last ");
        expect_end(last);
        expect_held(fds, COUNT_HELD);
        for (int i = 0; i < COUNT_HELD; i++) {
            if (keep)
                ask_on(fds[i], "again");
            assert_int_equal(close(fds[i]), 0);
        }
    }
}

static void peers_that_leave_while_their_request_is_in_hand_do_no_harm(void **state)
{
    int fds[20];

    (void)state;
    for (int keep = 0; keep <= 1; keep++) {
        send_held(fds, COUNT(fds), keep);
        (void)ask("between");
        for (size_t i = 0; i < COUNT(fds); i++)
            assert_int_equal(close(fds[i]), 0);
        int last = connect_to_server();
        send_all(last, request_with(false, "last", "RELEASE"));
        expect_answer(last, ABC "last ");
        assert_int_equal(close(last), 0);
    }
}

static void requests_in_hand_are_answered_before_the_end(void **state)
{
    int fds[10];

    (void)state;
    send_held(fds, COUNT(fds), true);
    (void)ask("a request later than those");
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    let_it_stall();
    assert_int_equal(waitpid(servers[0], NULL, WNOHANG), 0);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(fds, COUNT(fds));
    for (size_t i = 0; i < COUNT(fds); i++)
        expect_end(fds[i]);
}

static void
connections_with_a_request_in_hand_are_handed_over_after_its_answer(void **state)
{
    int fds[10];

    (void)state;
    send_held(fds, COUNT(fds), true);
    (void)ask("a request later than those");
    start_server();
    assert_int_equal(kill(servers[0], SIGHUP), 0);
    assert_in_range(ask("meanwhile"), 0, SLACK_MS);
    assert_int_equal(who_answered(), servers[1]);
    assert_int_equal(end_server(0, SIGUSR1), 1);
    expect_held(fds, COUNT(fds));
    for (size_t i = 0; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(who_answered(), servers[1]);
        assert_int_equal(close(fds[i]), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(new_connections_are_taken_by_a_worker_that_keeps_others),
        with_server(a_burst_of_new_connections_waits_once_and_not_one_after_another),
        with_server(kept_connections_make_room_for_new_ones),
        with_server(requests_in_all_places_are_waited_for),
        with_server(a_request_that_cannot_be_answered_in_time_is_refused_at_once),
        with_server(new_connections_go_to_workers_that_keep_none),
        with_server(requests_are_answered_in_any_order),
        with_server(peers_that_leave_while_their_request_is_in_hand_do_no_harm),
        with_server(requests_in_hand_are_answered_before_the_end),
        with_server(connections_with_a_request_in_hand_are_handed_over_after_its_answer),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
