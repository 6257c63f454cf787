#include "lib/fcgi_record.h"

#include <fastcgi.h>
#include <stdbool.h>
#include <string.h>

enum {
    BODY_BYTES = sizeof(FCGI_EndRequestBody), /* of begin, end and unknown type alike */
};
_Static_assert(sizeof(FCGI_BeginRequestBody) == BODY_BYTES, "FastCGI 1.0, section 5.1");
_Static_assert(sizeof(FCGI_UnknownTypeBody) == BODY_BYTES, "FastCGI 1.0, section 4.2");
_Static_assert(FCGI_RECORD_HEADER_BYTES == FCGI_HEADER_LEN &&
                   FCGI_RECORD_END_BYTES == 2 * FCGI_HEADER_LEN + BODY_BYTES &&
                   FCGI_RECORD_CONTENT_BYTES <= FCGI_MAX_LENGTH,
               "FastCGI 1.0, section 3.3");

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
    return FCGI_HEADER_LEN + content_bytes(bytes) + bytes[6];
}

/* Judges the first record, of which all bytes are there. COMPLETE: it begins a request that
 * this service answers, and the records behind it decide. */
static enum fcgi_record_verdict judge_first(const unsigned char *bytes)
{
    if (request_id(bytes) == 0)
        return FCGI_RECORD_MANAGEMENT;
    if (bytes[1] != FCGI_BEGIN_REQUEST || content_bytes(bytes) != BODY_BYTES)
        return FCGI_RECORD_WRONG;
    unsigned role = (unsigned)bytes[FCGI_HEADER_LEN] << 8 | bytes[FCGI_HEADER_LEN + 1];
    return role == FCGI_RESPONDER ? FCGI_RECORD_COMPLETE : FCGI_RECORD_UNKNOWN_ROLE;
}

/* Judges a later record of the request by its header. */
static enum fcgi_record_verdict judge_next(const unsigned char *bytes, bool params_ended)
{
    bool empty = content_bytes(bytes) == 0;

    if (bytes[1] == FCGI_PARAMS && !params_ended)
        return empty ? FCGI_RECORD_BODY_MISSING : FCGI_RECORD_HEAD_MISSING;
    if (bytes[1] == FCGI_STDIN && params_ended)
        return empty ? FCGI_RECORD_COMPLETE : FCGI_RECORD_BODY_MISSING;
    return FCGI_RECORD_WRONG;
}

/* Returns the next whole record of request `id` from *at on, and moves *at behind it; NULL
 * when there is none. */
static const unsigned char *next_record(const unsigned char **at, size_t *len, unsigned id)
{
    while (*len >= FCGI_HEADER_LEN && *len >= fcgi_record_bytes(*at)) {
        const unsigned char *record = *at;

        *at += fcgi_record_bytes(record);
        *len -= fcgi_record_bytes(record);
        if (request_id(record) == id)
            return record;
    }
    return NULL;
}

/* The state of reading a stream of name-value pairs: two lengths, then as many bytes, and
 * so on (specification, section 3.4). */
struct pairs {
    unsigned char length[4];
    unsigned have, want; /* bytes of the present length; want 0: its first byte is next */
    unsigned lengths;    /* how many of the pair's two lengths are known */
    size_t to_skip;      /* bytes of name and value that are still to come */
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

/* True when each name and value is as long as its length says; all parameters are there.
 * libfcgi allocates what a length says, and ends the process when that fails. */
static bool params_are_in_order(const unsigned char *bytes, size_t len)
{
    const unsigned id = request_id(bytes);
    const unsigned char *record;
    struct pairs pairs = {.want = 0};

    while ((record = next_record(&bytes, &len, id)) != NULL) {
        if (record[1] != FCGI_PARAMS)
            continue;
        if (content_bytes(record) == 0) /* the end; what follows may be another request */
            break;
        take_params(&pairs, record + FCGI_HEADER_LEN, content_bytes(record));
    }
    return pairs.lengths == 0 && pairs.want == 0;
}

/* Judges the order and types of the records, not the contents of the parameters. */
static enum fcgi_record_verdict judge_records(const unsigned char *bytes, size_t len)
{
    enum fcgi_record_verdict verdict = FCGI_RECORD_HEAD_MISSING;
    const unsigned char *first = bytes;

    if (len > 0 && bytes[0] != FCGI_VERSION_1)
        return FCGI_RECORD_WRONG;
    while (len >= FCGI_HEADER_LEN) {
        size_t size = fcgi_record_bytes(bytes);

        if (bytes[0] != FCGI_VERSION_1)
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
    const unsigned id = len >= FCGI_HEADER_LEN ? request_id(bytes) : 0;
    size_t in = 0, out = 0, body = 0;

    while (len - in >= FCGI_HEADER_LEN && len - in >= fcgi_record_bytes(bytes + in)) {
        const unsigned char *record = bytes + in;
        size_t size = fcgi_record_bytes(record), content = 0;

        if (record[1] == FCGI_STDIN && request_id(record) == id)
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

static void write_header(unsigned char *out, unsigned type, unsigned id, size_t len)
{
    const unsigned char header[FCGI_HEADER_LEN] = {
        FCGI_VERSION_1,    (unsigned char)type,       (unsigned char)(id >> 8),
        (unsigned char)id, (unsigned char)(len >> 8), (unsigned char)len,
    };

    memcpy(out, header, sizeof header);
}

static size_t write_record(unsigned char *out, unsigned type, unsigned id,
                           const void *content, size_t len)
{
    write_header(out, type, id, len);
    memcpy(out + FCGI_HEADER_LEN, content, len);
    return FCGI_HEADER_LEN + len;
}

/* A web server may ask for three values. Only one of them is known here: a connection
 * carries one request at a time. */
static size_t answer_values(const unsigned char *bytes, unsigned char *out)
{
    static const char name[] = FCGI_MPXS_CONNS;
    static const char value[] = "\x0f\x01" FCGI_MPXS_CONNS "0";
    bool asked = memmem(bytes + FCGI_HEADER_LEN, content_bytes(bytes), name,
                        sizeof name - 1) != NULL;

    return write_record(out, FCGI_GET_VALUES_RESULT, 0, value,
                        asked ? sizeof value - 1 : 0);
}

size_t fcgi_record_answer(const unsigned char *bytes,
                          unsigned char out[FCGI_RECORD_ANSWER_BYTES])
{
    const unsigned char unknown_role[BODY_BYTES] = {[4] = FCGI_UNKNOWN_ROLE};
    const unsigned char unknown_type[BODY_BYTES] = {bytes[1]};

    if (request_id(bytes) != 0)
        return write_record(out, FCGI_END_REQUEST, request_id(bytes), unknown_role,
                            BODY_BYTES);
    if (bytes[1] == FCGI_GET_VALUES)
        return answer_values(bytes, out);
    return write_record(out, FCGI_UNKNOWN_TYPE, 0, unknown_type, BODY_BYTES);
}

void fcgi_record_stdout(unsigned char out[FCGI_RECORD_HEADER_BYTES], unsigned id,
                        size_t len)
{
    write_header(out, FCGI_STDOUT, id, len);
}

void fcgi_record_end(unsigned char out[FCGI_RECORD_END_BYTES], unsigned id)
{
    static const FCGI_EndRequestBody complete = {.protocolStatus = FCGI_REQUEST_COMPLETE};

    write_header(out, FCGI_STDOUT, id, 0);
    (void)write_record(out + FCGI_HEADER_LEN, FCGI_END_REQUEST, id, &complete,
                       sizeof complete);
}
