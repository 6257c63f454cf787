#include "lib/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

/* The path of the socket, in a directory of its own for each test. */
static char path[96], where[104];

static int make_place(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", scratch_directory);
    (void)snprintf(where, sizeof where, "unix:%s", path);
    return 0;
}

static struct listener_made made;

#define NO_GROUP ((gid_t)-1)

/* A file with that mode, and with the group unless it is (gid_t)-1. */
static int must_open(const char *place, mode_t mode, gid_t group)
{
    const struct listener_file file = {.mode = mode, .uid = (uid_t)-1, .gid = group};
    struct problem why = {""};
    int fd = -1;

    if (listener_open(&fd, &made, place, &file, &why) != STATUS_OK)
        fail_msg("%s: %s", place, why.text);
    assert_true(fd >= 0);
    return fd;
}

static void expect_refusal(const char *place, enum status expected, const char *part)
{
    const struct listener_file file = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct problem why = {""};
    int fd = 5;

    assert_int_equal(listener_open(&fd, &made, place, &file, &why), expected);
    assert_string_equal(made.path, "");
    assert_int_equal(fd, -1);
    if (strstr(why.text, part) == NULL)
        fail_msg("'%s' does not say '%s'", why.text, part);
}

static struct sockaddr_un unix_address(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

/* True when a program listens at the path. */
static bool can_connect(void)
{
    struct sockaddr_un address = unix_address();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;

    (void)close(fd);
    return connected;
}

static struct stat stat_path(void)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    return info;
}

static void a_unix_socket_gets_its_mode_whatever_the_umask(void **state)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0777};

    (void)state;
    for (size_t i = 0; i < COUNT(modes); i++) {
        mode_t before = umask(027);
        int fd = must_open(where, modes[i], NO_GROUP);

        assert_int_equal(umask(before), 027);
        assert_true(S_ISSOCK(stat_path().st_mode));
        assert_int_equal(stat_path().st_mode & 07777, modes[i]);
        assert_true(can_connect());
        assert_int_equal(close(fd), 0);
    }
}

static void a_listening_socket_never_blocks_and_is_not_inherited_by_programs(void **state)
{
    int fd = must_open(where, 0600, NO_GROUP);

    (void)state;
    assert_int_equal(accept(fd, NULL, NULL), -1);
    assert_int_equal(errno, EAGAIN);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(close(fd), 0);
}

static void a_unix_socket_gets_its_group(void **state)
{
    const struct group *entry = getgrnam("www-data");

    (void)state;
    if (geteuid() != 0 || entry == NULL)
        skip();
    gid_t wanted = entry->gr_gid;
    int fd = must_open(where, 0660, wanted);
    assert_int_equal(stat_path().st_gid, wanted);
    assert_int_equal(stat_path().st_mode & 07777, 0660);
    assert_int_equal(close(fd), 0);
}

static void an_unknown_group_is_refused(void **state)
{
    (void)state;
    struct problem why = {""};

    assert_int_equal(listener_check(where, "no-such-group", &why), STATUS_CONFIG);
    assert_non_null(strstr(why.text, "there is no group 'no-such-group'"));
}

static void a_socket_that_nobody_serves_is_replaced(void **state)
{
    (void)state;
    assert_int_equal(close(must_open(where, 0600, NO_GROUP)), 0);
    assert_false(can_connect());
    int fd = must_open(where, 0600, NO_GROUP);
    assert_true(can_connect());
    assert_int_equal(close(fd), 0);
}

static void a_socket_that_is_served_is_left_alone(void **state)
{
    int fd = must_open(where, 0600, NO_GROUP);

    (void)state;
    expect_refusal(where, STATUS_CANT_CREATE, "another program is serving");
    assert_true(can_connect());
    assert_int_equal(close(fd), 0);
}

static void a_socket_with_a_full_backlog_is_left_alone(void **state)
{
    struct sockaddr_un address = unix_address();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), first = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(connect(first, (struct sockaddr *)&address, sizeof address), 0);
    expect_refusal(where, STATUS_CANT_CREATE, "another program is serving");
    assert_int_equal(close(fd), 0);
    assert_int_equal(close(first), 0);
}

static void a_socket_of_another_kind_is_left_alone(void **state)
{
    struct sockaddr_un address = unix_address();
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ino_t before = stat_path().st_ino;
    expect_refusal(where, STATUS_CANT_CREATE, "another program");
    assert_int_equal(stat_path().st_ino, before);
    assert_int_equal(close(fd), 0);
}

static void what_is_no_socket_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    expect_refusal(where, STATUS_CANT_CREATE, "is no socket");
    assert_true(S_ISREG(stat_path().st_mode));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refusal(where, STATUS_CANT_CREATE, "is no socket");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    expect_refusal(where, STATUS_CANT_CREATE, "is no socket");
    assert_true(S_ISLNK(stat_path().st_mode));
}

static void paths_must_be_absolute_and_fit(void **state)
{
    char longest[128] = "unix:/";

    (void)state;
    expect_refusal("unix:", STATUS_CONFIG, "begin with /");
    expect_refusal("unix:socket", STATUS_CONFIG, "begin with /");
    memset(longest + 6, 'x', 107);
    longest[6 + 107] = '\0';
    expect_refusal(longest, STATUS_CONFIG, "shorter than 108");
    expect_refusal("unix:/no/such/directory/socket", STATUS_CANT_CREATE,
                   "No such file or directory");
}

static void the_socket_file_is_removed(void **state)
{
    int fd = must_open(where, 0600, NO_GROUP);

    (void)state;
    listener_remove(&made);
    assert_int_equal(access(path, F_OK), -1);
    listener_remove(&made);
    assert_int_equal(close(fd), 0);
}

/* As when another instance has bound there after an operator had removed the file. */
static void a_file_that_another_one_has_made_stays(void **state)
{
    struct listener_made first;

    (void)state;
    int one = must_open(where, 0600, NO_GROUP);
    first = made;
    assert_int_equal(unlink(path), 0);
    int other = must_open(where, 0600, NO_GROUP);
    listener_remove(&first);
    assert_true(can_connect());
    listener_remove(&made);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(close(one), 0);
    assert_int_equal(close(other), 0);
}

/* The user and group of a service, in a directory of its own; false: this is not root. */
static bool give_directory_to(const struct passwd *user)
{
    return geteuid() == 0 && user != NULL &&
           chown(scratch_directory, user->pw_uid, user->pw_gid) == 0;
}

static void root_makes_it_as_the_owner_of_the_directory(void **state)
{
    const struct passwd *user = getpwnam("www-data");
    const struct group *group = getgrnam("daemon");
    struct problem why = {""};
    int fd;

    (void)state;
    if (!give_directory_to(user) || group == NULL)
        skip();
    const struct listener_file file = {0640, user->pw_uid, group->gr_gid};
    assert_int_equal(listener_open(&fd, &made, where, &file, &why), STATUS_OK);
    assert_int_equal(stat_path().st_uid, user->pw_uid);
    assert_int_equal(stat_path().st_gid, group->gr_gid);
    assert_int_equal(stat_path().st_mode & 07777, 0640);
    assert_int_equal(close(fd), 0);
}

static void root_gives_it_away_in_its_own_directory(void **state)
{
    const struct passwd *user = getpwnam("www-data");
    struct problem why = {""};
    int fd;

    (void)state;
    if (geteuid() != 0 || user == NULL)
        skip();
    const struct listener_file file = {0600, user->pw_uid, user->pw_gid};
    assert_int_equal(chmod(scratch_directory, 02755), 0); /* the group is the directory's */
    assert_int_equal(listener_open(&fd, &made, where, &file, &why), STATUS_OK);
    assert_int_equal(stat_path().st_uid, user->pw_uid);
    assert_int_equal(stat_path().st_gid, user->pw_gid);
    assert_int_equal(close(fd), 0);
}

/* Puts a link in the place of the socket again and again. */
static void plant_links(const struct passwd *user, const char *target)
{
    if (setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        _exit(1);
    for (;;) {
        if (unlink(path) == 0 || errno == ENOENT)
            errno = symlink(target, path) == 0 ? 0 : errno;
    }
}

/* When owner, group and mode were changed by name, a file of root was given away in one of
 * some thousand starts. */
static void links_that_are_planted_meanwhile_change_no_file_of_root(void **state)
{
    const struct passwd *user = getpwnam("www-data");
    char outside[] = "/tmp/crmnotes-unit-outside-XXXXXX";
    int target = mkostemp(outside, O_CLOEXEC);
    struct problem why;
    struct stat info;
    int fd, wait_status;

    (void)state;
    assert_true(target >= 0);
    if (!give_directory_to(user))
        skip();
    pid_t child = fork();
    if (child == 0)
        plant_links(user, outside);
    const struct listener_file file = {0666, user->pw_uid, user->pw_gid};
    for (int i = 0; i < 3000; i++)
        if (listener_open(&fd, &made, where, &file, &why) == STATUS_OK)
            (void)close(fd);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    assert_int_equal(fstat(target, &info), 0);
    assert_int_equal(info.st_uid, 0);
    assert_int_equal(info.st_gid, 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(unlink(outside), 0);
    assert_int_equal(close(target), 0);
}

static void tcp_listens_on_loopback_addresses(void **state)
{
    static const char *const places[] = {"127.0.0.1:0", "127.1.2.3:0", "[::1]:0", "::1:0",
                                         "::ffff:127.0.0.1:0"};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        struct sockaddr_storage name;
        socklen_t len = sizeof name;
        int fd = must_open(places[i], 0, NO_GROUP);

        assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
        int client = socket(name.ss_family, SOCK_STREAM, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&name, len), 0);
        assert_int_equal(close(client), 0);
        assert_int_equal(close(fd), 0);
    }
}

static void tcp_is_refused_elsewhere(void **state)
{
    static const char *const places[] = {
        "0.0.0.0:0",   "10.0.0.1:80",     "192.0.2.1:80", "[::]:80",
        "128.0.0.1:0", "[2001:db8::1]:0", "[fe80::1]:80", "::ffff:10.0.0.1:80"};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++)
        expect_refusal(places[i], STATUS_CONFIG, "is no loopback address");
}

static void what_names_no_address_and_port_is_refused(void **state)
{
    static const char *const places[] = {
        "",           "127.0.0.1",        "127.0.0.1:",   ":80",           "localhost:80",
        "127.0.0.1:", "127.0.0.1:65536",  "127.1:80",     "127.0.0.1:80x", "127.0.0.1:-1",
        "[::1:80",    "127.0.0.1: 80",    "127.0.0.1:+1", "*:80",          "[::1%lo]:80",
        "/tmp/x:80",  "UNIX:/tmp/socket", "010.0.0.1:80",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++)
        expect_refusal(places[i], STATUS_CONFIG, "listen must be");
}

static void a_port_in_use_is_refused(void **state)
{
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    char place[32];
    int fd = must_open("127.0.0.1:0", 0, NO_GROUP);

    (void)state;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    (void)snprintf(place, sizeof place, "127.0.0.1:%d", ntohs(name.sin_port));
    expect_refusal(place, STATUS_CANT_CREATE, "Address already in use");
    assert_int_equal(close(fd), 0);
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, make_place, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(a_unix_socket_gets_its_mode_whatever_the_umask),
        in_directory(a_listening_socket_never_blocks_and_is_not_inherited_by_programs),
        in_directory(a_unix_socket_gets_its_group),
        in_directory(an_unknown_group_is_refused),
        in_directory(a_socket_that_nobody_serves_is_replaced),
        in_directory(a_socket_that_is_served_is_left_alone),
        in_directory(a_socket_with_a_full_backlog_is_left_alone),
        in_directory(a_socket_of_another_kind_is_left_alone),
        in_directory(what_is_no_socket_is_left_alone),
        in_directory(paths_must_be_absolute_and_fit),
        in_directory(the_socket_file_is_removed),
        in_directory(a_file_that_another_one_has_made_stays),
        in_directory(root_makes_it_as_the_owner_of_the_directory),
        in_directory(root_gives_it_away_in_its_own_directory),
        in_directory(links_that_are_planted_meanwhile_change_no_file_of_root),
        in_directory(tcp_listens_on_loopback_addresses),
        in_directory(tcp_is_refused_elsewhere),
        in_directory(what_names_no_address_and_port_is_refused),
        in_directory(a_port_in_use_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
