#include "lib/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

#include "tests/unit/scratch.h"

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { KILLED = 128 + SIGSYS };

static unsigned sets; /* of the child */

static int run(unsigned with, int (*body)(int to_parent))
{
    if (!syscalls_filterable())
        skip();
    sets = with;
    struct child child = child_start(body);
    return child_end(&child);
}

static void enter(void)
{
    if (syscalls_enter(sets, NULL) != STATUS_OK)
        _exit(99);
}

static bool fails_with(int error, long result)
{
    return result == -1 && errno == error;
}

static int work(int to_parent)
{
    struct timespec now;
    char *memory;

    enter();
    memory = malloc(1 << 20);
    if (memory == NULL || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 1;
    memset(memory, 1, 1 << 20);
    free(memory);
    int fd = open("/dev/null", O_RDWR);
    return fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0 &&
                   write(to_parent, "x", 1) == 1
               ? 0
               : 2;
}

static void memory_clocks_and_files_remain(void **state)
{
    (void)state;
    assert_int_equal(run(0, work), 0);
}

static int call_what_is_new(int to_parent)
{
    (void)to_parent;
    enter();
    return fails_with(ENOSYS, syscall(100000)) &&
                   fails_with(ENOSYS, syscall(SYS_clone3, 0, 0))
               ? 0
               : 1;
}

static void what_is_unknown_looks_like_an_old_kernel(void **state)
{
    (void)state;
    assert_int_equal(run(0, call_what_is_new), 0);
    assert_int_equal(run(SYSCALLS_SUPERVISE, call_what_is_new), 0);
}

static int call_what_is_refused(int to_parent)
{
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/x"};
    const struct sockaddr *address = (const struct sockaddr *)&name;

    enter();
    return !fails_with(EPERM, socket(AF_INET, SOCK_STREAM, 0))            ? 1
           : !fails_with(EPERM, socket(AF_UNIX, SOCK_DGRAM, 0))           ? 2
           : !fails_with(EPERM, connect(to_parent, address, sizeof name)) ? 3
           : !fails_with(EPERM, bind(to_parent, address, sizeof name))    ? 4
           : !fails_with(EPERM, listen(to_parent, 1))                     ? 5
           : !fails_with(EPERM, kill(getppid(), 0))                       ? 6
           : !fails_with(EPERM, fchmod(to_parent, 0600))                  ? 7
           : !fails_with(EPERM, unlink("/no/such/file"))                  ? 8
           : !fails_with(EPERM, rename("/no/such/file", "/no/such/file")) ? 9
           : !fails_with(ENOSYS, open("/dev/null", O_RDONLY | O_TRUNC))   ? 10
           : !SANITIZED && mmap(NULL, 4096, PROT_READ | PROT_EXEC,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED
               ? 11
           : !SANITIZED && !fails_with(ENOSYS, fork()) ? 12
                                                       : 0;
}

static void sockets_children_signals_and_new_code_are_refused(void **state)
{
    (void)state;
    assert_int_equal(run(0, call_what_is_refused), 0);
    assert_int_equal(run(SYSCALLS_SERVE | SYSCALLS_STORE, call_what_is_refused), 0);
}

/* Each would reach another process, over a descriptor that anybody has. */
static int reach_others(int to_parent)
{
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/x"};
    const struct sockaddr *address = (const struct sockaddr *)&name;
    const struct rlimit limit = {1, 1};
    int pair[2];

    enter();
    return !fails_with(ENOSYS, fcntl(to_parent, F_SETOWN, getppid()))                ? 1
           : !fails_with(ENOSYS, fcntl(to_parent, F_SETSIG, SIGKILL))                ? 2
           : !fails_with(ENOSYS, fcntl(to_parent, F_SETFL, O_ASYNC | O_NONBLOCK))    ? 3
           : !fails_with(ENOSYS, fcntl(to_parent, F_SETLEASE, F_WRLCK))              ? 4
           : !SANITIZED && !fails_with(EPERM, ioctl(to_parent, FIOASYNC, &(int){1})) ? 5
           : !fails_with(ENOSYS, socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))           ? 6
           : !fails_with(ENOSYS, socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair))       ? 7
           : !fails_with(ENOSYS, sendto(to_parent, "x", 1, 0, address, sizeof name)) ? 8
           : !SANITIZED && !fails_with(ENOSYS, prlimit(getppid(), RLIMIT_CPU, &limit, NULL))
               ? 9
           : fcntl(to_parent, F_SETFL, O_NONBLOCK) != 0 ? 10
                                                        : 0;
}

static void no_option_of_a_call_reaches_another_process(void **state)
{
    (void)state;
    assert_int_equal(run(0, reach_others), 0);
    assert_int_equal(run(SYSCALLS_SERVE | SYSCALLS_STORE, reach_others), 0);
}

static int use_sockets(int to_parent)
{
    int pair[2];

    (void)to_parent;
    enter();
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0 ? 1
           : send(pair[0], "x", 1, MSG_NOSIGNAL) != 1                    ? 2
           : !fails_with(ENOSYS, setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &(int){4096},
                                            sizeof(int)))
               ? 3
               : 0;
}

static void who_serves_uses_sockets_that_are_connected(void **state)
{
    (void)state;
    assert_int_equal(run(SYSCALLS_SERVE, use_sockets), 0);
    assert_int_equal(run(SYSCALLS_STORE, use_sockets), 1);
}

/* The parent of this process stands for any other. */
static int overstep(int to_parent)
{
    const struct rlimit limit = {1, 1};

    (void)to_parent;
    enter();
    return !fails_with(ENOSYS, kill(-1, 0))                                    ? 1
           : !fails_with(ENOSYS, kill(-2, 0))                                  ? 2
           : kill(getppid(), 0) != 0                                           ? 3
           : !fails_with(ENOSYS, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))           ? 4
           : prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0                           ? 5
           : !fails_with(ENOSYS, prlimit(getppid(), RLIMIT_CPU, &limit, NULL)) ? 6
           : prlimit(0, RLIMIT_CORE, &(const struct rlimit){0, 0}, NULL) != 0  ? 7
                                                                               : 0;
}

static void a_supervisor_signals_single_processes_and_limits_itself(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(run(SYSCALLS_SUPERVISE, overstep), 0);
}

static int execute(int to_parent)
{
    (void)to_parent;
    enter();
    (void)execl("/bin/true", "true", (char *)NULL);
    return 1;
}

static int trace(int to_parent)
{
    (void)to_parent;
    enter();
    (void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    return 1;
}

static void executing_and_tracing_kill(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    assert_int_equal(run(0, execute), KILLED);
    assert_int_equal(run(SYSCALLS_SUPERVISE, execute), KILLED);
    assert_int_equal(run(0, trace), KILLED);
}

static int give_up(int to_parent)
{
    (void)to_parent;
    enter();
    abort();
}

static void who_aborts_ends_by_that_signal(void **state)
{
    (void)state;
    assert_int_equal(run(0, give_up), 128 + SIGABRT);
}

static int lock_a_file(int to_parent)
{
    int fd = open("/dev/null", O_RDWR);

    (void)to_parent;
    enter();
    return flock(fd, LOCK_EX) == 0 && syscall(SYS_fsync, fd) == -1 && errno == EINVAL ? 0
                                                                                      : 1;
}

static void files_are_locked_and_synced_by_who_stores(void **state)
{
    (void)state;
    assert_int_equal(run(SYSCALLS_STORE, lock_a_file), 0);
    assert_int_equal(run(SYSCALLS_SERVE, lock_a_file), 1);
}

static int open_syslog_socket(int to_parent)
{
    (void)to_parent;
    enter();
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0 ? 1
           : socket(AF_UNIX, SOCK_STREAM, 0) >= 0            ? 2
           : socket(AF_INET, SOCK_DGRAM, 0) >= 0             ? 3
                                                             : 0;
}

static void syslog_takes_a_unix_datagram_socket_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(run(SYSCALLS_SYSLOG, open_syslog_socket), 0);
    assert_int_equal(run(SYSCALLS_SERVE, open_syslog_socket), 1);
}

static int fork_and_confine(int to_parent)
{
    int status = 0;

    (void)to_parent;
    enter();
    pid_t pid = fork();
    if (pid == 0) {
        bool confined = syscalls_enter(0, NULL) == STATUS_OK;
        _exit(confined && fails_with(EPERM, kill(getppid(), 0)) ? 0 : 1);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static void a_supervisor_forks_children_that_confine_themselves_further(void **state)
{
    (void)state;
    assert_int_equal(run(SYSCALLS_SUPERVISE, fork_and_confine), 0);
}

static int make_memory_executable(int to_parent)
{
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)to_parent;
    enter();
    return SANITIZED || mprotect(memory, 4096, PROT_READ | PROT_EXEC) != 0 ? 0 : 1;
}

static void memory_that_was_written_to_is_not_executed(void **state)
{
    (void)state;
    assert_int_equal(run(0, make_memory_executable), 0);
}

static bool is_refused(long result)
{
    return result == -1 && (errno == ENOSYS || errno == EPERM);
}

static int lift_limits_and_send_to_an_address(int to_parent)
{
    const struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/x"};
    const struct rlimit none = {0, 0};
    int fds[2];

    (void)to_parent;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0)
        return 1;
    enter();
    return send(fds[0], "x", 1, 0) != 1                                               ? 2
           : !is_refused(sendto(fds[0], "x", 1, 0, (const void *)&name, sizeof name)) ? 3
           : !SANITIZED && !is_refused(prlimit(0, RLIMIT_NOFILE, &none, NULL))        ? 4
                                                                                      : 0;
}

static void limits_stay_and_nothing_is_sent_to_an_address(void **state)
{
    (void)state;
    assert_int_equal(run(0, lift_limits_and_send_to_an_address), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_clocks_and_files_remain),
        cmocka_unit_test(what_is_unknown_looks_like_an_old_kernel),
        cmocka_unit_test(sockets_children_signals_and_new_code_are_refused),
        cmocka_unit_test(no_option_of_a_call_reaches_another_process),
        cmocka_unit_test(who_serves_uses_sockets_that_are_connected),
        cmocka_unit_test(a_supervisor_signals_single_processes_and_limits_itself),
        cmocka_unit_test(executing_and_tracing_kill),
        cmocka_unit_test(who_aborts_ends_by_that_signal),
        cmocka_unit_test(files_are_locked_and_synced_by_who_stores),
        cmocka_unit_test(syslog_takes_a_unix_datagram_socket_and_no_other),
        cmocka_unit_test(a_supervisor_forks_children_that_confine_themselves_further),
        cmocka_unit_test(memory_that_was_written_to_is_not_executed),
        cmocka_unit_test(limits_stay_and_nothing_is_sent_to_an_address),
    };

    return cmocka_run_group_tests_name("syscalls", tests, NULL, NULL);
}
