#include "tests/unit/fastcgi_site.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- What ends fastcgi_wait; all in this process ---- */

/* A CHLD of an earlier server may still be pending. */
static void forget_signals(void)
{
    signals_let_in();
    signals_forget();
}

static void waiting_ends_when_the_wake_descriptor_does(void **state)
{
    int ends[2];
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    const struct fastcgi_descriptors fds = {listening, ends[0], -1, -1, -1};
    assert_int_equal(fastcgi_create(&f, &fds, &site_limits), STATUS_OK);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(fastcgi_wait(f, -1, &place), FASTCGI_WOKEN);
    fastcgi_free(f);
    assert_int_equal(close(ends[0]), 0);
    fastcgi_free(NULL);
}

static void waiting_ends_when_its_time_is_over(void **state)
{
    static const int waits_ms[] = {0, 1, 100};
    const struct fastcgi_descriptors fds = {listening, -1, -1, -1, -1};
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(fastcgi_create(&f, &fds, &site_limits), STATUS_OK);
    forget_signals();
    for (size_t i = 0; i < COUNT(waits_ms); i++) {
        int64_t began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, waits_ms[i], &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, waits_ms[i],
                        waits_ms[i] + SLACK_MS);
    }
    fastcgi_free(f);
}

/* It is looked at every 50 ms. */
static void an_unfinished_request_does_not_prolong_a_wait(void **state)
{
    const struct fastcgi_descriptors fds = {listening, -1, -1, -1, -1};
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(fastcgi_create(&f, &fds, &site_limits), STATUS_OK);
    assert_int_equal(end_server(0, SIGTERM), 0); /* it would take the connection */
    forget_signals();
    int peer = connect_to_server();
    send_bytes(peer, "\1\1", 2);
    for (int i = 0; i < 3; i++) {
        int64_t began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, 120, &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, 119, 120 + SLACK_MS);
    }
    assert_int_equal(close(peer), 0);
    fastcgi_free(f);
}

static void waiting_ends_once_for_each_piece_of_news(void **state)
{
    int ends[2];
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    const struct fastcgi_descriptors fds = {listening, -1, ends[0], -1, -1};
    assert_int_equal(fastcgi_create(&f, &fds, &site_limits), STATUS_OK);
    forget_signals();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(ends[1], "x", 1), 1);
        int64_t began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, 5000, &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
        began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, 20, &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, 20, 20 + SLACK_MS);
    }
    fastcgi_free(f);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void it_is_known_whether_there_are_more_events(void **state)
{
    int wake[2], news[2];
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(pipe(wake), 0);
    assert_int_equal(pipe(news), 0);
    const struct fastcgi_descriptors fds = {listening, wake[0], news[0], -1, -1};
    assert_int_equal(fastcgi_create(&f, &fds, &site_limits), STATUS_OK);
    forget_signals();
    assert_false(fastcgi_has_more(f));
    assert_int_equal(write(wake[1], "x", 1), 1);
    assert_int_equal(write(news[1], "x", 1), 1);
    enum fastcgi_event first = fastcgi_wait(f, -1, &place);
    assert_true(fastcgi_has_more(f));
    enum fastcgi_event second = fastcgi_wait(f, -1, &place);
    assert_false(fastcgi_has_more(f));
    assert_int_equal(first == FASTCGI_NEWS, second == FASTCGI_WOKEN);
    assert_int_equal(first == FASTCGI_WOKEN, second == FASTCGI_NEWS);
    fastcgi_free(f);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(close(wake[i]), 0);
        assert_int_equal(close(news[i]), 0);
    }
}

static void waiting_ends_when_a_signal_comes(void **state)
{
    const struct fastcgi_descriptors fds = {listening, -1, -1, -1, -1};
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(fastcgi_create(&f, &fds, &site_limits), STATUS_OK);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_false(signals_take(SIGUSR1));
    assert_int_equal(fastcgi_wait(f, -1, &place), FASTCGI_WOKEN);
    assert_true(signals_take(SIGUSR1));
    assert_false(signals_take(SIGUSR1));
    fastcgi_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(waiting_ends_when_the_wake_descriptor_does),
        with_server(waiting_ends_when_its_time_is_over),
        with_server(an_unfinished_request_does_not_prolong_a_wait),
        with_server(waiting_ends_once_for_each_piece_of_news),
        with_server(it_is_known_whether_there_are_more_events),
        with_server(waiting_ends_when_a_signal_comes),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
