#include "app/process/attacks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"

enum {
    ATTACKS_MAX_BYTES = 4096,
};

/* An attack returns 0 when it succeeded, else -1 with errno. */

static int open_for(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0 ? 0 : -1;
}

static int read_file(const char *path)
{
    return open_for(path, O_RDONLY);
}

static int write_file(const char *path)
{
    return open_for(path, O_WRONLY | O_CREAT);
}

static int empty_file(const char *path)
{
    return open_for(path, O_RDONLY | O_TRUNC);
}

static int remove_file(const char *path)
{
    return unlink(path);
}

static int rename_file(const char *path)
{
    char to[1024];

    (void)snprintf(to, sizeof to, "%s.renamed", path);
    return rename(path, to);
}

static int make_accessible(const char *path)
{
    return chmod(path, 0666);
}

static int execute(const char *path)
{
    return execl("/bin/mkdir", "mkdir", path, (char *)NULL);
}

static struct sockaddr_in port_of(const char *text)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)strtoul(text, NULL, 10)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

static int connect_out(const char *port)
{
    struct sockaddr_in name = port_of(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&name, sizeof name);
}

static int listen_on(const char *port)
{
    struct sockaddr_in name = port_of(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    return fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0
               ? -1
               : listen(fd, 1);
}

static int connect_to_unix_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&name, sizeof name);
}

/* Sends a datagram to the socket with that path from one that is half of a pair. */
static int send_datagram(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    struct iovec data = {(char[]){"x"}, 1};
    struct msghdr message = {
        .msg_name = &name, .msg_namelen = sizeof name, .msg_iov = &data, .msg_iovlen = 1};
    int pair[2];

    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0)
        return -1;
    return sendmsg(pair[0], &message, 0) == 1 ? 0 : -1;
}

/* "0": the parent of this process; for a worker, the master. */
static pid_t process_of(const char *text)
{
    pid_t pid = (pid_t)strtol(text, NULL, 10);

    return pid != 0 ? pid : getppid();
}

static int signal_process(const char *pid)
{
    return kill(process_of(pid), 0);
}

static int set_owner(const char *pid)
{
    return fcntl(STDERR_FILENO, F_SETOWN, process_of(pid));
}

/* Lets the kernel send a signal that kills, because a byte has come. */
static int signal_by_input(const char *pid)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        fcntl(pair[0], F_SETOWN, process_of(pid)) != 0 ||
        fcntl(pair[0], F_SETSIG, SIGKILL) != 0 || fcntl(pair[0], F_SETFL, O_ASYNC) != 0)
        return -1;
    return write(pair[1], "x", 1) == 1 ? 0 : -1;
}

static int signal_group(const char *pid)
{
    return kill(-process_of(pid), 0);
}

static int limit_another(const char *pid)
{
    const struct rlimit limit = {1000, 1000};

    return prlimit(process_of(pid), RLIMIT_CPU, &limit, NULL);
}

static int trace(const char *pid)
{
    pid_t victim = process_of(pid);

    if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) != 0)
        return -1;
    (void)ptrace(PTRACE_INTERRUPT, victim, NULL, NULL);
    (void)waitpid(victim, NULL, __WALL);
    return (int)ptrace(PTRACE_DETACH, victim, NULL, NULL);
}

static int read_memory(const char *pid)
{
    char here, there;
    const struct iovec to = {&here, 1}, from = {&there, 1};

    /* both have this at the same address, as one was forked from the other */
    return process_vm_readv(process_of(pid), &to, 1, &from, 1, 0) == 1 ? 0 : -1;
}

static int fork_once(const char *unused)
{
    pid_t pid = fork();

    (void)unused;
    if (pid == 0)
        _exit(0);
    return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

static int map_code(const char *unused)
{
    (void)unused;
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0) != MAP_FAILED
               ? 0
               : -1;
}

static const struct {
    const char *name;
    int (*attack)(const char *argument);
} attacks[] = {
    {"read", read_file},
    {"write", write_file},
    {"empty", empty_file},
    {"remove", remove_file},
    {"rename", rename_file},
    {"chmod", make_accessible},
    {"execute", execute},
    {"connect", connect_out},
    {"connect_unix", connect_to_unix_socket},
    {"listen", listen_on},
    {"datagram", send_datagram},
    {"signal", signal_process},
    {"signal_by_input", signal_by_input},
    {"set_owner", set_owner},
    {"signal_group", signal_group},
    {"limit", limit_another},
    {"trace", trace},
    {"read_memory", read_memory},
    {"fork", fork_once},
    {"map_code", map_code},
};

static void carry_out(const char *name, const char *argument)
{
    for (size_t i = 0; i < sizeof attacks / sizeof attacks[0]; i++) {
        if (strcmp(attacks[i].name, name) != 0)
            continue;
        int error = attacks[i].attack(argument) == 0 ? 0 : errno;
        LOG(LEVEL_WARNING, "attack", LOG_TEXT("name", name), LOG_TEXT("argument", argument),
            LOG_NUMBER("errno", error));
        return;
    }
    LOG(LEVEL_ERROR, "attack_unknown", LOG_TEXT("name", name));
}

bool attacks_leave_out_landlock(void)
{
    return getenv("ATTACKS_WITHOUT_LANDLOCK") != NULL;
}

void attacks_run(enum role role)
{
    static const char *const roles[] = {"master", "worker", "writer", "monitor", "single"};
    const char *given = getenv("ATTACKS");
    char text[ATTACKS_MAX_BYTES], *rest = text, *one;

    if (given == NULL || strlen(given) >= sizeof text)
        return;
    (void)snprintf(text, sizeof text, "%s", given);
    while ((one = strsep(&rest, ";")) != NULL) {
        const char *of = strsep(&one, " "), *name = strsep(&one, " ");
        if (name != NULL && strcmp(of, roles[role]) == 0)
            carry_out(name, one != NULL ? one : "");
    }
}
