/* The records and the client of fastcgi_site.h. */
#include "tests/unit/fastcgi_site.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

struct bytes *request(bool keep, const char *name)
{
    struct bytes *out = calloc(1, sizeof *out);

    assert_non_null(out);
    put_begin(out, keep);
    put_params(out, name, 3);
    put_body(out, "abc", 3, 3);
    return out;
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

void expect_end(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);

    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    assert_int_equal(close(fd), 0);
}

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

void send_held(int *fds, int count, bool keep)
{
    const int before = atomic_load(held_by_all);
    char name[16];

    for (int i = 0; i < count; i++) {
        fds[i] = connect_to_server();
        (void)snprintf(name, sizeof name, "h%d", i);
        send_all(fds[i], request_with(keep, name, "HOLD"));
    }
    wait_for(held_by_all, before + count, "requests that are held");
}

void expect_held(const int *fds, int count)
{
    char expected[32];

    for (int i = 0; i < count; i++) {
        (void)snprintf(expected, sizeof expected, ABC "h%d ", i);
        expect_answer(fds[i], expected);
    }
}

void let_it_stall(void)
{
    (void)poll(NULL, 0, 200);
}

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
