#include "tests/unit/fastcgi_site.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/listener.h"

const struct fastcgi_limits site_limits = {TIMEOUT_MS, TIMEOUT_MS, BODY_MAX_BYTES};
int listening = -1, give = -1, take = -1;
pid_t servers[SERVERS_MAX];
static char directory[64], path[96], where[104];
static int server_count;

/* The value of a parameter, or NULL. */
static const char *param(const struct fastcgi *f, size_t place, const char *name)
{
    size_t len = strlen(name);

    for (const char *const *each = fastcgi_params(f, place); *each != NULL; each++)
        if (strncmp(*each, name, len) == 0 && (*each)[len] == '=')
            return *each + len + 1;
    return NULL;
}

static size_t write_answer(char *out, struct fastcgi *f, size_t place)
{
    static char body[BODY_MAX_BYTES];
    const char *name = param(f, place, "NAME");
    const char *wanted = param(f, place, "ANSWER_BYTES");
    unsigned sum = 0;
    size_t len = 0;

    enum status status = fastcgi_read_body(f, place, body, sizeof body, &len);
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + (unsigned char)body[i];
    size_t size = wanted != NULL ? strtoul(wanted, NULL, 10) : 0;
    int head =
        snprintf(out, ANSWER_MAX_BYTES - 1, "Status: 200\r\n\r\n%s %zu %u %s %d ",
                 status_name(status), len, sum, name != NULL ? name : "-", (int)getpid());
    memset(out + head, 'x', size);
    return (size_t)head + size;
}

/* Requests that were not answered at once. */
static size_t held[FASTCGI_PLACES];
static size_t held_count;
atomic_int *held_by_all;

static void answer_one(struct fastcgi *f, size_t place)
{
    static char text[ANSWER_MAX_BYTES];
    size_t len = write_answer(text, f, place);

    fastcgi_answer(f, place, (struct span){text, len}, "");
}

static void answer_held(struct fastcgi *f)
{
    while (held_count > 0)
        answer_one(f, held[--held_count]);
}

/* A request with the parameter HOLD waits for one with RELEASE, or for USR1. */
static void take_request(struct fastcgi *f, size_t place)
{
    if (param(f, place, "HOLD") != NULL) {
        held[held_count++] = place;
        atomic_fetch_add(held_by_all, 1);
        return;
    }
    if (param(f, place, "RELEASE") != NULL)
        answer_held(f);
    answer_one(f, place);
}

static void refuse_request(struct fastcgi *f, size_t place)
{
    char text[64];
    int len = snprintf(text, sizeof text, "Status: 503\r\n\r\nsurplus %lld %d",
                       (long long)fastcgi_retry_after_s(f), (int)getpid());

    fastcgi_answer(f, place, (struct span){text, (size_t)len}, "");
}

/* Exit status: 0 after TERM, 1 after HUP, more on faults. */
static int serve(struct fastcgi *f)
{
    bool handing_over = false;
    size_t place = 0;

    for (;;) {
        switch (fastcgi_wait(f, -1, &place)) {
        case FASTCGI_REQUEST:
            take_request(f, place);
            break;
        case FASTCGI_SURPLUS:
            refuse_request(f, place);
            break;
        case FASTCGI_NEWS:
        case FASTCGI_WOKEN:
            break;
        case FASTCGI_BROKEN:
            return 2;
        case FASTCGI_DONE:
            return handing_over ? 1 : 0;
        }
        signals_let_in();
        if (signals_take(SIGUSR1))
            answer_held(f);
        if (signals_take(SIGTERM))
            fastcgi_finish(f);
        if (signals_take(SIGHUP)) {
            handing_over = true;
            fastcgi_hand_over(f);
        }
    }
}

/* Closes `ready` when it serves. */
static _Noreturn void be_server(int ready)
{
    const struct fastcgi_descriptors fds = {listening, -1, -1, give, take};
    struct fastcgi *f = NULL;

    if (fastcgi_create(&f, &fds, &site_limits) != STATUS_OK)
        _exit(3);
    (void)close(ready);
    int exit_status = serve(f);
    fastcgi_free(f);
    _exit(exit_status);
}

void start_server(void)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        be_server(ready[1]);
    servers[server_count++] = pid;
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    (void)close(ready[0]);
}

int await_end(int i)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_S * 1000;
    int wait_status = 0;
    pid_t ended;

    while ((ended = waitpid(servers[i], &wait_status, WNOHANG)) == 0) {
        if (clock_monotonic_ms() > until_ms)
            (void)kill(servers[i], SIGKILL);
        (void)poll(NULL, 0, 1);
    }
    assert_int_equal(ended, servers[i]);
    servers[i] = 0;
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

int end_server(int i, int signal_number)
{
    assert_int_equal(kill(servers[i], signal_number), 0);
    return await_end(i);
}

int start_site(void **state)
{
    const struct listener_file file = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
    struct listener_made made;

    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/test_fastcgi.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", directory);
    (void)snprintf(where, sizeof where, "unix:%s", path);
    server_count = 0;
    held_by_all = mmap(NULL, sizeof *held_by_all, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (held_by_all == MAP_FAILED)
        return -1;
    if (listener_open(&listening, &made, where, &file, NULL) != STATUS_OK ||
        fastcgi_handover_pair(&give, &take) != STATUS_OK)
        return -1;
    start_server();
    return 0;
}

int stop_site(void **state)
{
    int failed = 0;

    (void)state;
    for (int i = 0; i < server_count; i++)
        if (servers[i] != 0)
            failed |= end_server(i, SIGTERM);
    (void)close(listening);
    (void)close(give);
    (void)close(take);
    (void)munmap(held_by_all, sizeof *held_by_all);
    (void)unlink(path);
    return rmdir(directory) | failed;
}

int connect_to_server(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval patience = {PATIENCE_S, 0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

int init_signals(void **state)
{
    (void)state;
    signals_init();
    return 0;
}
