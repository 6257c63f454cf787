/*
 * FastCGI records: the verdict on a prefix of the bytes never contradicts the verdict on a
 * longer one, and no byte is read that has not arrived.
 */
#include <fastcgi.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <string.h>

#include "lib/fcgi_record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* The order in which verdicts may follow each other while bytes arrive; those of 2 are
 * final. */
static int certainty(enum fcgi_record_verdict verdict)
{
    switch (verdict) {
    case FCGI_RECORD_HEAD_MISSING:
        return 0;
    case FCGI_RECORD_BODY_MISSING:
        return 1;
    default:
        return 2;
    }
}

static void check_answer(const unsigned char *bytes, size_t len,
                         enum fcgi_record_verdict verdict)
{
    unsigned char *out = malloc(FCGI_RECORD_ANSWER_BYTES);

    CHECK(out != NULL);
    CHECK(fcgi_record_bytes(bytes) <= len);
    size_t size = fcgi_record_answer(bytes, out);
    CHECK(size >= FCGI_HEADER_LEN && size <= FCGI_RECORD_ANSWER_BYTES);
    CHECK(out[0] == 1 && fcgi_record_bytes(out) == size);
    CHECK(out[2] == bytes[2] && out[3] == bytes[3]);
    CHECK((verdict == FCGI_RECORD_UNKNOWN_ROLE) == (out[1] == FCGI_END_REQUEST));
    free(out);
}

static bool is_of_request(const unsigned char *record, const unsigned char *first)
{
    return record[2] == first[2] && record[3] == first[3];
}

/* A whole request: its beginning, parameters up to an empty record, then the body up to an
 * empty record, of which nothing but the padding may be missing. */
static void check_complete(const unsigned char *bytes, size_t len)
{
    const unsigned char *at = bytes, *end = bytes + len;
    unsigned wanted = FCGI_BEGIN_REQUEST;

    while (wanted <= FCGI_STDIN) {
        CHECK((size_t)(end - at) >= FCGI_HEADER_LEN && at[0] == 1);
        bool is_empty = at[4] == 0 && at[5] == 0;
        if (is_of_request(at, bytes)) {
            CHECK(at[1] == wanted);
            if (wanted == FCGI_BEGIN_REQUEST)
                wanted = FCGI_PARAMS;
            else if (is_empty)
                wanted++;
        }
        at += wanted <= FCGI_STDIN ? fcgi_record_bytes(at) : 0;
    }
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
        at += content > 0 ? fcgi_record_bytes(at) : 0;
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
    CHECK(fcgi_record_bytes(head) == sizeof head + len);
    fcgi_record_end(end, id);
    CHECK(end[1] == FCGI_STDOUT && fcgi_record_bytes(end) == FCGI_HEADER_LEN);
    CHECK(memcmp(end + 2, expected_id, sizeof expected_id) == 0);
    const unsigned char *last = end + FCGI_HEADER_LEN;
    CHECK(last[1] == FCGI_END_REQUEST);
    CHECK(fcgi_record_bytes(last) == sizeof end - FCGI_HEADER_LEN);
    CHECK(memcmp(last + 2, expected_id, sizeof expected_id) == 0);
}

/* A request whose body was shortened gets the same verdict. */
static void check_shortened(const unsigned char *bytes, size_t len,
                            enum fcgi_record_verdict verdict)
{
    unsigned char *copy = malloc(len + 1);
    size_t left_out = 0;

    CHECK(copy != NULL);
    memcpy(copy, bytes, len);
    size_t shorter = fcgi_record_shorten(copy, len, len / 3, &left_out);
    CHECK(shorter + left_out <= len && (left_out == 0) == (shorter == len));
    CHECK(fcgi_record_judge(copy, shorter) == verdict);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *bytes = malloc(size + 1);
    enum fcgi_record_verdict before = FCGI_RECORD_HEAD_MISSING;

    CHECK(bytes != NULL);
    memcpy(bytes, data, size);
    ASAN_POISON_MEMORY_REGION(bytes, size + 1);
    for (size_t len = 0; len <= size; len++) {
        ASAN_UNPOISON_MEMORY_REGION(bytes, len);
        enum fcgi_record_verdict verdict = fcgi_record_judge(bytes, len);
        CHECK(certainty(verdict) >= certainty(before));
        CHECK(certainty(before) < 2 || verdict == before);
        if (verdict == FCGI_RECORD_MANAGEMENT || verdict == FCGI_RECORD_UNKNOWN_ROLE)
            check_answer(bytes, len, verdict);
        if (verdict == FCGI_RECORD_COMPLETE && before != verdict)
            check_complete(bytes, len);
        if (verdict == FCGI_RECORD_BODY_MISSING && before != verdict)
            check_params(bytes, len);
        before = verdict;
    }
    ASAN_UNPOISON_MEMORY_REGION(bytes, size + 1);
    if (before == FCGI_RECORD_BODY_MISSING)
        check_shortened(bytes, size, before);
    if (size >= 4)
        check_output((unsigned)bytes[0] << 8 | bytes[1],
                     ((size_t)bytes[2] << 8 | bytes[3]) % (FCGI_RECORD_CONTENT_BYTES + 1));
    free(bytes);
    return 0;
}
