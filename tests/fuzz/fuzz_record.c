/*
 * FastCGI records: what is made of a connection's bytes does not depend on the pieces in
 * which they arrive, no byte is read that has not arrived, and what is kept of a request is
 * what libfcgi can read.
 */
#include <fastcgi.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <string.h>

#include "lib/fcgi_scan.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static size_t record_bytes(const unsigned char *at)
{
    return FCGI_HEADER_LEN + fcgi_record_content(at) + fcgi_record_padding(at);
}

static bool is_of_request(const unsigned char *record, const unsigned char *first)
{
    return fcgi_record_id(record) == fcgi_record_id(first);
}

/* A whole request without anything between: its beginning, parameters up to an empty record,
 * then the body up to an empty record. */
static void check_complete(const unsigned char *bytes, size_t len)
{
    const unsigned char *at = bytes, *end = bytes + len;
    unsigned wanted = FCGI_BEGIN_REQUEST;

    while (wanted <= FCGI_STDIN) {
        CHECK((size_t)(end - at) >= FCGI_HEADER_LEN && at[0] == 1);
        CHECK(is_of_request(at, bytes) && at[1] == wanted && fcgi_record_padding(at) == 0);
        if (wanted == FCGI_BEGIN_REQUEST)
            wanted = FCGI_PARAMS;
        else if (fcgi_record_content(at) == 0)
            wanted++;
        CHECK(record_bytes(at) <= (size_t)(end - at));
        at += record_bytes(at);
    }
    CHECK(at == end);
}

/* Copies the content of all records of parameters up to the empty one that ends them, and
 * returns how many bytes that is. */
static size_t gather_params(unsigned char *out, const unsigned char *bytes, size_t len)
{
    const unsigned char *at = bytes, *end = bytes + len;
    size_t used = 0, content = 1;

    while (content > 0 && end - at >= FCGI_HEADER_LEN) {
        bool is_params = at[1] == FCGI_PARAMS && is_of_request(at, bytes);
        content = is_params ? (size_t)at[4] << 8 | at[5] : 1;
        if (is_params && content > 0) {
            memcpy(out + used, at + FCGI_HEADER_LEN, content);
            used += content;
        }
        at += content > 0 ? record_bytes(at) : 0;
    }
    CHECK(content == 0);
    return used;
}

/* Adds a length to *sum and returns how many bytes it is written in; 0: it is cut off. */
static size_t read_length(const unsigned char *at, size_t len, size_t *sum)
{
    if (len >= 1 && at[0] < 0x80) {
        *sum += at[0];
        return 1;
    }
    if (len < 4)
        return 0;
    *sum += (size_t)(at[0] & 0x7f) << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    return 4;
}

/* Lengths must agree with the bytes that are there, because libfcgi does not check them. */
static void check_params(const unsigned char *bytes, size_t len)
{
    unsigned char *params = malloc(len);

    CHECK(params != NULL);
    size_t size = gather_params(params, bytes, len), used = 0;
    while (used < size) {
        size_t sum = 0;
        size_t name = read_length(params + used, size - used, &sum);
        size_t value = read_length(params + used + name, size - used - name, &sum);
        CHECK(name > 0 && value > 0 && sum <= size - used - name - value);
        used += name + value + sum;
    }
    free(params);
}

/* The records around an answer of len bytes. */
static void check_output(unsigned id, size_t len)
{
    unsigned char head[FCGI_RECORD_HEADER_BYTES], end[FCGI_RECORD_END_BYTES];
    const unsigned char expected_id[] = {(unsigned char)(id >> 8), (unsigned char)id};

    fcgi_record_stdout(head, id, len);
    CHECK(head[0] == 1 && head[1] == FCGI_STDOUT);
    CHECK(memcmp(head + 2, expected_id, sizeof expected_id) == 0);
    CHECK(record_bytes(head) == sizeof head + len);
    fcgi_record_end(end, id);
    CHECK(end[1] == FCGI_STDOUT && record_bytes(end) == FCGI_HEADER_LEN);
    CHECK(memcmp(end + 2, expected_id, sizeof expected_id) == 0);
    const unsigned char *last = end + FCGI_HEADER_LEN;
    CHECK(last[1] == FCGI_END_REQUEST);
    CHECK(record_bytes(last) == sizeof end - FCGI_HEADER_LEN);
    CHECK(memcmp(last + 2, expected_id, sizeof expected_id) == 0);
}

/* All that was made of the bytes of a connection. */
struct result {
    unsigned char *kept, *replies;      /* of all requests */
    size_t kept_len, replies_len, from; /* from: where the present request begins in kept */
    size_t requests, at;
    struct fcgi_scan scan;
};

static void add(unsigned char *out, size_t *out_len, const unsigned char *bytes, size_t len)
{
    memcpy(out + *out_len, bytes, len);
    *out_len += len;
}

static void take_step(struct result *r, const struct fcgi_scan_step *step,
                      const unsigned char *at, size_t size)
{
    if (step->kind == FCGI_SCAN_HEAD)
        add(r->kept, &r->kept_len, r->scan.head, step->head_len);
    if (step->kind == FCGI_SCAN_CONTENT)
        add(r->kept, &r->kept_len, at, size);
    if (step->kind == FCGI_SCAN_GONE)
        r->kept_len = r->from;
    add(r->replies, &r->replies_len, step->reply, step->reply_len);
}

static void end_request(struct result *r)
{
    check_complete(r->kept + r->from, r->kept_len - r->from);
    check_params(r->kept + r->from, r->kept_len - r->from);
    CHECK(r->scan.left_out == 0 || r->scan.mixed);
    r->from = r->kept_len;
    r->requests++;
    fcgi_scan_next(&r->scan);
    CHECK(fcgi_scan_rests(&r->scan));
}

/* Goes through the bytes as if they came in pieces of that size. */
static void go_through(struct result *r, unsigned char *bytes, size_t size, size_t piece)
{
    struct fcgi_scan_step step;
    size_t arrived = 0;

    ASAN_POISON_MEMORY_REGION(bytes, size + 1);
    while (r->at < size && r->scan.state != FCGI_SCAN_WRONG) {
        if (arrived == r->at) {
            arrived = size - arrived < piece ? size : arrived + piece;
            ASAN_UNPOISON_MEMORY_REGION(bytes, arrived);
        }
        size_t len = arrived - r->at;
        size_t used = fcgi_scan_go_on(&r->scan, bytes + r->at, len, size / 3, &step);
        CHECK(used > 0 && used <= len);
        take_step(r, &step, bytes + r->at, used);
        r->at += used;
        if (r->scan.state == FCGI_SCAN_COMPLETE)
            end_request(r);
    }
    ASAN_UNPOISON_MEMORY_REGION(bytes, size + 1);
}

static struct result *result_of(unsigned char *bytes, size_t size, size_t piece)
{
    struct result *r = calloc(1, sizeof *r);

    CHECK(r != NULL);
    r->kept = malloc(size + 1);
    r->replies = malloc(6 * size + 1); /* 8 bytes can be worth 42 */
    CHECK(r->kept != NULL && r->replies != NULL);
    go_through(r, bytes, size, piece);
    return r;
}

static void free_result(struct result *r)
{
    free(r->kept);
    free(r->replies);
    free(r);
}

static void check_same(const struct result *a, const struct result *b)
{
    CHECK(a->requests == b->requests);
    CHECK(a->at == b->at || a->scan.state == FCGI_SCAN_WRONG); /* known by the first byte */
    CHECK(a->kept_len == b->kept_len && memcmp(a->kept, b->kept, a->kept_len) == 0);
    CHECK(a->replies_len == b->replies_len);
    CHECK(memcmp(a->replies, b->replies, a->replies_len) == 0);
    CHECK(a->scan.state == b->scan.state && a->scan.mixed == b->scan.mixed);
    CHECK(a->scan.body_bytes == b->scan.body_bytes);
    CHECK(a->scan.left_out == b->scan.left_out);
}

/* Whole records of the three kinds that are sent without a request's answer. */
static void check_replies(const unsigned char *at, size_t len)
{
    while (len > 0) {
        CHECK(len >= FCGI_HEADER_LEN && at[0] == 1 && record_bytes(at) <= len);
        CHECK((at[1] == FCGI_END_REQUEST) == (fcgi_record_id(at) != 0));
        CHECK(at[1] == FCGI_END_REQUEST || at[1] == FCGI_GET_VALUES_RESULT ||
              at[1] == FCGI_UNKNOWN_TYPE);
        len -= record_bytes(at);
        at += record_bytes(at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size + 1);

    CHECK(bytes != NULL);
    memcpy(bytes, data, size);
    struct result *whole = result_of(bytes, size, size);
    check_replies(whole->replies, whole->replies_len);
    const size_t pieces[] = {1, 3, 8, 1 + size / 2};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct result *cut = result_of(bytes, size, pieces[i]);
        check_same(whole, cut);
        free_result(cut);
    }
    free_result(whole);
    if (size >= 4)
        check_output((unsigned)bytes[0] << 8 | bytes[1],
                     ((size_t)bytes[2] << 8 | bytes[3]) % (FCGI_RECORD_CONTENT_BYTES + 1));
    free(bytes);
    return 0;
}
