#include "lib/fcgi_client.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/fcgi_record.h"
#include "lib/listener.h"

enum {
    VERSION = 1,
    BEGIN_REQUEST = 1,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    STDOUT = 6,
    RESPONDER = 1,
    ID = 1,
    REQUEST_BYTES = 1024,
    ANSWER_MAX_BYTES = 16 << 20,
};

/* The bytes of a request. */
struct request {
    unsigned char bytes[REQUEST_BYTES];
    size_t len;
};

/* What has come of the answer. */
struct answer {
    char *text; /* of the records with its output; NULL: nothing has come */
    size_t len;
    bool is_complete;
};

static void put(struct request *r, const void *data, size_t len)
{
    memcpy(r->bytes + r->len, data, len);
    r->len += len;
}

static void put_record(struct request *r, unsigned char type, const void *content,
                       size_t len)
{
    const unsigned char head[FCGI_RECORD_HEADER_BYTES] = {
        VERSION, type, 0, ID, (unsigned char)(len >> 8), (unsigned char)len, 0, 0};

    put(r, head, sizeof head);
    put(r, content, len);
}

/* Both have less than 128 bytes. */
static void put_pair(struct request *pairs, const char *name, const char *value)
{
    const unsigned char lengths[] = {(unsigned char)strlen(name),
                                     (unsigned char)strlen(value)};

    put(pairs, lengths, sizeof lengths);
    put(pairs, name, strlen(name));
    put(pairs, value, strlen(value));
}

static void make_request(struct request *r, const char *path)
{
    static const unsigned char begin[8] = {0, RESPONDER};
    struct request pairs = {.len = 0};

    put_pair(&pairs, "REQUEST_METHOD", "GET");
    put_pair(&pairs, "SCRIPT_NAME", path);
    r->len = 0;
    put_record(r, BEGIN_REQUEST, begin, sizeof begin);
    put_record(r, PARAMS, pairs.bytes, pairs.len);
    put_record(r, PARAMS, "", 0);
    put_record(r, STDIN, "", 0);
}

static enum status complain(struct problem *why, const char *what, const char *where)
{
    enum status status =
        errno == ENOENT || errno == ECONNREFUSED ? STATUS_NOT_FOUND : STATUS_UNAVAILABLE;

    return problem_set(why, status, "cannot %s %s: %s", what, where, strerror(errno));
}

/* A socket on which connecting takes no longer than that, also where the queue of the peer
 * is full. */
static int make_socket(int family, int timeout_ms)
{
    const struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    return fd;
}

static int connect_unix(const char *path, int timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = make_socket(AF_UNIX, timeout_ms);

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = error;
    return -1;
}

/* where: an address in digits and a port. */
static int connect_tcp(const char *where, int timeout_ms)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *colon = strrchr(where, ':');
    char host[64];

    bool in_brackets = where[0] == '[';
    const char *end = in_brackets ? colon - 1 : colon;
    where += in_brackets ? 1 : 0;
    (void)snprintf(host, sizeof host, "%.*s", (int)(end - where), where);
    errno = EINVAL;
    if (getaddrinfo(host, colon + 1, &wanted, &found) != 0)
        return -1;
    int fd = make_socket(found->ai_family, timeout_ms);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        int error = errno;
        (void)close(fd);
        errno = error;
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

/* Waits for the peer. False with errno: it does not come. */
static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd peer = {.fd = fd, .events = events};
    int64_t left_ms = until_ms - clock_monotonic_ms();
    int ready = poll(&peer, 1, left_ms > 0 ? (int)left_ms : 0);

    if (ready == 0)
        errno = ETIMEDOUT;
    return ready > 0;
}

static bool send_all(int fd, const struct request *r, int64_t until_ms)
{
    size_t sent = 0;

    while (sent < r->len) {
        if (!wait_for(fd, POLLOUT, until_ms))
            return false;
        ssize_t n = send(fd, r->bytes + sent, r->len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        sent += n > 0 ? (size_t)n : 0;
    }
    return true;
}

static bool read_all(int fd, void *out, size_t len, int64_t until_ms)
{
    for (size_t got = 0; got < len;) {
        if (!wait_for(fd, POLLIN, until_ms))
            return false;
        ssize_t n = recv(fd, (char *)out + got, len - got, MSG_DONTWAIT);
        if (n == 0)
            errno = ECONNRESET;
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        got += n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* Reads one record; the content of an output is appended. */
static bool read_record(struct answer *a, int fd, int64_t until_ms)
{
    unsigned char head[FCGI_RECORD_HEADER_BYTES];
    char rest[UINT16_MAX + UINT8_MAX];

    if (!read_all(fd, head, sizeof head, until_ms))
        return false;
    size_t content = fcgi_record_content(head);
    if (!read_all(fd, rest, content + fcgi_record_padding(head), until_ms))
        return false;
    a->is_complete = head[1] == END_REQUEST;
    if (head[1] != STDOUT || content == 0)
        return true;
    char *longer =
        a->len + content < ANSWER_MAX_BYTES ? realloc(a->text, a->len + content + 1) : NULL;
    if (longer == NULL) {
        errno = ENOMEM;
        return false;
    }
    memcpy(longer + a->len, rest, content);
    a->text = longer;
    a->len += content;
    a->text[a->len] = '\0';
    return true;
}

/* Divides the answer into its header (RFC 3875 6.2) and its body. */
static enum status take_apart(struct fcgi_document *out, const struct answer *a,
                              const char *where, struct problem *why)
{
    const char *end = a->text != NULL ? strstr(a->text, "\r\n\r\n") : NULL;

    if (end == NULL)
        return problem_set(why, STATUS_UNAVAILABLE,
                           "what answers at %s does not speak FastCGI as crmnotes does",
                           where);
    out->http_status =
        strncmp(a->text, "Status: ", 8) == 0 ? (int)strtol(a->text + 8, NULL, 10) : 200;
    out->len = a->len - (size_t)(end + 4 - a->text);
    out->body = malloc(out->len + 1);
    if (out->body == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    memcpy(out->body, end + 4, out->len + 1);
    return STATUS_OK;
}

enum status fcgi_client_get(struct fcgi_document *out, const char *where, const char *path,
                            int timeout_ms, struct problem *why)
{
    const char *file = listener_path(where);
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    struct answer answer = {.text = NULL};
    struct request request;

    *out = (struct fcgi_document){.body = NULL};
    int fd = file != NULL ? connect_unix(file, timeout_ms) : connect_tcp(where, timeout_ms);
    if (fd < 0)
        return complain(why, "connect to", where);
    make_request(&request, path);
    bool well = send_all(fd, &request, until_ms);
    while (well && !answer.is_complete)
        well = read_record(&answer, fd, until_ms);
    enum status status = well ? take_apart(out, &answer, where, why)
                              : complain(why, "get an answer from", where);
    free(answer.text);
    (void)close(fd);
    return well || status != STATUS_NOT_FOUND ? status : STATUS_UNAVAILABLE;
}
