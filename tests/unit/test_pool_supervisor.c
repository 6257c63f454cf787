/* What the supervisor hears of a pool whose workers do not all come up. */
#include "lib/pool.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/notify.h"
#include "tests/unit/pool_site.h"

static int supervisor;
static char heard[1024];

static int begin(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct problem why = {""};
    char name[64];

    (void)snprintf(name, sizeof name, "@crmnotes-unit-%d", (int)getpid());
    (void)snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name + 1);
    supervisor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    if (supervisor < 0 || bind(supervisor, (const struct sockaddr *)&address, len) != 0 ||
        setenv("NOTIFY_SOCKET", name, 1) != 0 || notify_open(&why) != STATUS_OK)
        return -1;
    return make_pool(state);
}

static int end(void **state)
{
    notify_close();
    return close(supervisor) == 0 ? remove_pool(state) : -1;
}

static const char *next(void)
{
    struct pollfd one = {.fd = supervisor, .events = POLLIN};

    assert_int_equal(poll(&one, 1, PATIENCE_MS), 1);
    ssize_t len = recv(supervisor, heard, sizeof heard - 1, 0);
    assert_true(len > 0);
    heard[len] = '\0';
    return heard;
}

static void it_is_ready_late_when_not_all_workers_come_up(void **state)
{
    int64_t began_ms = clock_monotonic_ms();

    (void)state;
    start_master_of(&program, 3, 2, 60000); /* there is no place for the third */
    wait_until_ready(2);
    assert_string_equal(next(),
                        "READY=1\nSTATUS=serving, 3 workers, of which some do not come up");
    assert_true(clock_monotonic_ms() - began_ms >= 10000);
    end_pool(SIGTERM, 2);
    assert_non_null(strstr(next(), "STOPPING=1"));
}

static void a_reload_ends_ready_when_the_new_workers_do_not_come_up(void **state)
{
    (void)state;
    start_master(2, 60000, SERVE);
    assert_string_equal(next(), "READY=1\nSTATUS=serving, 2 workers");
    atomic_store(&shared->behaviour, NEVER_BE_READY);
    assert_int_equal(kill(master, SIGHUP), 0);
    assert_non_null(strstr(next(), "RELOADING=1"));
    assert_string_equal(next(), "READY=1\nSTATUS=serving, 2 workers; the new ones are not "
                                "ready, the old ones go on");
    assert_int_equal(count_in_log("\"reload_waits\""), 1);
    assert_int_equal(count_in_log("\"reloaded\""), 0);
    end_pool(SIGTERM, 4);
}

static void it_is_not_ready_before_every_role_is(void **state)
{
    (void)state;
    atomic_store(&shared->roles[0].dies_at_once, true);
    start_master_of(&with_roles, 1, SLOTS, 60000);
    wait_until_ready(1);
    wait_for(&shared->roles[1].born, ROLE_PROCESSES, "processes of the other role");
    wait_for_log("\"exit_status\":7", 2 * ROLE_PROCESSES);
    assert_int_equal(recv(supervisor, heard, sizeof heard, MSG_DONTWAIT), -1);
    atomic_store(&shared->roles[0].dies_at_once, false);
    assert_string_equal(next(), "READY=1\nSTATUS=serving, 1 worker");
    end_pool(SIGTERM, 1);
}

#define with_supervisor(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_supervisor(it_is_ready_late_when_not_all_workers_come_up),
        with_supervisor(a_reload_ends_ready_when_the_new_workers_do_not_come_up),
        with_supervisor(it_is_not_ready_before_every_role_is),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
