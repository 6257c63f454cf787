#include "tests/unit/fastcgi_site.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/listener.h"

/* ---- The server ---- */

int listening = -1, give = -1, take = -1;
pid_t servers[SERVERS_MAX];
static char directory[64], path[96], where[104];
static int server_count;

static size_t write_answer(char *out, struct fastcgi *f, size_t place)
{
    static char body[BODY_MAX_BYTES];
    const char *name = fastcgi_param(f, place, "NAME");
    const char *wanted = fastcgi_param(f, place, "ANSWER_BYTES");
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
    if (fastcgi_param(f, place, "HOLD") != NULL) {
        held[held_count++] = place;
        return;
    }
    if (fastcgi_param(f, place, "RELEASE") != NULL)
        answer_held(f);
    answer_one(f, place);
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

    if (fastcgi_create(&f, &fds, TIMEOUT_MS, BODY_MAX_BYTES) != STATUS_OK)
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

/* Sends the signal and answers the exit status. */
int end_server(int i, int signal_number)
{
    int wait_status = 0;

    assert_int_equal(kill(servers[i], signal_number), 0);
    assert_int_equal(waitpid(servers[i], &wait_status, 0), servers[i]);
    servers[i] = 0;
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

int start_site(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof directory, "/tmp/test_fastcgi.XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/socket", directory);
    (void)snprintf(where, sizeof where, "unix:%s", path);
    server_count = 0;
    if (listener_open(&listening, where, 0600, NULL, NULL) != STATUS_OK ||
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
    (void)unlink(path);
    return rmdir(directory) | failed;
}

/* ---- The client ---- */

static void put(struct bytes *out, const void *data, size_t len)
{
    assert_true(out->len + len <= sizeof out->data);
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

void put_record_of(struct bytes *out, int type, int id, const void *content, size_t len,
                   size_t padding)
{
    static const char zeros[256];
    const unsigned char head[] = {
        1,
        (unsigned char)type,
        (unsigned char)(id >> 8),
        (unsigned char)id,
        (unsigned char)(len >> 8),
        (unsigned char)len,
        (unsigned char)padding,
        0,
    };

    put(out, head, sizeof head);
    put(out, content, len);
    put(out, zeros, padding);
}

void put_record(struct bytes *out, int type, const void *content, size_t len)
{
    put_record_of(out, type, 1, content, len, 0);
}

void put_begin(struct bytes *out, bool keep)
{
    const unsigned char body[8] = {0, 1, keep};

    put_record(out, FCGI_BEGIN_REQUEST, body, sizeof body);
}

/* Writes both lengths in four bytes, which the specification allows for short ones, too. */
void put_param(struct bytes *out, const char *name, const char *value)
{
    struct bytes *pair = calloc(1, sizeof *pair);
    const char *const texts[] = {name, value};

    assert_non_null(pair);
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t len = strlen(texts[i]);
        const unsigned char length[] = {(unsigned char)(0x80 | len >> 24),
                                        (unsigned char)(len >> 16),
                                        (unsigned char)(len >> 8), (unsigned char)len};
        put(pair, length, sizeof length);
    }
    put(pair, name, strlen(name));
    put(pair, value, strlen(value));
    for (size_t at = 0; at < pair->len; at += 65535)
        put_record(out, FCGI_PARAMS, pair->data + at,
                   pair->len - at < 65535 ? pair->len - at : 65535);
    free(pair);
}

/* chunk: bytes of the body in a record. */
void put_body(struct bytes *out, const char *body, size_t len, size_t chunk)
{
    for (size_t at = 0; at < len; at += chunk)
        put_record(out, FCGI_STDIN, body + at, len - at < chunk ? len - at : chunk);
    put_record(out, FCGI_STDIN, "", 0);
}

void put_params(struct bytes *out, const char *name, size_t content_length)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%zu", content_length);
    put_param(out, "CONTENT_LENGTH", text);
    put_param(out, "NAME", name);
    put_record(out, FCGI_PARAMS, "", 0);
}

/* A whole request with a short body. */
struct bytes *request(bool keep, const char *name)
{
    struct bytes *out = calloc(1, sizeof *out);

    assert_non_null(out);
    put_begin(out, keep);
    put_params(out, name, 3);
    put_body(out, "abc", 3, 3);
    return out;
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

void send_bytes(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0)
            fail_msg("%zu bytes are left to send", len);
        at += sent;
        len -= (size_t)sent;
    }
}

void send_all(int fd, struct bytes *bytes)
{
    send_bytes(fd, bytes->data, bytes->len);
    free(bytes);
}

/* False at the end of the connection. */
static bool read_exactly(int fd, unsigned char *out, size_t len)
{
    while (len > 0) {
        ssize_t got = recv(fd, out, len, 0);
        if (got <= 0)
            return false;
        out += got;
        len -= (size_t)got;
    }
    return true;
}

/* The type of the next record, 0 at the end of the connection. */
int read_record(int fd, unsigned char *content, size_t *len)
{
    static unsigned char padding[256];
    unsigned char head[8];

    if (!read_exactly(fd, head, sizeof head))
        return 0;
    *len = (size_t)head[4] << 8 | head[5];
    if (!read_exactly(fd, content, *len) || !read_exactly(fd, padding, head[6]))
        return 0;
    return head[1];
}

char answer[ANSWER_MAX_BYTES];

/* Reads an answer without its header into `answer`. False when the connection ends first. */
bool read_answer(int fd)
{
    static unsigned char content[65536];
    size_t len = 0, total = 0;
    int type;

    while ((type = read_record(fd, content, &len)) == FCGI_STDOUT) {
        assert_true(total + len < sizeof answer);
        memcpy(answer + total, content, len);
        total += len;
    }
    answer[total] = '\0';
    if (type != FCGI_END_REQUEST)
        return false;
    char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    memmove(answer, body + 4, strlen(body + 4) + 1);
    return true;
}

void expect_answer(int fd, const char *beginning)
{
    if (!read_answer(fd))
        fail_msg("no answer, but '%s' was expected", beginning);
    if (strncmp(answer, beginning, strlen(beginning)) != 0)
        fail_msg("'%.200s' was answered, not '%s'", answer, beginning);
}

/* The server closes the connection without a further byte. */
void expect_end(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);

    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    assert_int_equal(close(fd), 0);
}

/* A request on a connection of its own is answered; returns how long that took. */
int64_t ask(const char *name)
{
    char expected[64];
    int64_t began_ms = clock_monotonic_ms();
    int fd = connect_to_server();

    (void)snprintf(expected, sizeof expected, ABC "%s ", name);
    send_all(fd, request(false, name));
    expect_answer(fd, expected);
    expect_end(fd);
    return clock_monotonic_ms() - began_ms;
}

/* Asks on a connection that is to be kept. */
void ask_on(int fd, const char *name)
{
    char expected[64];

    (void)snprintf(expected, sizeof expected, ABC "%s ", name);
    send_all(fd, request(true, name));
    expect_answer(fd, expected);
}

int connect_and_keep(void)
{
    int fd = connect_to_server();

    ask_on(fd, "first");
    return fd;
}

/* The process that gave the last answer. */
pid_t who_answered(void)
{
    int pid = 0;

    assert_int_equal(sscanf(answer, "%*s %*s %*s %*s %d", &pid), 1);
    return pid;
}

struct bytes *no_bytes(void)
{
    struct bytes *out = calloc(1, sizeof *out);

    assert_non_null(out);
    return out;
}

struct bytes *request_with(bool keep, const char *name, const char *param)
{
    struct bytes *out = no_bytes();

    put_begin(out, keep);
    put_param(out, param, "1");
    put_params(out, name, 3);
    put_body(out, "abc", 3, 3);
    return out;
}

struct bytes *request_for(bool keep, const char *answer_bytes)
{
    struct bytes *out = no_bytes();

    put_begin(out, keep);
    put_param(out, "ANSWER_BYTES", answer_bytes);
    put_record(out, FCGI_PARAMS, "", 0);
    put_body(out, "", 0, 1);
    return out;
}

/* Requests on so many new connections, named h0, h1, …, that the server holds back. */
void send_held(int *fds, int count, bool keep)
{
    char name[16];

    for (int i = 0; i < count; i++) {
        fds[i] = connect_to_server();
        (void)snprintf(name, sizeof name, "h%d", i);
        send_all(fds[i], request_with(keep, name, "HOLD"));
    }
}

void expect_held(const int *fds, int count)
{
    char expected[32];

    for (int i = 0; i < count; i++) {
        (void)snprintf(expected, sizeof expected, ABC "h%d ", i);
        expect_answer(fds[i], expected);
    }
}

/* Long enough for what has arrived to be taken off the connection. */
void let_it_stall(void)
{
    (void)poll(NULL, 0, 200);
}

/* Sends `pieces` records of the body with PIECE_BYTES each. */
void send_pieces(int fd, int pieces)
{
    static const char piece[PIECE_BYTES];

    struct bytes *out = no_bytes();

    put_record(out, FCGI_STDIN, piece, sizeof piece);
    for (int i = 0; i < pieces; i++)
        send_bytes(fd, out->data, out->len);
    free(out);
}

void send_head(int fd, size_t content_length)
{
    struct bytes *out = calloc(1, sizeof *out);

    put_begin(out, true);
    put_params(out, "x", content_length);
    send_all(fd, out);
}

void send_end_of_body(int fd)
{
    struct bytes *out = calloc(1, sizeof *out);

    put_record(out, FCGI_STDIN, "", 0);
    send_all(fd, out);
}

int init_signals(void **state)
{
    (void)state;
    signals_init();
    return 0;
}
