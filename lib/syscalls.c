#include "autoconfig.h"

#include "lib/syscalls.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Memory, clocks, signals to itself, open files, and opening files as Landlock allows. */
static const int always[] = {
    SCMP_SYS(access),
    SCMP_SYS(brk),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fadvise64),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(ftruncate), /* SQLite's -shm; Landlock decides what is open for writing */
    SCMP_SYS(futex),
    SCMP_SYS(getcwd),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrandom),
    SCMP_SYS(getrlimit),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getuid),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(madvise),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev2), /* the log, without waiting for its reader */
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(readv),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    SCMP_SYS(sysinfo),
    SCMP_SYS(time),
    SCMP_SYS(umask),
    SCMP_SYS(uname),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};

static const int serve[] = {
    SCMP_SYS(accept),      SCMP_SYS(accept4),    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(memfd_create),
    SCMP_SYS(pipe2),       SCMP_SYS(pselect6),   SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),     SCMP_SYS(select),     SCMP_SYS(sendmsg),
    SCMP_SYS(shutdown),
};

static const int store[] = {
    SCMP_SYS(fdatasync),
    SCMP_SYS(flock),
    SCMP_SYS(fsync),
    SCMP_SYS(setitimer),
};

static const int own_files[] = {
    SCMP_SYS(fchmod),
    SCMP_SYS(fchown),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
};

static const int syslog_calls[] = {
    SCMP_SYS(connect),
};

static const int supervise[] = {
    SCMP_SYS(fork),
    SCMP_SYS(landlock_add_rule),
    SCMP_SYS(landlock_create_ruleset),
    SCMP_SYS(landlock_restrict_self),
    SCMP_SYS(pipe2),
    SCMP_SYS(seccomp),
    SCMP_SYS(wait4),
    SCMP_SYS(waitid),
};

static const struct {
    unsigned set; /* 0: always */
    const int *calls;
    size_t count;
} sets_of_calls[] = {
    {0, always, COUNT(always)},
    {SYSCALLS_SERVE, serve, COUNT(serve)},
    {SYSCALLS_STORE, store, COUNT(store)},
    {SYSCALLS_OWN_FILES, own_files, COUNT(own_files)},
    {SYSCALLS_SYSLOG, syslog_calls, COUNT(syslog_calls)},
    {SYSCALLS_SUPERVISE, supervise, COUNT(supervise)},
};

/* Calls of which only some arguments are allowed; several rows for a call are
 * alternatives. */
struct condition {
    unsigned set;
    int call;
    struct scmp_arg_cmp compare[2]; /* both have to hold; the second may be left out */
};

/* A bit mask, and a value that must not have any of its bits. */
#define WITHOUT(argument, bits)                                                            \
    {                                                                                      \
        argument, SCMP_CMP_MASKED_EQ, (scmp_datum_t)(bits), 0                              \
    }
#define EQUALS(argument, value)                                                            \
    {                                                                                      \
        argument, SCMP_CMP_EQ, (scmp_datum_t)(value), 0                                    \
    }

enum {
    /* new namespaces, and children that are not this process's own */
    FOREIGN_CHILDREN = CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |
                       CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PARENT |
                       CLONE_PTRACE,
    SOCKET_TYPE = 0xf, /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
};

static const struct condition conditions[] = {
    /* no new code */
    {0, SCMP_SYS(mmap), {WITHOUT(2, PROT_EXEC)}},
    {0, SCMP_SYS(mprotect), {WITHOUT(2, PROT_EXEC)}},
    /* O_RDONLY|O_TRUNC empties a file, which Landlock before version 3 lets pass */
    {0, SCMP_SYS(open), {WITHOUT(1, O_TRUNC)}},
    {0, SCMP_SYS(openat), {WITHOUT(2, O_TRUNC)}},
    /* its own limits, which only the master sets */
    {0, SCMP_SYS(prlimit64), {EQUALS(0, 0), EQUALS(2, 0)}},
    {SYSCALLS_SUPERVISE, SCMP_SYS(prlimit64), {EQUALS(0, 0)}},
    /* Locks and flags of descriptors. F_SETOWN, F_SETSIG and O_ASYNC together send any
     * signal to any process of the user; the kernel does that, so that Landlock sees it
     * from version 6 on only. */
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_DUPFD)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_DUPFD_CLOEXEC)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_GETFD)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_SETFD)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_GETFL)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_SETFL), WITHOUT(2, O_ASYNC)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_GETLK)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_SETLK)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_SETLKW)}},
    {0, SCMP_SYS(fcntl), {EQUALS(1, F_OFD_GETLK)}},
    /* over a connected socket, not to an address */
    {0, SCMP_SYS(sendto), {EQUALS(4, 0)}},
    /* an ordinary file */
    {SYSCALLS_STORE, SCMP_SYS(mknodat), {{2, SCMP_CMP_MASKED_EQ, S_IFMT, S_IFREG}}},
    /* The address of sendmsg cannot be seen here, but sockets for streams take none. */
    {SYSCALLS_SERVE,
     SCMP_SYS(socketpair),
     {EQUALS(0, AF_UNIX), {1, SCMP_CMP_MASKED_EQ, SOCKET_TYPE, SOCK_STREAM}}},
    {SYSCALLS_SERVE,
     SCMP_SYS(setsockopt),
     {EQUALS(1, IPPROTO_TCP), EQUALS(2, TCP_NODELAY)}},
    {SYSCALLS_SUPERVISE, SCMP_SYS(clone), {WITHOUT(0, FOREIGN_CHILDREN)}},
    /* one process, not a group or all */
    {SYSCALLS_SUPERVISE, SCMP_SYS(kill), {WITHOUT(0, 1u << 31)}},
    /* to confine itself further */
    {SYSCALLS_SUPERVISE, SCMP_SYS(prctl), {EQUALS(0, PR_GET_SECCOMP)}},
    {SYSCALLS_SUPERVISE, SCMP_SYS(prctl), {EQUALS(0, PR_SET_SECCOMP)}},
    {SYSCALLS_SUPERVISE, SCMP_SYS(prctl), {EQUALS(0, PR_SET_NO_NEW_PRIVS)}},
    {SYSCALLS_SUPERVISE, SCMP_SYS(prctl), {EQUALS(0, PR_SET_DUMPABLE), EQUALS(1, 0)}},
};

static const int refused[] = {
    SCMP_SYS(bind),      SCMP_SYS(chmod),     SCMP_SYS(chown),     SCMP_SYS(connect),
    SCMP_SYS(creat),     SCMP_SYS(fchmod),    SCMP_SYS(fchmodat),  SCMP_SYS(fchown),
    SCMP_SYS(fchownat),  SCMP_SYS(fork),      SCMP_SYS(ioctl),     SCMP_SYS(kill),
    SCMP_SYS(lchown),    SCMP_SYS(link),      SCMP_SYS(linkat),    SCMP_SYS(listen),
    SCMP_SYS(mkdir),     SCMP_SYS(mkdirat),   SCMP_SYS(mknod),     SCMP_SYS(mknodat),
    SCMP_SYS(rename),    SCMP_SYS(renameat),  SCMP_SYS(renameat2), SCMP_SYS(rmdir),
    SCMP_SYS(setgid),    SCMP_SYS(setgroups), SCMP_SYS(setresgid), SCMP_SYS(setresuid),
    SCMP_SYS(setrlimit), SCMP_SYS(setuid),    SCMP_SYS(symlink),   SCMP_SYS(symlinkat),
    SCMP_SYS(tkill),     SCMP_SYS(truncate),  SCMP_SYS(unlink),    SCMP_SYS(unlinkat),
    SCMP_SYS(vfork),
};

/* The sanitizers execute a symbolizer for a report. */
#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const int deadly[] = {
    SCMP_SYS(add_key),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(finit_module),
    SCMP_SYS(init_module),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(personality),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(pidfd_send_signal),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(ptrace),
    SCMP_SYS(rt_sigqueueinfo),
    SCMP_SYS(rt_tgsigqueueinfo),
    SCMP_SYS(setns),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(userfaultfd),
};

/* LeakSanitizer stops and reads its process from a clone when that ends. */
static const int of_sanitizers[] = {
    SCMP_SYS(clone), SCMP_SYS(getdents),  SCMP_SYS(getdents64), SCMP_SYS(ioctl),
    SCMP_SYS(mmap),  SCMP_SYS(mprotect),  SCMP_SYS(pipe),       SCMP_SYS(pipe2),
    SCMP_SYS(prctl), SCMP_SYS(prlimit64), SCMP_SYS(ptrace),     SCMP_SYS(tgkill),
    SCMP_SYS(wait4),
};

bool syscalls_filterable(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 &&
           seccomp_api_get() >= 2; /* seccomp(2) is there */
}

static bool is_in(int call, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (calls[i] == call)
            return true;
    return false;
}

static bool wanted(unsigned set, unsigned sets)
{
    return set == 0 || (set & sets) != 0;
}

static bool is_allowed(int call, unsigned sets)
{
    for (size_t i = 0; i < COUNT(sets_of_calls); i++)
        if (wanted(sets_of_calls[i].set, sets) &&
            is_in(call, sets_of_calls[i].calls, sets_of_calls[i].count))
            return true;
    return SANITIZED && is_in(call, of_sanitizers, COUNT(of_sanitizers));
}

static bool has_condition(int call, unsigned sets)
{
    for (size_t i = 0; i < COUNT(conditions); i++)
        if (conditions[i].call == call && wanted(conditions[i].set, sets))
            return true;
    return false;
}

static int allow(scmp_filter_ctx filter, unsigned sets)
{
    int error = 0;

    for (size_t i = 0; i < COUNT(sets_of_calls); i++)
        for (size_t j = 0; wanted(sets_of_calls[i].set, sets) && j < sets_of_calls[i].count;
             j++)
            error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, sets_of_calls[i].calls[j], 0);
    for (size_t i = 0; SANITIZED && i < COUNT(of_sanitizers); i++)
        error |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, of_sanitizers[i], 0);
    return error;
}

static int allow_on_condition(scmp_filter_ctx filter, unsigned sets)
{
    int error = 0;

    for (size_t i = 0; i < COUNT(conditions); i++) {
        const struct condition *c = &conditions[i];
        const unsigned count = c->compare[1].op == _SCMP_CMP_MIN ? 1 : 2;

        if (wanted(c->set, sets) && !is_allowed(c->call, sets))
            error |=
                seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, c->call, count, c->compare);
    }
    return error;
}

/* abort(3) and others signal their own process. */
static int allow_signals_to_itself(scmp_filter_ctx filter, unsigned sets)
{
    if (is_allowed(SCMP_SYS(tgkill), sets))
        return 0;
    /* of a child as well, which may abort before it has its own filter */
    if (sets & SYSCALLS_SUPERVISE)
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 0);
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
}

static int allow_syslog(scmp_filter_ctx filter, unsigned sets)
{
    if ((sets & SYSCALLS_SYSLOG) == 0)
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 0);
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                            SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0),
                            SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, SOCK_DGRAM));
}

static int refuse(scmp_filter_ctx filter, unsigned sets)
{
    int error = 0;

    for (size_t i = 0; i < COUNT(refused); i++)
        if (!is_allowed(refused[i], sets) && !has_condition(refused[i], sets))
            error |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    for (size_t i = 0; i < COUNT(deadly); i++)
        if (!is_allowed(deadly[i], sets))
            error |= seccomp_rule_add(
                filter, SANITIZED ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS,
                deadly[i], 0);
    return error;
}

/* Compiles the filter to a binary tree, and makes the kernel's audit log record
 * failures. */
static int tune(scmp_filter_ctx filter)
{
    return seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) |
           seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1) |
           seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
}

static int fill_and_load(scmp_filter_ctx filter, unsigned sets)
{
    int error = tune(filter) | allow(filter, sets) | allow_on_condition(filter, sets) |
                allow_signals_to_itself(filter, sets) | allow_syslog(filter, sets) |
                refuse(filter, sets);

    return error != 0 ? error : seccomp_load(filter);
}

enum status syscalls_enter(unsigned sets, struct problem *why)
{
    if (!syscalls_filterable())
        return STATUS_OK;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int error = filter != NULL ? fill_and_load(filter, sets) : -ENOMEM;
    seccomp_release(filter);
    if (error != 0)
        return problem_set(why, STATUS_INTERNAL,
                           "the filter of system calls cannot be loaded: %s",
                           strerror(-error));
    return STATUS_OK;
}

#else

bool syscalls_filterable(void)
{
    return false;
}

enum status syscalls_enter(unsigned sets, struct problem *why)
{
    (void)sets;
    (void)why;
    return STATUS_OK;
}

#endif
