/*
 * Open-loop load: requests at a constant rate over kept connections, whether the server keeps
 * up or not.
 *
 *     open_load PORT PATH BODIES RATE SECONDS CONNECTIONS [GOOD_MS]
 *
 * Request n is due n / RATE seconds after the beginning, and its latency is counted from then
 * on, as wrk2 does it: the time that it waits here for a connection belongs to it. Requests
 * that were due and still wait here at the end are unsent; the percentiles have them with the
 * time that they have waited until then.
 *
 * BODIES has a body in each line; they are sent in turns. A success is HTTP 200 with a body
 * that ends with GOOD_END; the good ones are those within GOOD_MS (default: any time) from when
 * they were due. Refused are those with HTTP 503 and Retry-After, a part of those that failed.
 * Prints one JSON object. Reads answers as nginx writes them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_A_SECOND UINT64_C(1000000000)
#define GOOD_BEGIN  "HTTP/1.1 200 "
#define GOOD_END    "\"status\":\"success\"}"
#define REFUSED     "HTTP/1.1 503 "
#define LAST_CHUNK  "\r\n0\r\n\r\n"

enum {
    ANSWER_MAX_BYTES = 16 * 1024,
    HEADER_ROOM_BYTES = 1024,
    FAILURE_BYTES = 300, /* of the first one, which is printed */
    EVENTS = 256,
    PATIENCE_SECONDS = 10, /* for answers after the end */
};

struct request {
    size_t len;
    char bytes[];
};

struct connection {
    int fd;
    bool busy;
    uint64_t due_ns; /* of the request in hand */
    size_t len;      /* of what has arrived of its answer */
    char answer[ANSWER_MAX_BYTES];
};

static struct sockaddr_in server;
static int epoll_fd;

static struct request **requests;
static size_t request_count;

static struct connection *connections;
static struct connection **idle; /* a ring with a place for each connection */
static size_t connection_count, idle_first, idle_count;

static uint64_t rate, begin_ns, end_ns;
static uint64_t due_count; /* requests that are due until the end */
static uint64_t sent;

static uint32_t *latencies_us; /* one for each that is due */
static size_t latency_count;
static uint64_t good_ns = UINT64_MAX; /* how late a good answer may be */
static uint64_t succeeded, succeeded_in_time, good, refused, failed;
static char first_failure[FAILURE_BYTES + 1];

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "open_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static _Noreturn void refuse(const char *what, const char *why)
{
    (void)fprintf(stderr, "open_load: %s: %s\n", what, why);
    exit(64);
}

static void *allocate(size_t bytes)
{
    void *room = calloc(1, bytes);

    if (room == NULL)
        die("memory");
    return room;
}

static uint64_t now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_A_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t due_ns(uint64_t number)
{
    return begin_ns + number * NS_A_SECOND / rate;
}

/* ---- Requests ---- */

static struct request *make_request(const char *path, const char *body, size_t len)
{
    struct request *made = allocate(sizeof *made + HEADER_ROOM_BYTES + len);
    int header = snprintf(made->bytes, HEADER_ROOM_BYTES,
                          "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                          path, len);

    if (header < 0 || header >= HEADER_ROOM_BYTES)
        refuse(path, "too long");
    memcpy(made->bytes + header, body, len);
    made->len = (size_t)header + len;
    return made;
}

static void read_requests(const char *path, const char *file_name)
{
    FILE *file = fopen(file_name, "r");
    char *line = NULL;
    size_t room = 0, places = 0;
    ssize_t len;

    if (file == NULL)
        die(file_name);
    while ((len = getline(&line, &room, file)) > 0) {
        if (request_count == places) {
            places = places == 0 ? 1024 : 2 * places;
            requests = reallocarray(requests, places, sizeof *requests);
            if (requests == NULL)
                die("memory");
        }
        requests[request_count++] = make_request(path, line, strcspn(line, "\n"));
    }
    free(line);
    (void)fclose(file);
    if (request_count == 0)
        refuse(file_name, "no bodies");
}

/* ---- Connections ---- */

static void push_idle(struct connection *one)
{
    one->busy = false;
    idle[(idle_first + idle_count++) % connection_count] = one;
}

static struct connection *take_idle(void)
{
    struct connection *one = idle[idle_first];

    idle_first = (idle_first + 1) % connection_count;
    idle_count--;
    return one;
}

static void open_connection(struct connection *one)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = one};
    int yes = 1;

    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (one->fd < 0 || connect(one->fd, (struct sockaddr *)&server, sizeof server) != 0 ||
        setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) != 0 ||
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, one->fd, &event) != 0)
        die("a connection");
}

static void reopen(struct connection *one)
{
    (void)close(one->fd);
    open_connection(one);
}

static void open_all(size_t count)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll");
    connection_count = count;
    connections = allocate(count * sizeof *connections);
    idle = allocate(count * sizeof *idle);
    for (size_t i = 0; i < count; i++) {
        open_connection(&connections[i]);
        push_idle(&connections[i]);
    }
}

/* ---- Answers ---- */

/* Whether all of the answer has arrived; then sets where its body ends, before LAST_CHUNK. */
static bool whole(const struct connection *one, size_t *body_end)
{
    const char *blank = memmem(one->answer, one->len, "\r\n\r\n", 4);

    if (blank == NULL)
        return false;
    size_t header = (size_t)(blank + 2 - one->answer);
    const char *length = memmem(one->answer, header, "\r\nContent-Length: ", 18);
    if (length != NULL) {
        *body_end = header + 2 + strtoul(length + 18, NULL, 10);
        return one->len >= *body_end;
    }
    size_t last = strlen(LAST_CHUNK);
    *body_end = one->len - last;
    return memmem(one->answer, header, "\r\nTransfer-Encoding: chunked\r\n", 30) != NULL &&
           memcmp(one->answer + *body_end, LAST_CHUNK, last) == 0;
}

static bool is_success(const struct connection *one, size_t body_end)
{
    size_t begin = strlen(GOOD_BEGIN), end = strlen(GOOD_END);

    return body_end >= begin + end && memcmp(one->answer, GOOD_BEGIN, begin) == 0 &&
           memcmp(one->answer + body_end - end, GOOD_END, end) == 0;
}

static bool is_refusal(const struct connection *one)
{
    return one->len > strlen(REFUSED) &&
           memcmp(one->answer, REFUSED, strlen(REFUSED)) == 0 &&
           memmem(one->answer, one->len, "\r\nRetry-After: ", 15) != NULL;
}

static void record(uint64_t due, uint64_t end)
{
    latencies_us[latency_count++] = (uint32_t)((end - due) / 1000);
}

static void fail(const char *what, size_t len)
{
    if (failed++ == 0)
        memcpy(first_failure, what, len < FAILURE_BYTES ? len : FAILURE_BYTES);
}

static void lose(struct connection *one)
{
    static const char what[] = "connection lost";

    if (one->busy) {
        record(one->due_ns, now_ns());
        fail(what, sizeof what - 1);
        push_idle(one);
    }
    reopen(one);
}

static void take_answer(struct connection *one, size_t body_end)
{
    uint64_t now = now_ns();

    record(one->due_ns, now);
    if (is_success(one, body_end)) {
        succeeded++;
        succeeded_in_time += now <= end_ns;
        good += now - one->due_ns <= good_ns;
    } else {
        refused += is_refusal(one);
        fail(one->answer, one->len);
    }
    if (memmem(one->answer, one->len, "\r\nConnection: close\r\n", 21) != NULL)
        reopen(one);
    push_idle(one);
}

static void receive(struct connection *one)
{
    size_t room = sizeof one->answer - one->len, body_end;
    ssize_t got = recv(one->fd, one->answer + one->len, room, MSG_DONTWAIT);

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !one->busy) {
        lose(one);
        return;
    }
    one->len += (size_t)got;
    if (whole(one, &body_end))
        take_answer(one, body_end);
}

/* ---- The load ---- */

static void send_next(void)
{
    const struct request *request = requests[sent % request_count];
    struct connection *one = take_idle();

    one->busy = true;
    one->due_ns = due_ns(sent++);
    one->len = 0;
    if (send(one->fd, request->bytes, request->len, MSG_NOSIGNAL) != (ssize_t)request->len)
        lose(one);
}

static bool can_send(void)
{
    return idle_count > 0 && sent < due_count;
}

/* Until the next request is due, if it could be sent then. */
static void wait_and_receive(uint64_t now)
{
    struct epoll_event events[EVENTS];
    uint64_t patience = now < end_ns ? 0 : PATIENCE_SECONDS * NS_A_SECOND;
    uint64_t until = can_send() ? due_ns(sent) : end_ns + patience;
    uint64_t left = until > now ? until - now : 0;
    struct timespec timeout = {(time_t)(left / NS_A_SECOND), (long)(left % NS_A_SECOND)};
    int count = epoll_pwait2(epoll_fd, events, EVENTS, &timeout, NULL);

    if (count < 0 && errno != EINTR)
        die("epoll");
    for (int i = 0; i < count; i++)
        receive(events[i].data.ptr);
}

static void run(uint64_t seconds)
{
    uint64_t now = now_ns();

    due_count = rate * seconds;
    latencies_us = allocate(due_count * sizeof *latencies_us);
    begin_ns = now;
    end_ns = begin_ns + seconds * NS_A_SECOND;
    while (now < end_ns) {
        while (can_send() && due_ns(sent) <= now)
            send_next();
        wait_and_receive(now);
        now = now_ns();
    }
    due_count = sent; /* nothing more is sent */
    while (idle_count < connection_count && now < end_ns + PATIENCE_SECONDS * NS_A_SECOND) {
        wait_and_receive(now);
        now = now_ns();
    }
    for (size_t i = 0; i < connection_count; i++)
        if (connections[i].busy)
            lose(&connections[i]);
    for (uint64_t number = sent; number < rate * seconds; number++)
        record(due_ns(number), end_ns);
}

/* ---- The result ---- */

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static double percentile_ms(unsigned thousandths)
{
    size_t at = latency_count * thousandths / 1000;

    return latencies_us[at < latency_count ? at : latency_count - 1] / 1000.0;
}

static void print(uint64_t seconds)
{
    for (char *at = first_failure; *at != '\0'; at++)
        if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
            *at = '.';
    qsort(latencies_us, latency_count, sizeof *latencies_us, compare);
    (void)printf("{\"seconds\":%ju,\"succeeded\":%ju,\"good\":%ju,\"refused\":%ju,"
                 "\"failed\":%ju,\"first_failure\":\"%s\","
                 "\"offered_per_s\":%ju,\"achieved_per_s\":%.1f,\"unsent\":%ju,"
                 "\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f}\n",
                 (uintmax_t)seconds, (uintmax_t)succeeded, (uintmax_t)good,
                 (uintmax_t)refused, (uintmax_t)failed, first_failure, (uintmax_t)rate,
                 (double)succeeded_in_time / (double)seconds,
                 (uintmax_t)(rate * seconds - sent), percentile_ms(500), percentile_ms(990),
                 percentile_ms(999), percentile_ms(1000));
}

static uint64_t number(const char *text)
{
    char *end;
    unsigned long found = strtoul(text, &end, 10);

    if (found == 0 || *end != '\0' || found > 1000000)
        refuse(text, "no number from 1 to 1000000");
    return found;
}

int main(int argc, char **argv)
{
    if (argc != 7 && argc != 8) {
        (void)fprintf(stderr, "Usage: open_load PORT PATH BODIES RATE SECONDS CONNECTIONS "
                              "[GOOD_MS]\n");
        return 64;
    }
    uint64_t seconds = number(argv[5]);
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)number(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    rate = number(argv[4]);
    if (argc == 8)
        good_ns = number(argv[7]) * NS_A_SECOND / 1000;
    read_requests(argv[2], argv[3]);
    open_all(number(argv[6]));
    run(seconds);
    print(seconds);
    return 0;
}
