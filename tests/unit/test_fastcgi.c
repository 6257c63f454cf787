#include "lib/fastcgi.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/clock.h"
#include "lib/listener.h"
#include "lib/signals.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    BODY_MAX_BYTES = 300 * 1024, /* what the server below takes */
    TIMEOUT_MS = 1500,           /* its patience with peers */
    SLACK_MS = 700,              /* a shared machine may be that slow */
    PATIENCE_S = 20,             /* of this test's own reads */
    ANSWER_MAX_BYTES = 4 << 20,
    SERVERS_MAX = 3,
    PIECE_BYTES = 50000,
};

enum record {
    BEGIN = 1,
    ABORT = 2,
    END = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    GET_VALUES = 9,
    GET_VALUES_RESULT = 10,
    UNKNOWN_TYPE = 11,
};

/* ---- The server: processes that answer what they understood of each request ---- */

static char directory[64], path[96], where[104];
static int listening = -1, give = -1, take = -1;
static pid_t servers[SERVERS_MAX];
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

/* One that has the parameter HOLD waits for one with RELEASE, or for USR1. */
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

static void start_server(void)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const struct fastcgi_descriptors fds = {listening, -1, -1, give, take};
        struct fastcgi *f = NULL;
        if (fastcgi_create(&f, &fds, TIMEOUT_MS, BODY_MAX_BYTES) != STATUS_OK)
            _exit(3);
        int exit_status = serve(f);
        fastcgi_free(f);
        _exit(exit_status);
    }
    servers[server_count++] = pid;
}

/* Sends the signal and answers the exit status. */
static int end_server(int i, int signal_number)
{
    int wait_status = 0;

    assert_int_equal(kill(servers[i], signal_number), 0);
    assert_int_equal(waitpid(servers[i], &wait_status, 0), servers[i]);
    servers[i] = 0;
    assert_true(WIFEXITED(wait_status));
    return WEXITSTATUS(wait_status);
}

static int start(void **state)
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

static int stop(void **state)
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

struct bytes {
    unsigned char data[BODY_MAX_BYTES * 2];
    size_t len;
};

static void put(struct bytes *out, const void *data, size_t len)
{
    assert_true(out->len + len <= sizeof out->data);
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void put_record_of(struct bytes *out, enum record type, int id, const void *content,
                          size_t len, size_t padding)
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

static void put_record(struct bytes *out, enum record type, const void *content, size_t len)
{
    put_record_of(out, type, 1, content, len, 0);
}

static void put_begin(struct bytes *out, bool keep)
{
    const unsigned char body[8] = {0, 1, keep};

    put_record(out, BEGIN, body, sizeof body);
}

/* Both lengths in four bytes, whatever they are: that is allowed. */
static void put_param(struct bytes *out, const char *name, const char *value)
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
        put_record(out, PARAMS, pair->data + at,
                   pair->len - at < 65535 ? pair->len - at : 65535);
    free(pair);
}

/* chunk: bytes of the body in a record. */
static void put_body(struct bytes *out, const char *body, size_t len, size_t chunk)
{
    for (size_t at = 0; at < len; at += chunk)
        put_record(out, STDIN, body + at, len - at < chunk ? len - at : chunk);
    put_record(out, STDIN, "", 0);
}

static void put_params(struct bytes *out, const char *name, size_t content_length)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%zu", content_length);
    put_param(out, "CONTENT_LENGTH", text);
    put_param(out, "NAME", name);
    put_record(out, PARAMS, "", 0);
}

/* A whole request with a short body. */
static struct bytes *request(bool keep, const char *name)
{
    struct bytes *out = calloc(1, sizeof *out);

    assert_non_null(out);
    put_begin(out, keep);
    put_params(out, name, 3);
    put_body(out, "abc", 3, 3);
    return out;
}

static int connect_to_server(void)
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

static void send_bytes(int fd, const void *data, size_t len)
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

static void send_all(int fd, struct bytes *bytes)
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
static int read_record(int fd, unsigned char *content, size_t *len)
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

static char answer[ANSWER_MAX_BYTES];

/* Reads an answer without its header into `answer`. False when the connection ends first. */
static bool read_answer(int fd)
{
    static unsigned char content[65536];
    size_t len = 0, total = 0;
    int type;

    while ((type = read_record(fd, content, &len)) == STDOUT) {
        assert_true(total + len < sizeof answer);
        memcpy(answer + total, content, len);
        total += len;
    }
    answer[total] = '\0';
    if (type != END)
        return false;
    char *body = strstr(answer, "\r\n\r\n");
    assert_non_null(body);
    memmove(answer, body + 4, strlen(body + 4) + 1);
    return true;
}

static void expect_answer(int fd, const char *beginning)
{
    if (!read_answer(fd))
        fail_msg("no answer, but '%s' was expected", beginning);
    if (strncmp(answer, beginning, strlen(beginning)) != 0)
        fail_msg("'%.200s' was answered, not '%s'", answer, beginning);
}

/* The checksum that the server makes of "abc". */
#define ABC "ok 3 96354 "

/* The server closes the connection without a further byte. */
static void expect_end(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);

    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    assert_int_equal(close(fd), 0);
}

/* A request on a connection of its own is answered; returns how long that took. */
static int64_t ask(const char *name)
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
static void ask_on(int fd, const char *name)
{
    char expected[64];

    (void)snprintf(expected, sizeof expected, ABC "%s ", name);
    send_all(fd, request(true, name));
    expect_answer(fd, expected);
}

static int connect_and_keep(void)
{
    int fd = connect_to_server();

    ask_on(fd, "first");
    return fd;
}

/* The process that gave the last answer. */
static pid_t who_answered(void)
{
    int pid = 0;

    assert_int_equal(sscanf(answer, "%*s %*s %*s %*s %d", &pid), 1);
    return pid;
}

/* ---- Whole requests ---- */

static void a_request_is_answered_and_its_connection_closed(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        (void)ask("x");
}

static void a_kept_connection_serves_one_request_after_another(void **state)
{
    char name[16];
    int fd = connect_to_server();

    (void)state;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        ask_on(fd, name);
    }
    send_all(fd, request(false, "last"));
    expect_answer(fd, ABC "last ");
    expect_end(fd);
}

static void a_parameter_may_be_absent_empty_or_long(void **state)
{
    static const size_t lengths[] = {40000, 65000, 70000, 200000};
    static char value[200001], expected[200100];
    int fd = connect_to_server();

    (void)state;
    struct bytes *out = calloc(1, sizeof *out);
    put_begin(out, true);
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    send_all(fd, out);
    expect_answer(fd, "ok 0 0 - ");
    send_all(fd, request(true, ""));
    expect_answer(fd, ABC " ");
    for (size_t i = 0; i < COUNT(lengths); i++) {
        memset(value, 'v', lengths[i]);
        value[lengths[i]] = '\0';
        send_all(fd, request(true, value));
        (void)snprintf(expected, sizeof expected, ABC "%s ", value);
        expect_answer(fd, expected);
    }
    assert_int_equal(close(fd), 0);
}

static void padding_is_skipped(void **state)
{
    static const unsigned char begin[8] = {0, 1, 0};
    int fd = connect_to_server();
    struct bytes *out = calloc(1, sizeof *out);

    (void)state;
    put_record_of(out, BEGIN, 1, begin, sizeof begin, 0);
    put_record_of(out, PARAMS, 1, "", 0, 0);
    put_record_of(out, STDIN, 1, "ab", 2, 6);
    put_record_of(out, STDIN, 1, "c", 1, 255);
    put_record_of(out, STDIN, 1, "", 0, 0);
    send_all(fd, out);
    expect_answer(fd, ABC "- ");
    expect_end(fd);
}

static void any_request_id_is_answered_under_that_id(void **state)
{
    static const int ids[] = {1, 255, 256, 65535};
    static const unsigned char begin[8] = {0, 1, 1};
    int fd = connect_to_server();

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        unsigned char head[8];
        struct bytes *out = calloc(1, sizeof *out);
        put_record_of(out, BEGIN, ids[i], begin, sizeof begin, 0);
        put_record_of(out, PARAMS, ids[i], "", 0, 0);
        put_record_of(out, STDIN, ids[i], "", 0, 0);
        send_all(fd, out);
        assert_int_equal(recv(fd, head, sizeof head, MSG_PEEK | MSG_WAITALL), sizeof head);
        assert_int_equal(head[2] << 8 | head[3], ids[i]);
        expect_answer(fd, "ok 0 0 - ");
    }
    assert_int_equal(close(fd), 0);
}

/* ---- Requests in pieces ---- */

static void a_request_may_come_byte_by_byte(void **state)
{
    struct bytes *out = request(true, "x");
    int fd = connect_to_server();

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < out->len; i++)
            send_bytes(fd, out->data + i, 1);
        expect_answer(fd, ABC "x ");
    }
    free(out);
    assert_int_equal(close(fd), 0);
}

/* A Unix socket takes a few hundred pieces at most until the first is read. */
static void a_body_may_come_as_thousands_of_records_in_pieces_of_their_own(void **state)
{
    enum { PIECES = 3000 };
    int fd = connect_to_server();
    struct bytes *out = calloc(1, sizeof *out);

    (void)state;
    put_begin(out, false);
    put_params(out, "x", PIECES);
    send_all(fd, out);
    for (int i = 0; i <= PIECES; i++) {
        out = calloc(1, sizeof *out);
        put_record(out, STDIN, "", 0);
        if (i < PIECES) {
            out->len = 0;
            put_record(out, STDIN, "b", 1);
        }
        send_all(fd, out);
    }
    expect_answer(fd, "ok 3000 ");
    expect_end(fd);
}

static void parameters_may_come_as_thousands_of_pieces(void **state)
{
    char name[2000], expected[2100];
    int fd = connect_to_server();

    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    (void)snprintf(expected, sizeof expected, ABC "%s ", name);
    struct bytes *out = request(true, name);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < out->len; i++)
            send_bytes(fd, out->data + i, 1);
        expect_answer(fd, expected);
        ask_on(fd, "between");
    }
    free(out);
    assert_int_equal(close(fd), 0);
}

static void bodies_of_all_sizes_arrive_whole(void **state)
{
    static const size_t sizes[] = {0,     1,     8191,   8192,          65535,
                                   65536, 65537, 131072, BODY_MAX_BYTES};
    static char body[BODY_MAX_BYTES];
    char expected[64];
    int fd = connect_to_server();

    (void)state;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 7 % 251);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned sum = 0;
        for (size_t j = 0; j < sizes[i]; j++)
            sum = sum * 31 + (unsigned char)body[j];
        struct bytes *out = calloc(1, sizeof *out);
        put_begin(out, true);
        put_params(out, "x", sizes[i]);
        put_body(out, body, sizes[i], i % 2 == 0 ? 65535 : 1000);
        send_all(fd, out);
        (void)snprintf(expected, sizeof expected, "ok %zu %u x ", sizes[i], sum);
        expect_answer(fd, expected);
    }
    assert_int_equal(close(fd), 0);
}

/* ---- Bodies that are not as they should be ---- */

static void a_body_of_another_length_than_announced_is_invalid(void **state)
{
    static const struct {
        const char *announced, *status;
    } rows[] = {
        {"3", "ok"},       {"", "ok"},
        {"2", "invalid"},  {"4", "invalid"},
        {"0", "invalid"},  {"x", "invalid"},
        {"3x", "invalid"}, {"99999999999999999999", "invalid"},
        {"-3", "invalid"}, {"-18446744073709551613", "invalid"},
    };
    int fd = connect_to_server();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes *out = calloc(1, sizeof *out);
        put_begin(out, true);
        put_param(out, "CONTENT_LENGTH", rows[i].announced);
        put_record(out, PARAMS, "", 0);
        put_body(out, "abc", 3, 1);
        send_all(fd, out);
        if (!read_answer(fd) ||
            strncmp(answer, rows[i].status, strlen(rows[i].status)) != 0)
            fail_msg("'%s': %s", rows[i].announced, answer);
    }
    assert_int_equal(close(fd), 0);
}

static void a_body_that_is_too_large_is_taken_to_its_end(void **state)
{
    static char body[BODY_MAX_BYTES + 1];
    int fd = connect_to_server();
    struct bytes *out = calloc(1, sizeof *out);

    (void)state;
    put_begin(out, true);
    put_params(out, "x", sizeof body);
    put_body(out, body, sizeof body, 65535);
    send_all(fd, out);
    expect_answer(fd, "too_large 307200 ");
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

/* Sends `pieces` records of the body with PIECE_BYTES each. */
static void send_pieces(int fd, int pieces)
{
    static const char piece[PIECE_BYTES];

    for (int i = 0; i < pieces; i++) {
        struct bytes *out = calloc(1, sizeof *out);
        put_record(out, STDIN, piece, sizeof piece);
        send_all(fd, out);
    }
}

static void send_head(int fd, size_t content_length)
{
    struct bytes *out = calloc(1, sizeof *out);

    put_begin(out, true);
    put_params(out, "x", content_length);
    send_all(fd, out);
}

static void send_end_of_body(int fd)
{
    struct bytes *out = calloc(1, sizeof *out);

    put_record(out, STDIN, "", 0);
    send_all(fd, out);
}

static void a_body_much_too_large_is_taken_and_counted(void **state)
{
    static const struct {
        size_t more;
        const char *expected;
    } rows[] = {{0, "too_large 307200 "}, {1, "invalid 307200 "}};
    int fd = connect_to_server();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        send_head(fd, (size_t)300 * PIECE_BYTES + rows[i].more);
        send_pieces(fd, 300);
        send_end_of_body(fd);
        expect_answer(fd, rows[i].expected);
        ask_on(fd, "next");
    }
    assert_int_equal(close(fd), 0);
}

static void records_with_more_padding_than_body_are_given_up(void **state)
{
    int fd = connect_to_server();
    bool taken = true;

    (void)state;
    send_head(fd, 3);
    for (int i = 0; i < 200 && taken; i++) {
        struct bytes *out = calloc(1, sizeof *out);
        for (int j = 0; j < 1000; j++)
            put_record_of(out, STDIN, 1, "x", 1, 255);
        taken = send(fd, out->data, out->len, MSG_NOSIGNAL) == (ssize_t)out->len;
        free(out);
    }
    assert_false(taken);
    assert_int_equal(close(fd), 0);
    (void)ask("next");
}

static void an_aborted_request_is_never_a_whole_one(void **state)
{
    int fd = connect_to_server();
    struct bytes *out = calloc(1, sizeof *out);

    (void)state;
    put_begin(out, false);
    put_param(out, "NAME", "x");
    put_record(out, PARAMS, "", 0);
    put_record(out, STDIN, "abc", 3);
    put_record(out, ABORT, "", 0);
    send_all(fd, out);
    if (read_answer(fd))
        assert_memory_equal(answer, "invalid ", 8);
    assert_int_equal(close(fd), 0);
    (void)ask("next");
}

static void a_peer_that_leaves_in_the_middle_does_no_harm(void **state)
{
    struct bytes *out = request(true, "x");

    (void)state;
    for (size_t cut = 0; cut <= out->len; cut++) {
        int fd = connect_to_server();
        send_bytes(fd, out->data, cut);
        assert_int_equal(close(fd), 0);
    }
    free(out);
    assert_in_range(ask("next"), 0, SLACK_MS);
}

static void a_peer_that_ends_its_side_early_gets_its_answer(void **state)
{
    int fd = connect_to_server();

    (void)state;
    send_all(fd, request(true, "x"));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect_answer(fd, ABC "x ");
    expect_end(fd);
}

/* ---- Peers that are slow ---- */

static void silent_and_half_sent_requests_hold_up_nobody(void **state)
{
    struct bytes *out = request(true, "x");
    int fds[40];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to_server();
        send_bytes(fds[i], out->data, i * (out->len - 1) / COUNT(fds));
    }
    for (int i = 0; i < 5; i++)
        assert_in_range(ask("y"), 0, SLACK_MS);
    for (size_t i = 0; i < COUNT(fds); i++) {
        size_t cut = i * (out->len - 1) / COUNT(fds);
        send_bytes(fds[i], out->data + cut, out->len - cut);
        expect_answer(fds[i], ABC "x ");
        assert_int_equal(close(fds[i]), 0);
    }
    free(out);
}

static void a_request_that_stays_unfinished_is_given_up(void **state)
{
    static const size_t cuts[] = {0, 4, 30};
    struct bytes *out = request(true, "x");

    (void)state;
    for (size_t i = 0; i < COUNT(cuts); i++) {
        int64_t began_ms = clock_monotonic_ms();
        int fd = connect_to_server();
        send_bytes(fd, out->data, cuts[i]);
        expect_end(fd);
        assert_in_range(clock_monotonic_ms() - began_ms, TIMEOUT_MS - SLACK_MS,
                        TIMEOUT_MS * 3 / 2 + SLACK_MS);
    }
    free(out);
}

static void an_idle_kept_connection_is_never_given_up(void **state)
{
    int fd = connect_and_keep();
    struct pollfd end = {.fd = fd, .events = POLLIN};

    (void)state;
    assert_int_equal(poll(&end, 1, TIMEOUT_MS * 2), 0);
    ask_on(fd, "x");
    assert_int_equal(close(fd), 0);
}

static void an_answer_that_is_never_read_holds_up_nobody_and_is_given_up(void **state)
{
    int fd = connect_to_server();
    struct pollfd end = {.fd = fd, .events = POLLRDHUP};
    struct bytes *out = calloc(1, sizeof *out);

    (void)state;
    put_begin(out, true);
    put_param(out, "ANSWER_BYTES", "3000000");
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    send_all(fd, out);
    int64_t began_ms = clock_monotonic_ms();
    assert_in_range(ask("next"), 0, SLACK_MS);
    assert_int_equal(poll(&end, 1, PATIENCE_S * 1000), 1);
    assert_in_range(clock_monotonic_ms() - began_ms, TIMEOUT_MS - SLACK_MS,
                    TIMEOUT_MS + SLACK_MS);
    assert_false(read_answer(fd));
    assert_int_equal(close(fd), 0);
}

static void an_answer_larger_than_the_socket_holds_arrives_whole(void **state)
{
    int fd = connect_to_server();
    struct bytes *out = calloc(1, sizeof *out);

    (void)state;
    put_begin(out, true);
    put_param(out, "ANSWER_BYTES", "3000000");
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    send_all(fd, out);
    expect_answer(fd, "ok 0 0 - ");
    assert_int_equal(strspn(strchr(answer, 'x'), "x"), 3000000);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static void a_peer_that_vanishes_before_its_answer_does_no_harm(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = connect_to_server();
        struct bytes *out = calloc(1, sizeof *out);
        put_begin(out, i % 2 == 0);
        put_param(out, "ANSWER_BYTES", "1000000");
        put_record(out, PARAMS, "", 0);
        put_body(out, "", 0, 1);
        send_all(fd, out);
        assert_int_equal(close(fd), 0);
    }
    assert_in_range(ask("next"), 0, SLACK_MS);
}

/* ---- What is no request ---- */

static void bytes_that_are_no_fastcgi_end_the_connection_at_once(void **state)
{
    static const char *const rows[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\x16\x03\x01\x02garbage garbage",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        "00000000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t began_ms = clock_monotonic_ms();
        int fd = connect_to_server();
        send_bytes(fd, rows[i], strlen(rows[i]));
        char byte;
        assert_true(recv(fd, &byte, 1, 0) <= 0);
        assert_int_equal(close(fd), 0);
        assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
        assert_in_range(ask("next"), 0, SLACK_MS);
    }
}

/* Sends the bytes and expects that others are served at once, whatever becomes of it. */
static void expect_no_hold_up(struct bytes *out, const char *what)
{
    int fd = connect_to_server();

    send_all(fd, out);
    for (int i = 0; i < 2; i++) {
        int64_t took_ms = ask("next");
        if (took_ms > SLACK_MS)
            fail_msg("%s: others waited %d ms", what, (int)took_ms);
    }
    assert_int_equal(close(fd), 0);
}

static struct bytes *no_bytes(void)
{
    struct bytes *out = calloc(1, sizeof *out);

    assert_non_null(out);
    return out;
}

static void records_in_a_wrong_order_hold_up_nobody(void **state)
{
    static const unsigned char zero_role[8] = {0, 0, 1};
    struct bytes *out = no_bytes();

    (void)state;
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "the body's end alone");
    out = no_bytes();
    put_begin(out, true);
    put_body(out, "abc", 3, 3);
    expect_no_hold_up(out, "no parameters");
    out = no_bytes();
    put_record(out, BEGIN, "1234", 4);
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "a short begin");
    out = no_bytes();
    put_record(out, BEGIN, zero_role, sizeof zero_role);
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "a role that does not exist");
    out = no_bytes();
    put_begin(out, true);
    put_record_of(out, PARAMS, 2, "", 0, 0);
    put_record_of(out, STDIN, 2, "", 0, 0);
    expect_no_hold_up(out, "streams of another request");
    out = no_bytes();
    put_begin(out, true);
    put_record(out, PARAMS, "\x7f\x7fxx", 4);
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "parameters that are cut off");
    out = no_bytes();
    put_begin(out, true);
    put_record(out, PARAMS, "\xff\xff\xff\xff\xff\xff\xff\xffxx", 10);
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "parameters of 4 GiB");
    out = no_bytes();
    put_begin(out, true);
    put_begin(out, true);
    put_record(out, PARAMS, "", 0);
    put_body(out, "", 0, 1);
    expect_no_hold_up(out, "two beginnings");
    out = no_bytes();
    put_record(out, 200, "x", 1);
    expect_no_hold_up(out, "an unknown record");
}

static void a_question_for_values_is_answered(void **state)
{
    static const char names[] = "\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS";
    unsigned char content[65536];
    size_t len = 0;
    int fd = connect_to_server();
    struct bytes *out = no_bytes();

    (void)state;
    put_record_of(out, GET_VALUES, 0, names, sizeof names - 1, 0);
    send_all(fd, out);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(read_record(fd, content, &len), GET_VALUES_RESULT);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
    assert_in_range(ask("other"), 0, SLACK_MS);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static struct bytes *request_with(bool keep, const char *name, const char *param)
{
    struct bytes *out = no_bytes();

    put_begin(out, keep);
    put_param(out, param, "1");
    put_params(out, name, 3);
    put_body(out, "abc", 3, 3);
    return out;
}

/* Requests on so many new connections, named h0, h1, …, that the server holds back. */
static void send_held(int *fds, int count, bool keep)
{
    char name[16];

    for (int i = 0; i < count; i++) {
        fds[i] = connect_to_server();
        (void)snprintf(name, sizeof name, "h%d", i);
        send_all(fds[i], request_with(keep, name, "HOLD"));
    }
}

static void expect_held(const int *fds, int count)
{
    char expected[32];

    for (int i = 0; i < count; i++) {
        (void)snprintf(expected, sizeof expected, ABC "h%d ", i);
        expect_answer(fds[i], expected);
    }
}

/* ---- Many connections ---- */

static void new_connections_are_taken_by_a_worker_that_keeps_others(void **state)
{
    int fds[50];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = connect_and_keep();
    for (int i = 0; i < 5; i++)
        assert_in_range(ask("new"), 0, FASTCGI_YIELD_MS + SLACK_MS);
    for (size_t i = 0; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(close(fds[i]), 0);
    }
}

static void a_burst_of_new_connections_waits_once_and_not_one_after_another(void **state)
{
    int kept = connect_and_keep(), fds[60];
    int64_t began_ms = clock_monotonic_ms();

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_to_server();
        send_all(fds[i], request(false, "burst"));
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        expect_answer(fds[i], ABC "burst ");
        expect_end(fds[i]);
    }
    assert_in_range(clock_monotonic_ms() - began_ms, 0, FASTCGI_YIELD_MS + SLACK_MS);
    ask_on(kept, "kept");
    assert_int_equal(close(kept), 0);
}

static void kept_connections_make_room_for_new_ones(void **state)
{
    enum { MANY = FASTCGI_PLACES + 20 };
    int fds[MANY];
    size_t closed = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = connect_and_keep();
        if (i + 1 == FASTCGI_PLACES) /* those that are in use stay */
            for (size_t j = 0; j < 10; j++)
                ask_on(fds[j], "again");
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        struct pollfd end = {.fd = fds[i], .events = POLLIN};
        if (poll(&end, 1, 0) > 0) {
            assert_in_range(i, 10, 10 + MANY - FASTCGI_PLACES - 1);
            closed++;
        } else {
            ask_on(fds[i], "kept");
        }
        assert_int_equal(close(fds[i]), 0);
    }
    assert_int_equal(closed, MANY - FASTCGI_PLACES);
}

static void requests_in_all_places_are_waited_for(void **state)
{
    int fds[FASTCGI_PLACES];
    struct pollfd answered = {.events = POLLIN};

    (void)state;
    send_held(fds, COUNT(fds), true);
    answered.fd = connect_to_server();
    send_all(answered.fd, request(false, "new"));
    assert_int_equal(poll(&answered, 1, 200), 0);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(fds, COUNT(fds));
    expect_answer(answered.fd, ABC "new ");
    expect_end(answered.fd);
    for (size_t i = 0; i < COUNT(fds); i++)
        assert_int_equal(close(fds[i]), 0);
}

static void new_connections_go_to_workers_that_keep_none(void **state)
{
    int kept[2];

    (void)state;
    start_server();
    for (size_t i = 0; i < COUNT(kept); i++) {
        kept[i] = connect_and_keep();
    }
    ask_on(kept[0], "x");
    pid_t first = who_answered();
    ask_on(kept[1], "x");
    assert_int_not_equal(who_answered(), first);
    for (size_t i = 0; i < COUNT(kept); i++)
        assert_int_equal(close(kept[i]), 0);
}

/* Long enough for what has arrived to be taken off the connection. */
static void let_it_stall(void)
{
    (void)poll(NULL, 0, 200);
}

/* ---- Many requests in hand ---- */

static void requests_are_answered_in_any_order(void **state)
{
    enum { COUNT_HELD = 40 };
    int fds[COUNT_HELD];

    (void)state;
    for (int keep = 0; keep <= 1; keep++) {
        send_held(fds, COUNT_HELD, keep);
        for (int i = 0; i < 5; i++)
            (void)ask("between");
        int last = connect_to_server();
        send_all(last, request_with(false, "last", "RELEASE"));
        expect_answer(last, ABC "last ");
        expect_end(last);
        expect_held(fds, COUNT_HELD);
        for (int i = 0; i < COUNT_HELD; i++) {
            if (keep)
                ask_on(fds[i], "again");
            assert_int_equal(close(fds[i]), 0);
        }
    }
}

static void peers_that_leave_while_their_request_is_in_hand_do_no_harm(void **state)
{
    int fds[20];

    (void)state;
    for (int keep = 0; keep <= 1; keep++) {
        send_held(fds, COUNT(fds), keep);
        (void)ask("between");
        for (size_t i = 0; i < COUNT(fds); i++)
            assert_int_equal(close(fds[i]), 0);
        int last = connect_to_server();
        send_all(last, request_with(false, "last", "RELEASE"));
        expect_answer(last, ABC "last ");
        assert_int_equal(close(last), 0);
    }
}

static void requests_in_hand_are_answered_before_the_end(void **state)
{
    int fds[10];

    (void)state;
    send_held(fds, COUNT(fds), true);
    (void)ask("a request later than those");
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    let_it_stall();
    assert_int_equal(waitpid(servers[0], NULL, WNOHANG), 0);
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(fds, COUNT(fds));
    for (size_t i = 0; i < COUNT(fds); i++)
        expect_end(fds[i]);
}

static void
connections_with_a_request_in_hand_are_handed_over_after_its_answer(void **state)
{
    int fds[10];

    (void)state;
    send_held(fds, COUNT(fds), true);
    (void)ask("a request later than those");
    start_server();
    assert_int_equal(kill(servers[0], SIGHUP), 0);
    assert_in_range(ask("meanwhile"), 0, SLACK_MS);
    assert_int_equal(who_answered(), servers[1]);
    assert_int_equal(end_server(0, SIGUSR1), 1);
    expect_held(fds, COUNT(fds));
    for (size_t i = 0; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(who_answered(), servers[1]);
        assert_int_equal(close(fds[i]), 0);
    }
}

/* ---- Ends of workers ---- */

static void all_connections_are_handed_over_half_sent_requests_included(void **state)
{
    struct bytes *half = request(false, "half");
    size_t cut = half->len / 2;
    int fds[30];

    (void)state;
    for (size_t i = 0; i < COUNT(fds); i++)
        fds[i] = connect_and_keep();
    int fresh = connect_to_server();
    send_bytes(fresh, half->data, cut);
    send_bytes(fds[0], half->data, cut);
    (void)ask("a request later than those bytes");
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    send_bytes(fds[0], half->data + cut, half->len - cut);
    expect_answer(fds[0], ABC "half ");
    assert_int_equal(who_answered(), servers[1]);
    expect_end(fds[0]);
    send_bytes(fresh, half->data + cut, half->len - cut);
    expect_answer(fresh, ABC "half ");
    expect_end(fresh);
    for (size_t i = 1; i < COUNT(fds); i++) {
        ask_on(fds[i], "kept");
        assert_int_equal(who_answered(), servers[1]);
        assert_int_equal(close(fds[i]), 0);
    }
    free(half);
}

static void connections_are_handed_over_to_workers_that_have_room(void **state)
{
    int first[FASTCGI_PLACES], second[FASTCGI_PLACES];

    (void)state;
    send_held(first, FASTCGI_PLACES, true);
    let_it_stall();
    start_server();
    send_held(second, FASTCGI_PLACES, true);
    let_it_stall();
    start_server();
    assert_int_equal(kill(servers[0], SIGUSR1), 0);
    expect_held(first, FASTCGI_PLACES);
    assert_int_equal(end_server(0, SIGHUP), 1);
    for (size_t i = 0; i < FASTCGI_PLACES; i++) {
        ask_on(first[i], "handed-over");
        assert_int_equal(who_answered(), servers[2]);
    }
    assert_int_equal(kill(servers[1], SIGUSR1), 0);
    expect_held(second, FASTCGI_PLACES);
    for (size_t i = 0; i < FASTCGI_PLACES; i++) {
        assert_int_equal(close(first[i]), 0);
        assert_int_equal(close(second[i]), 0);
    }
}

static void a_stalled_request_is_handed_over_with_what_was_taken_from_it(void **state)
{
    struct bytes *half = request(true, "half");
    size_t cut = half->len / 2;
    int fd = connect_and_keep();

    (void)state;
    send_bytes(fd, half->data, cut);
    let_it_stall();
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    send_bytes(fd, half->data + cut, half->len - cut);
    expect_answer(fd, ABC "half ");
    assert_int_equal(who_answered(), servers[1]);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
    free(half);
}

static void a_body_much_too_large_is_handed_over(void **state)
{
    int fd = connect_and_keep();

    (void)state;
    send_head(fd, (size_t)200 * PIECE_BYTES);
    send_pieces(fd, 100);
    let_it_stall();
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    send_pieces(fd, 100);
    send_end_of_body(fd);
    expect_answer(fd, "too_large 307200 ");
    assert_int_equal(who_answered(), servers[1]);
    ask_on(fd, "next");
    assert_int_equal(close(fd), 0);
}

static void requests_that_have_begun_are_finished_before_the_end(void **state)
{
    struct bytes *half = request(true, "half");
    size_t cut = half->len / 2;
    int kept = connect_and_keep(), idle = connect_and_keep(), stalled = connect_and_keep();
    int fresh = connect_to_server(), silent = connect_to_server();

    (void)state;
    send_bytes(stalled, half->data, cut);
    let_it_stall();
    send_bytes(kept, half->data, cut);
    send_bytes(fresh, half->data, cut);
    (void)ask("a request later than those bytes");
    assert_int_equal(kill(servers[0], SIGTERM), 0);
    expect_end(idle);
    expect_end(silent);
    const int fds[] = {kept, fresh, stalled};
    for (size_t i = 0; i < COUNT(fds); i++) {
        send_bytes(fds[i], half->data + cut, half->len - cut);
        expect_answer(fds[i], ABC "half ");
        expect_end(fds[i]);
    }
    free(half);
}

static void a_request_that_stays_unfinished_does_not_hold_up_the_end(void **state)
{
    int fd = connect_and_keep();

    (void)state;
    send_bytes(fd, "\1\1\0\1", 4);
    (void)ask("a request later than those bytes");
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(end_server(0, SIGTERM), 0);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, TIMEOUT_MS * 3 / 2 + SLACK_MS);
    expect_end(fd);
}

static void a_handed_over_request_is_given_up_in_time(void **state)
{
    int fd = connect_and_keep();

    (void)state;
    send_bytes(fd, "\1\1\0\1", 4);
    (void)ask("a request later than those bytes");
    start_server();
    assert_int_equal(end_server(0, SIGHUP), 1);
    int64_t began_ms = clock_monotonic_ms();
    expect_end(fd);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, TIMEOUT_MS * 3 / 2 + SLACK_MS);
}

/* Keeps count connections busy without a pause until the server is gone. */
static _Noreturn void be_busy(int count)
{
    int fds[64];
    struct bytes *out = request(true, "busy");

    for (int i = 0; i < count; i++) {
        fds[i] = connect_to_server();
        send_bytes(fds[i], out->data, out->len);
    }
    for (int i = 0;; i = (i + 1) % count) {
        if (!read_answer(fds[i]))
            _exit(0);
        if (send(fds[i], out->data, out->len, MSG_NOSIGNAL) < 0)
            _exit(0);
    }
}

static void a_signal_is_heard_however_busy_the_worker_is(void **state)
{
    pid_t clients[4];
    int wait_status;

    (void)state;
    for (size_t i = 0; i < COUNT(clients); i++) {
        clients[i] = fork();
        if (clients[i] == 0)
            be_busy(10);
    }
    for (int i = 0; i < 100; i++)
        (void)ask("x");
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(end_server(0, SIGTERM), 0);
    assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
    for (size_t i = 0; i < COUNT(clients); i++)
        assert_int_equal(waitpid(clients[i], &wait_status, 0), clients[i]);
}

/* ---- In this process ---- */

static void waiting_ends_when_the_wake_descriptor_does(void **state)
{
    int ends[2];
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    const struct fastcgi_descriptors fds = {listening, ends[0], -1, -1, -1};
    assert_int_equal(fastcgi_create(&f, &fds, TIMEOUT_MS, BODY_MAX_BYTES), STATUS_OK);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(fastcgi_wait(f, -1, &place), FASTCGI_WOKEN);
    fastcgi_free(f);
    assert_int_equal(close(ends[0]), 0);
    fastcgi_free(NULL);
}

/* The end of a server may still have something to say. */
static void forget_signals(void)
{
    signals_let_in();
    signals_forget();
}

static void waiting_ends_when_its_time_is_over(void **state)
{
    static const int waits_ms[] = {0, 1, 100};
    const struct fastcgi_descriptors fds = {listening, -1, -1, -1, -1};
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(fastcgi_create(&f, &fds, TIMEOUT_MS, BODY_MAX_BYTES), STATUS_OK);
    forget_signals();
    for (size_t i = 0; i < COUNT(waits_ms); i++) {
        int64_t began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, waits_ms[i], &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, waits_ms[i],
                        waits_ms[i] + SLACK_MS);
    }
    fastcgi_free(f);
}

static void waiting_ends_once_for_each_piece_of_news(void **state)
{
    int ends[2];
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    const struct fastcgi_descriptors fds = {listening, -1, ends[0], -1, -1};
    assert_int_equal(fastcgi_create(&f, &fds, TIMEOUT_MS, BODY_MAX_BYTES), STATUS_OK);
    forget_signals();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(ends[1], "x", 1), 1);
        int64_t began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, 5000, &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, 0, SLACK_MS);
        began_ms = clock_monotonic_ms();
        assert_int_equal(fastcgi_wait(f, 20, &place), FASTCGI_NEWS);
        assert_in_range(clock_monotonic_ms() - began_ms, 20, 20 + SLACK_MS);
    }
    fastcgi_free(f);
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
}

static void waiting_ends_when_a_signal_comes(void **state)
{
    const struct fastcgi_descriptors fds = {listening, -1, -1, -1, -1};
    struct fastcgi *f = NULL;
    size_t place = 0;

    (void)state;
    assert_int_equal(fastcgi_create(&f, &fds, TIMEOUT_MS, BODY_MAX_BYTES), STATUS_OK);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_false(signals_take(SIGUSR1));
    assert_int_equal(fastcgi_wait(f, -1, &place), FASTCGI_WOKEN);
    assert_true(signals_take(SIGUSR1));
    assert_false(signals_take(SIGUSR1));
    fastcgi_free(f);
}

static int init_signals(void **state)
{
    (void)state;
    signals_init();
    return 0;
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(a_request_is_answered_and_its_connection_closed),
        with_server(a_kept_connection_serves_one_request_after_another),
        with_server(a_parameter_may_be_absent_empty_or_long),
        with_server(padding_is_skipped),
        with_server(any_request_id_is_answered_under_that_id),
        with_server(a_request_may_come_byte_by_byte),
        with_server(a_body_may_come_as_thousands_of_records_in_pieces_of_their_own),
        with_server(parameters_may_come_as_thousands_of_pieces),
        with_server(bodies_of_all_sizes_arrive_whole),
        with_server(a_body_of_another_length_than_announced_is_invalid),
        with_server(a_body_that_is_too_large_is_taken_to_its_end),
        with_server(a_body_much_too_large_is_taken_and_counted),
        with_server(records_with_more_padding_than_body_are_given_up),
        with_server(a_body_much_too_large_is_handed_over),
        with_server(an_aborted_request_is_never_a_whole_one),
        with_server(a_peer_that_leaves_in_the_middle_does_no_harm),
        with_server(a_peer_that_ends_its_side_early_gets_its_answer),
        with_server(silent_and_half_sent_requests_hold_up_nobody),
        with_server(a_request_that_stays_unfinished_is_given_up),
        with_server(an_idle_kept_connection_is_never_given_up),
        with_server(an_answer_that_is_never_read_holds_up_nobody_and_is_given_up),
        with_server(an_answer_larger_than_the_socket_holds_arrives_whole),
        with_server(a_peer_that_vanishes_before_its_answer_does_no_harm),
        with_server(bytes_that_are_no_fastcgi_end_the_connection_at_once),
        with_server(records_in_a_wrong_order_hold_up_nobody),
        with_server(a_question_for_values_is_answered),
        with_server(new_connections_are_taken_by_a_worker_that_keeps_others),
        with_server(a_burst_of_new_connections_waits_once_and_not_one_after_another),
        with_server(kept_connections_make_room_for_new_ones),
        with_server(requests_in_all_places_are_waited_for),
        with_server(new_connections_go_to_workers_that_keep_none),
        with_server(requests_are_answered_in_any_order),
        with_server(peers_that_leave_while_their_request_is_in_hand_do_no_harm),
        with_server(requests_in_hand_are_answered_before_the_end),
        with_server(connections_with_a_request_in_hand_are_handed_over_after_its_answer),
        with_server(connections_are_handed_over_to_workers_that_have_room),
        with_server(all_connections_are_handed_over_half_sent_requests_included),
        with_server(a_stalled_request_is_handed_over_with_what_was_taken_from_it),
        with_server(a_handed_over_request_is_given_up_in_time),
        with_server(requests_that_have_begun_are_finished_before_the_end),
        with_server(a_request_that_stays_unfinished_does_not_hold_up_the_end),
        with_server(a_signal_is_heard_however_busy_the_worker_is),
        with_server(waiting_ends_when_the_wake_descriptor_does),
        with_server(waiting_ends_when_its_time_is_over),
        with_server(waiting_ends_once_for_each_piece_of_news),
        with_server(waiting_ends_when_a_signal_comes),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
