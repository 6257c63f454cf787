#include "lib/fcgi_record.h"

#include <stdbool.h>
#include <string.h>

enum {
    VERSION = 1,
    HEADER_BYTES = 8,
    BODY_BYTES = 8, /* of begin, end and unknown type */
    ROLE_RESPONDER = 1,
    STATUS_UNKNOWN_ROLE = 3,
};

enum type {
    BEGIN_REQUEST = 1,
    END_REQUEST = 3,
    PARAMS = 4,
    STDIN = 5,
    GET_VALUES = 9,
    GET_VALUES_RESULT = 10,
    UNKNOWN_TYPE = 11,
};

static size_t content_bytes(const unsigned char *bytes)
{
    return (size_t)bytes[4] << 8 | bytes[5];
}

static unsigned request_id(const unsigned char *bytes)
{
    return (unsigned)bytes[2] << 8 | bytes[3];
}

size_t fcgi_record_bytes(const unsigned char *bytes)
{
    return HEADER_BYTES + content_bytes(bytes) + bytes[6];
}

/* The first record, of which all bytes are there. COMPLETE: go on behind it. */
static enum fcgi_record_verdict judge_first(const unsigned char *bytes)
{
    if (request_id(bytes) == 0)
        return FCGI_RECORD_MANAGEMENT;
    if (bytes[1] != BEGIN_REQUEST || content_bytes(bytes) != BODY_BYTES)
        return FCGI_RECORD_WRONG;
    unsigned role = (unsigned)bytes[HEADER_BYTES] << 8 | bytes[HEADER_BYTES + 1];
    return role == ROLE_RESPONDER ? FCGI_RECORD_COMPLETE : FCGI_RECORD_UNKNOWN_ROLE;
}

/* A later record of the request, by its header. */
static enum fcgi_record_verdict judge_next(const unsigned char *bytes, bool params_ended)
{
    bool empty = content_bytes(bytes) == 0;

    if (bytes[1] == PARAMS && !params_ended)
        return empty ? FCGI_RECORD_BODY_MISSING : FCGI_RECORD_HEAD_MISSING;
    if (bytes[1] == STDIN && params_ended)
        return empty ? FCGI_RECORD_COMPLETE : FCGI_RECORD_BODY_MISSING;
    return FCGI_RECORD_WRONG;
}

/* The next record of the request that begins at *at; NULL: no further one is whole. */
static const unsigned char *next_record(const unsigned char **at, size_t *len, unsigned id)
{
    while (*len >= HEADER_BYTES && *len >= fcgi_record_bytes(*at)) {
        const unsigned char *record = *at;

        *at += fcgi_record_bytes(record);
        *len -= fcgi_record_bytes(record);
        if (request_id(record) == id)
            return record;
    }
    return NULL;
}

/* A stream of names and values: two lengths, then as many bytes, and so on. */
struct pairs {
    unsigned char length[4];
    unsigned have, want; /* bytes of the present length; want 0: the first is to come */
    unsigned lengths;    /* how many of the pair's two are known */
    size_t to_skip;      /* bytes of name and value */
};

static void take_length_byte(struct pairs *p, unsigned char byte)
{
    if (p->want == 0)
        p->want = byte & 0x80 ? 4 : 1;
    p->length[p->have++] = byte;
    if (p->have < p->want)
        return;
    p->to_skip += p->want == 1 ? p->length[0]
                               : (size_t)(p->length[0] & 0x7f) << 24 | p->length[1] << 16 |
                                     p->length[2] << 8 | p->length[3];
    p->have = p->want = 0;
    p->lengths++;
}

static void take_params(struct pairs *p, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        size_t step = 1;

        if (p->lengths < 2)
            take_length_byte(p, *bytes);
        else
            p->to_skip -= step = p->to_skip < len ? p->to_skip : len;
        if (p->lengths == 2 && p->to_skip == 0)
            p->lengths = 0;
        bytes += step;
        len -= step;
    }
}

/* Whether each name and value is as long as its length says; all parameters are there.
 * libfcgi believes the lengths, and ends the process when memory does not suffice. */
static bool params_are_in_order(const unsigned char *bytes, size_t len)
{
    const unsigned id = request_id(bytes);
    const unsigned char *record;
    struct pairs pairs = {.want = 0};

    while ((record = next_record(&bytes, &len, id)) != NULL) {
        if (record[1] != PARAMS)
            continue;
        if (content_bytes(record) == 0) /* behind it may stand another request */
            break;
        take_params(&pairs, record + HEADER_BYTES, content_bytes(record));
    }
    return pairs.lengths == 0 && pairs.want == 0;
}

/* Goes over the records; what the parameters hold is not looked at. */
static enum fcgi_record_verdict judge_records(const unsigned char *bytes, size_t len)
{
    enum fcgi_record_verdict verdict = FCGI_RECORD_HEAD_MISSING;
    const unsigned char *first = bytes;

    if (len > 0 && bytes[0] != VERSION)
        return FCGI_RECORD_WRONG;
    while (len >= HEADER_BYTES) {
        size_t size = fcgi_record_bytes(bytes);

        if (bytes[0] != VERSION)
            return FCGI_RECORD_WRONG;
        if (bytes != first && request_id(bytes) == request_id(first)) {
            verdict = judge_next(bytes, verdict == FCGI_RECORD_BODY_MISSING);
            if (verdict == FCGI_RECORD_COMPLETE || verdict == FCGI_RECORD_WRONG)
                return verdict;
        }
        if (len < size)
            return verdict;
        if (bytes == first) {
            enum fcgi_record_verdict found = judge_first(bytes);
            if (found != FCGI_RECORD_COMPLETE)
                return found;
        }
        bytes += size;
        len -= size;
    }
    return verdict;
}

enum fcgi_record_verdict fcgi_record_judge(const unsigned char *bytes, size_t len)
{
    enum fcgi_record_verdict verdict = judge_records(bytes, len);
    bool has_params =
        verdict == FCGI_RECORD_BODY_MISSING || verdict == FCGI_RECORD_COMPLETE;

    return has_params && !params_are_in_order(bytes, len) ? FCGI_RECORD_WRONG : verdict;
}

size_t fcgi_record_shorten(unsigned char *bytes, size_t len, size_t max_bytes,
                           size_t *left_out)
{
    const unsigned id = len >= HEADER_BYTES ? request_id(bytes) : 0;
    size_t in = 0, out = 0, body = 0;

    while (len - in >= HEADER_BYTES && len - in >= fcgi_record_bytes(bytes + in)) {
        const unsigned char *record = bytes + in;
        size_t size = fcgi_record_bytes(record), content = 0;

        if (record[1] == STDIN && request_id(record) == id)
            content = content_bytes(record);
        in += size;
        if (content > 0 && body > max_bytes) {
            *left_out += content;
            continue;
        }
        memmove(bytes + out, record, size);
        out += size;
        body += content;
    }
    memmove(bytes + out, bytes + in, len - in);
    return out + len - in;
}

static size_t write_record(unsigned char *out, enum type type, unsigned id,
                           const void *content, size_t len)
{
    const unsigned char header[HEADER_BYTES] = {
        VERSION, (unsigned char)type, (unsigned char)(id >> 8), (unsigned char)id,
        0,       (unsigned char)len};

    memcpy(out, header, sizeof header);
    memcpy(out + HEADER_BYTES, content, len);
    return HEADER_BYTES + len;
}

/* Of the values a web server may ask for, this one can be told for certain: a connection
 * carries one request at a time. */
static size_t answer_values(const unsigned char *bytes, unsigned char *out)
{
    static const char name[] = "FCGI_MPXS_CONNS";
    static const char value[] = "\x0f\x01"
                                "FCGI_MPXS_CONNS0";
    bool asked =
        memmem(bytes + HEADER_BYTES, content_bytes(bytes), name, sizeof name - 1) != NULL;

    return write_record(out, GET_VALUES_RESULT, 0, value, asked ? sizeof value - 1 : 0);
}

size_t fcgi_record_answer(const unsigned char *bytes,
                          unsigned char out[FCGI_RECORD_ANSWER_BYTES])
{
    const unsigned char unknown_role[BODY_BYTES] = {[4] = STATUS_UNKNOWN_ROLE};
    const unsigned char unknown_type[BODY_BYTES] = {bytes[1]};

    if (request_id(bytes) != 0)
        return write_record(out, END_REQUEST, request_id(bytes), unknown_role, BODY_BYTES);
    if (bytes[1] == GET_VALUES)
        return answer_values(bytes, out);
    return write_record(out, UNKNOWN_TYPE, 0, unknown_type, BODY_BYTES);
}
