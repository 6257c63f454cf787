#include "lib/landlock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

/* Run in a child after it has confined itself; returns 0 or the number of the step that
 * failed. */
static char inside[128], file[160], other[160], fresh[160];

static int prepare(void **state)
{
    if (landlock_version() == 0)
        return 0; /* each test skips itself */
    if (scratch_make(state) != 0)
        return -1;
    (void)snprintf(inside, sizeof inside, "%s", scratch_path("inside"));
    (void)snprintf(file, sizeof file, "%s/file", inside);
    (void)snprintf(fresh, sizeof fresh, "%s/fresh", inside);
    (void)snprintf(other, sizeof other, "%s", scratch_path("other"));
    if (mkdir(inside, 0700) != 0)
        return -1;
    scratch_write("other", "x");
    scratch_write("inside/file", "x");
    return 0;
}

static int clean_up(void **state)
{
    return landlock_version() == 0 ? 0 : scratch_remove(state);
}

static void run(int (*body)(int to_parent))
{
    if (landlock_version() == 0)
        skip();
    struct child child = child_start(body);
    assert_int_equal(child_end(&child), 0);
}

static bool opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);

    if (fd < 0 && errno != EACCES)
        _exit(100 + errno);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool enter(const char *path, unsigned access)
{
    const struct landlock_path paths[] = {{path, access}, {"/no/such/file", LANDLOCK_READ}};

    return landlock_enter(paths, COUNT(paths), false, NULL) == STATUS_OK;
}

static int read_one_file(int to_parent)
{
    (void)to_parent;
    if (!opens(file, O_RDWR) || !opens(other, O_RDWR) || !enter(file, LANDLOCK_READ))
        return 1;
    return !opens(file, O_RDONLY)             ? 2
           : opens(file, O_RDWR)              ? 3
           : opens(other, O_RDONLY)           ? 4
           : opens(inside, O_RDONLY)          ? 5
           : opens(fresh, O_WRONLY | O_CREAT) ? 6
           : unlink(file) == 0                ? 7
           : truncate(file, 0) == 0           ? (landlock_version() < 3 ? 0 : 8)
                                              : 0;
}

static int write_in_a_directory(int to_parent)
{
    (void)to_parent;
    if (!enter(inside, LANDLOCK_WRITE | LANDLOCK_MAKE))
        return 1;
    return !opens(file, O_WRONLY)                ? 2
           : !opens(fresh, O_WRONLY | O_CREAT)   ? 3
           : opens(file, O_RDONLY)               ? 4
           : opens(other, O_WRONLY)              ? 5
           : opens(inside, O_RDONLY)             ? 6
           : unlink(fresh) == 0                  ? 7
           : mkdir(scratch_path("d"), 0700) == 0 ? 8
                                                 : 0;
}

static int list_and_remove(int to_parent)
{
    (void)to_parent;
    if (!enter(inside, LANDLOCK_LIST | LANDLOCK_REMOVE))
        return 1;
    return !opens(inside, O_RDONLY) ? 2
           : unlink(file) != 0      ? 3
           : unlink(other) == 0     ? 4
                                    : 0;
}

static int any_file(int to_parent)
{
    (void)to_parent;
    if (landlock_enter(NULL, 0, true, NULL) != STATUS_OK)
        return 1;
    if (!opens(other, O_RDWR) || !opens(fresh, O_WRONLY | O_CREAT) || unlink(fresh) != 0)
        return 2;
    if (symlink("x", scratch_path("link")) == 0 || mkfifo(scratch_path("fifo"), 0600) == 0)
        return 3;
    (void)execl("/bin/false", "false", (char *)NULL); /* which would not end with 0 */
    return errno == EACCES ? 0 : 4;
}

static int connect_out(int to_parent)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr *address = (const struct sockaddr *)&name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)to_parent;
    if (!enter(inside, 0) || fd < 0)
        return 1;
    if (bind(fd, address, sizeof name) == 0 || errno != EACCES)
        return 2;
    return connect(fd, address, sizeof name) != 0 && errno == EACCES ? 0 : 3;
}

static int signal_the_parent(int to_parent)
{
    (void)to_parent;
    if (kill(getppid(), 0) != 0 || !enter(inside, 0))
        return 1;
    return kill(getppid(), 0) != 0 && errno == EPERM ? 0 : 2;
}

static void only_the_file_that_is_named_can_be_read(void **state)
{
    (void)state;
    run(read_one_file);
}

static void new_files_are_made_only_where_that_is_allowed(void **state)
{
    (void)state;
    run(write_in_a_directory);
}

static void directories_are_listed_and_files_removed_only_where_allowed(void **state)
{
    (void)state;
    run(list_and_remove);
}

static void with_any_file_still_nothing_special_is_made_or_executed(void **state)
{
    (void)state;
    run(any_file);
}

static void no_tcp_port_is_bound_or_connected_to(void **state)
{
    (void)state;
    if (landlock_version() < 4)
        skip();
    run(connect_out);
}

static void processes_outside_get_no_signal(void **state)
{
    (void)state;
    if (landlock_version() < 6)
        skip();
    run(signal_the_parent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_the_file_that_is_named_can_be_read),
        TEST(new_files_are_made_only_where_that_is_allowed),
        TEST(directories_are_listed_and_files_removed_only_where_allowed),
        TEST(with_any_file_still_nothing_special_is_made_or_executed),
        TEST(no_tcp_port_is_bound_or_connected_to),
        TEST(processes_outside_get_no_signal),
    };

    return cmocka_run_group_tests_name("landlock", tests, NULL, NULL);
}
