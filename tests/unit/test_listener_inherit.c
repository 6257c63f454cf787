#include "lib/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

/* A Unix socket that listens, in a directory of its own for each test. */
static int listen_on_path(void)
{
    const struct listener_file file = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct listener_made made;
    struct problem why = {""};
    char where[128];
    int fd;

    (void)snprintf(where, sizeof where, "unix:%s", scratch_path("socket"));
    assert_int_equal(listener_open(&fd, &made, where, &file, &why), STATUS_OK);
    return fd;
}

/* Runs listener_inherit in a process whose descriptors 0 and 3 are these (-1: closed), and
 * answers the descriptor it found, or -1. */
static int inherit(int standard_input, int third, bool listen_fds, const char *sockets)
{
    int wait_status = 0;
    pid_t child = fork();

    if (child == 0) {
        char pid[24];
        int fd = -1;

        int keep_third = third >= 0 ? fcntl(third, F_DUPFD, 50) : -1;
        if (standard_input >= 0)
            (void)dup2(standard_input, STDIN_FILENO);
        else
            (void)close(STDIN_FILENO);
        if (keep_third >= 0)
            (void)dup2(keep_third, 3);
        (void)snprintf(pid, sizeof pid, "%d", (int)getpid() + !listen_fds);
        (void)setenv("LISTEN_PID", pid, 1);
        (void)setenv("LISTEN_FDS", sockets, 1);
        enum status status = listener_inherit(&fd, NULL, NULL);
        bool blocks = status == STATUS_OK && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0;
        _exit(blocks                       ? 99
              : status == STATUS_OK        ? fd
              : status == STATUS_NOT_FOUND ? 98
              : status == STATUS_CONFIG    ? 96
                                           : 97);
    }
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFEXITED(wait_status));
    assert_true(WEXITSTATUS(wait_status) < 97 || WEXITSTATUS(wait_status) == 98);
    return WEXITSTATUS(wait_status) == 98 ? -1 : WEXITSTATUS(wait_status);
}

static int inherit_in_child(int standard_input, int third, bool listen_fds)
{
    return inherit(standard_input, third, listen_fds, "1");
}

static void one_of_several_sockets_is_not_served_alone(void **state)
{
    int listening = listen_on_path();

    (void)state;
    assert_int_equal(inherit(-1, listening, true, "2"), 96);
    assert_int_equal(inherit(listening, listening, false, "2"), 0); /* of another process */
    assert_int_equal(close(listening), 0);
}

/* What a process with two sockets of these names finds: the descriptor, -1 or, for a
 * failure, -2. by_name: by listener_inherit_named. */
static int find_named(int listening, const char *names, const char *name, bool by_name)
{
    int wait_status = 0;
    pid_t child = fork();

    if (child == 0) {
        char pid[24];
        int fd = -1;

        int kept = fcntl(listening, F_DUPFD, 50);
        (void)dup2(kept, 3);
        (void)dup2(kept, 4);
        (void)close(STDIN_FILENO);
        (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
        (void)setenv("LISTEN_PID", pid, 1);
        (void)setenv("LISTEN_FDS", "2", 1);
        (void)setenv("LISTEN_FDNAMES", names, 1);
        enum status status = by_name ? listener_inherit_named(&fd, name, NULL)
                                     : listener_inherit(&fd, name, NULL);
        _exit(status == STATUS_OK || status == STATUS_NOT_FOUND ? fd + 2 : 0);
    }
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status) - 2;
}

static void sockets_are_told_apart_by_their_names(void **state)
{
    static const struct {
        const char *names, *name;
        int named, others;
    } rows[] = {
        {"status:api.socket", "status", 3, 4},     {"api.socket:status", "status", 4, 3},
        {"api.socket:statuses", "status", -1, -2}, /* two others: which one? */
        {"status:status", "status", -2, -1},       {"a:b", "status", -1, -2},
    };
    int listening = listen_on_path();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(find_named(listening, rows[i].names, rows[i].name, true),
                         rows[i].named);
        assert_int_equal(find_named(listening, rows[i].names, rows[i].name, false),
                         rows[i].others);
    }
    assert_int_equal(close(listening), 0);
}

static int listen_on(int family, const char *text)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    bool is_v4 = family == AF_INET;
    int fd = socket(family, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(family, text, is_v4 ? (void *)&v4.sin_addr : &v6.sin6_addr),
                     1);
    if (bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
             is_v4 ? sizeof v4 : sizeof v6) != 0)
        skip(); /* no IPv6 here */
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void a_socket_that_other_machines_reach_is_not_served(void **state)
{
    static const struct {
        int family;
        const char *address;
        int expected;
    } rows[] = {
        {AF_INET, "0.0.0.0", 96}, {AF_INET, "127.0.0.1", 0}, {AF_INET, "127.1.2.3", 0},
        {AF_INET6, "::", 96},     {AF_INET6, "::1", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = listen_on(rows[i].family, rows[i].address);
        assert_int_equal(inherit_in_child(fd, -1, false), rows[i].expected);
        assert_int_equal(close(fd), 0);
    }
}

static void a_socket_is_taken_over_from_whoever_started_us(void **state)
{
    int listening = listen_on_path();
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    int null = open("/dev/null", O_RDWR);

    (void)state;
    assert_int_equal(fcntl(listening, F_SETFL, 0), 0);
    assert_int_equal(inherit_in_child(listening, -1, false), 0);
    assert_int_equal(inherit_in_child(null, listening, true), 3);
    assert_int_equal(inherit_in_child(listening, listening, true), 3);
    assert_int_equal(inherit_in_child(listening, other, true), 0);
    assert_int_equal(inherit_in_child(null, listening, false),
                     -1); /* LISTEN_PID of another */
    assert_int_equal(inherit_in_child(other, -1, false), -1);
    assert_int_equal(inherit_in_child(null, -1, false), -1);
    assert_int_equal(inherit_in_child(-1, -1, false), -1);
    assert_int_equal(close(listening), 0);
    assert_int_equal(close(other), 0);
    assert_int_equal(close(null), 0);
}

#define in_directory(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(a_socket_is_taken_over_from_whoever_started_us),
        in_directory(one_of_several_sockets_is_not_served_alone),
        in_directory(sockets_are_told_apart_by_their_names),
        in_directory(a_socket_that_other_machines_reach_is_not_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
