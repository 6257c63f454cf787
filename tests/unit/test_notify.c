/* Messages to a supervisor's real socket. */
#include "lib/notify.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "lib/clock.h"
#include "tests/unit/scratch.h"

static int supervisor;
static char received[2048];

static void bind_to(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);

    memcpy(address.sun_path, name, len);
    if (name[0] == '@')
        address.sun_path[0] = '\0';
    supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(supervisor >= 0);
    assert_int_equal(bind(supervisor, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
                     0);
}

static void open_with(const char *name, const char *watchdog_usec, const char *watchdog_pid)
{
    struct problem why = {""};

    bind_to(name);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    if (watchdog_usec != NULL)
        assert_int_equal(setenv("WATCHDOG_USEC", watchdog_usec, 1), 0);
    if (watchdog_pid != NULL)
        assert_int_equal(setenv("WATCHDOG_PID", watchdog_pid, 1), 0);
    assert_int_equal(notify_open(&why), STATUS_OK);
    assert_string_equal(why.text, "");
}

/* The next message; "" when there is none. */
static const char *next(void)
{
    ssize_t len = recv(supervisor, received, sizeof received - 1, 0);

    received[len < 0 ? 0 : len] = '\0';
    return received;
}

static int begin(void **state)
{
    supervisor = -1;
    return scratch_make(state);
}

static int end(void **state)
{
    notify_close();
    if (supervisor >= 0)
        (void)close(supervisor);
    return scratch_remove(state);
}

static void states_are_sent_to_a_path(void **state)
{
    (void)state;
    open_with(scratch_path("notify"), NULL, NULL);
    assert_string_equal(next(), "");
    notify_ready("serving, 4 workers");
    assert_string_equal(next(), "READY=1\nSTATUS=serving, 4 workers");
    notify_stopping("stopping");
    assert_string_equal(next(), "STOPPING=1\nSTATUS=stopping");
    assert_string_equal(next(), "");
}

static void states_are_sent_to_an_abstract_name(void **state)
{
    char name[64];

    (void)state;
    (void)snprintf(name, sizeof name, "@crmnotes-unit-%d", (int)getpid());
    open_with(name, NULL, NULL);
    notify_ready("serving");
    assert_string_equal(next(), "READY=1\nSTATUS=serving");
}

static void a_reload_tells_its_time(void **state)
{
    long long at_us = 0;
    int64_t before_us = clock_monotonic_us();

    (void)state;
    open_with(scratch_path("notify"), NULL, NULL);
    notify_reloading();
    assert_int_equal(
        sscanf(next(), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading", &at_us), 1);
    assert_non_null(strstr(received, "\nSTATUS=reloading"));
    assert_in_range(at_us, before_us, clock_monotonic_us());
}

static void no_child_finds_the_variables(void **state)
{
    (void)state;
    open_with(scratch_path("notify"), "1000000", NULL);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
}

static void a_status_stays_one_line_of_ascii_that_fits(void **state)
{
    char longest[2 * NOTIFY_TEXT_BYTES];

    (void)state;
    open_with(scratch_path("notify"), NULL, NULL);
    notify_ready("a\nREADY=0\tb\x01\xc3\xa9");
    assert_string_equal(next(), "READY=1\nSTATUS=a READY=0 b???");
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    notify_ready(longest);
    assert_int_equal(strlen(next()), strlen("READY=1\nSTATUS=") + NOTIFY_TEXT_BYTES - 1);
}

static void without_a_supervisor_nothing_is_expected(void **state)
{
    struct problem why = {""};

    (void)state;
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            assert_int_equal(setenv("NOTIFY_SOCKET", "", 1), 0);
        assert_int_equal(setenv("WATCHDOG_USEC", "1000", 1), 0);
        assert_int_equal(notify_open(&why), STATUS_OK);
        notify_ready("serving");
        notify_reloading();
        assert_int_equal(notify_alive(), INT64_MAX);
    }
}

static void a_socket_that_cannot_be_used_is_named(void **state)
{
    char too_long[sizeof((struct sockaddr_un *)0)->sun_path + 1];
    const char *const wrong[] = {scratch_path("missing"), too_long, "relative", "@",
                                 "vsock:2:1234"};

    (void)state;
    memset(too_long, 'x', sizeof too_long);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = '\0';
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct problem why = {""};
        assert_int_equal(setenv("NOTIFY_SOCKET", wrong[i], 1), 0);
        assert_int_equal(notify_open(&why), STATUS_UNAVAILABLE);
        assert_non_null(strstr(why.text, wrong[i]));
        assert_null(getenv("NOTIFY_SOCKET"));
        notify_ready("serving");
        assert_int_equal(notify_alive(), INT64_MAX);
    }
}

static void a_sign_of_life_comes_at_half_of_the_time(void **state)
{
    (void)state;
    open_with(scratch_path("notify"), "400000", NULL);
    int64_t began_ms = clock_monotonic_ms();
    assert_in_range(notify_alive(), 1, 200);
    assert_string_equal(next(), "WATCHDOG=1");
    while (next()[0] == '\0')
        (void)poll(NULL, 0, (int)notify_alive());
    assert_string_equal(received, "WATCHDOG=1");
    assert_in_range(clock_monotonic_ms() - began_ms, 200, 20000);
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
    char pid[16];
    const char *const others[][2] = {
        {"1000000", "1"}, {"1000000", "x"}, {"0", NULL}, {"-5", NULL}, {"many", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(others); i++) {
        open_with(scratch_path("notify"), others[i][0], others[i][1]);
        assert_int_equal(notify_alive(), INT64_MAX);
        assert_string_equal(next(), "");
        notify_close();
        assert_int_equal(close(supervisor), 0);
        assert_int_equal(unlink(scratch_path("notify")), 0);
    }
    (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
    open_with(scratch_path("notify"), "1000000", pid);
    assert_in_range(notify_alive(), 1, 500);
    assert_string_equal(next(), "WATCHDOG=1");
}

/* Nobody reads: a socket holds only a few messages. */
static void fill_up(int from)
{
    while (send(from, "x", 1, MSG_DONTWAIT) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
}

static void a_message_that_is_not_taken_is_kept_and_sent_later(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)state;
    open_with(scratch_path("notify"), "60000000", NULL);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", scratch_path("notify"));
    assert_int_equal(connect(other, (const struct sockaddr *)&address, sizeof address), 0);
    fill_up(other);
    notify_reloading();
    notify_ready("serving");
    assert_in_range(notify_alive(), 1, 1000); /* not in half a minute */
    while (strcmp(next(), "x") == 0)
        ;
    assert_string_equal(received, "");
    (void)notify_alive();
    assert_string_equal(next(), "READY=1\nSTATUS=serving");
    (void)notify_alive();
    assert_string_equal(next(), "");
    while (notify_alive() < 1000) /* until the sign of life is due again and taken */
        (void)poll(NULL, 0, 1);
    assert_string_equal(next(), "WATCHDOG=1");
    assert_int_equal(close(other), 0);
}

static void a_supervisor_that_is_gone_does_no_harm(void **state)
{
    (void)state;
    open_with(scratch_path("notify"), "60000000", NULL);
    assert_int_equal(close(supervisor), 0);
    supervisor = -1;
    notify_ready("serving");
    assert_in_range(notify_alive(), 1000, 30000);
}

static void a_child_that_closes_it_says_nothing(void **state)
{
    (void)state;
    open_with(scratch_path("notify"), "1000000", NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        notify_close();
        notify_ready("a child");
        _exit(notify_alive() == INT64_MAX ? 0 : 1);
    }
    int wait_status = 0;
    assert_int_equal(waitpid(pid, &wait_status, 0), pid);
    assert_int_equal(wait_status, 0);
    assert_string_equal(next(), "");
    notify_ready("the parent");
    assert_string_equal(next(), "READY=1\nSTATUS=the parent");
}

#define with_scratch(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_scratch(states_are_sent_to_a_path),
        with_scratch(states_are_sent_to_an_abstract_name),
        with_scratch(a_reload_tells_its_time),
        with_scratch(no_child_finds_the_variables),
        with_scratch(a_status_stays_one_line_of_ascii_that_fits),
        with_scratch(without_a_supervisor_nothing_is_expected),
        with_scratch(a_socket_that_cannot_be_used_is_named),
        with_scratch(a_sign_of_life_comes_at_half_of_the_time),
        with_scratch(a_watchdog_of_another_process_is_not_ours),
        with_scratch(a_message_that_is_not_taken_is_kept_and_sent_later),
        with_scratch(a_supervisor_that_is_gone_does_no_harm),
        with_scratch(a_child_that_closes_it_says_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
