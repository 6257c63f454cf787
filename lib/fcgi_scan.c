#include "lib/fcgi_scan.h"

#include <fastcgi.h>
#include <string.h>

static const char mpxs_conns[] = FCGI_MPXS_CONNS;

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void refuse(const struct fcgi_scan *s, struct fcgi_scan_step *step, unsigned why)
{
    step->reply_len = fcgi_record_refuse(step->reply, fcgi_record_id(s->head), why);
}

/* Keeps what is in head, as it will be without padding. */
static void keep_head(struct fcgi_scan *s, struct fcgi_scan_step *step)
{
    step->kind = FCGI_SCAN_HEAD;
    step->head_len = s->have;
    s->head[6] = 0;
}

/* ---- The meaning of a record, by its head ---- */

static void begin(struct fcgi_scan *s, struct fcgi_scan_step *step)
{
    const unsigned char *body = s->head + FCGI_HEADER_LEN;
    const unsigned id = fcgi_record_id(s->head);

    if (s->state != FCGI_SCAN_BETWEEN && id == s->id) {
        s->state = FCGI_SCAN_WRONG;
        return;
    }
    if (s->state != FCGI_SCAN_BETWEEN) {
        refuse(s, step, FCGI_CANT_MPX_CONN);
        s->mixed = true;
        return;
    }
    s->keep = (body[2] & FCGI_KEEP_CONN) != 0;
    if (body[0] != 0 || body[1] != FCGI_RESPONDER) {
        refuse(s, step, FCGI_UNKNOWN_ROLE);
        s->state = s->keep ? FCGI_SCAN_BETWEEN : FCGI_SCAN_WRONG;
        return;
    }
    s->state = FCGI_SCAN_PARAMS;
    s->id = id;
    s->mixed = false;
    s->body_bytes = s->left_out = 0;
    s->pairs = (struct fcgi_pairs){0};
    keep_head(s, step);
}

static void end_of_params(struct fcgi_scan *s, struct fcgi_scan_step *step)
{
    s->state = fcgi_pairs_are_whole(&s->pairs) ? FCGI_SCAN_BODY : FCGI_SCAN_WRONG;
    s->mixed = s->mixed || s->padding > 0; /* which libfcgi would not skip here */
    keep_head(s, step);
}

static void some_body(struct fcgi_scan *s, size_t max_body_bytes,
                      struct fcgi_scan_step *step)
{
    if (s->body_bytes > max_body_bytes) {
        s->left_out += s->content;
        s->mixed = true;
        return;
    }
    s->body_bytes += s->content;
    s->use = FCGI_SCAN_ITS_BODY;
    keep_head(s, step);
}

static void abort_request(struct fcgi_scan *s, struct fcgi_scan_step *step)
{
    refuse(s, step, FCGI_REQUEST_COMPLETE);
    step->kind = FCGI_SCAN_GONE;
    s->mixed = true;
    s->state = s->keep ? FCGI_SCAN_BETWEEN : FCGI_SCAN_WRONG;
}

/* A record of the request that has begun. */
static void own_record(struct fcgi_scan *s, size_t max_body_bytes,
                       struct fcgi_scan_step *step)
{
    const unsigned type = s->head[1];
    const bool empty = s->content == 0;

    if (type == FCGI_PARAMS && s->state == FCGI_SCAN_PARAMS && empty) {
        end_of_params(s, step);
    } else if (type == FCGI_PARAMS && s->state == FCGI_SCAN_PARAMS) {
        s->use = FCGI_SCAN_ITS_PARAMS;
        keep_head(s, step);
    } else if (type == FCGI_STDIN && s->state == FCGI_SCAN_BODY && empty) {
        s->state = FCGI_SCAN_COMPLETE;
        keep_head(s, step);
    } else if (type == FCGI_STDIN && s->state == FCGI_SCAN_BODY) {
        some_body(s, max_body_bytes, step);
    } else if (type == FCGI_ABORT_REQUEST) {
        abort_request(s, step);
    } else {
        s->state = FCGI_SCAN_WRONG;
    }
}

/* All of head is there. */
static void take_head(struct fcgi_scan *s, size_t max_body_bytes,
                      struct fcgi_scan_step *step)
{
    const unsigned id = fcgi_record_id(s->head), type = s->head[1];
    const bool between = s->state == FCGI_SCAN_BETWEEN;

    s->use = FCGI_SCAN_IGNORE;
    s->padding = fcgi_record_padding(s->head);
    s->content = fcgi_record_content(s->head);
    if (id == 0) {
        s->use = type == FCGI_GET_VALUES ? FCGI_SCAN_VALUES : FCGI_SCAN_UNKNOWN;
        s->mixed = !between;
        s->matched = 0;
    } else if (type == FCGI_BEGIN_REQUEST) {
        s->content = 0;
        begin(s, step);
    } else if (!between && id == s->id) {
        own_record(s, max_body_bytes, step);
    } else {
        s->mixed = !between;
    }
}

/* ---- The bytes ---- */

/* The name begins with a letter that does not come again in it. */
static void look_for_name(struct fcgi_scan *s, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len && s->matched < sizeof mpxs_conns - 1; i++)
        if (bytes[i] == (unsigned char)mpxs_conns[s->matched])
            s->matched++;
        else
            s->matched = bytes[i] == (unsigned char)mpxs_conns[0];
}

static void end_record(struct fcgi_scan *s, struct fcgi_scan_step *step)
{
    if (s->use == FCGI_SCAN_VALUES)
        step->reply_len =
            fcgi_record_values(step->reply, s->matched == sizeof mpxs_conns - 1);
    if (s->use == FCGI_SCAN_UNKNOWN)
        step->reply_len = fcgi_record_unknown_type(step->reply, s->head[1]);
    s->use = FCGI_SCAN_IGNORE;
    s->have = 0;
}

/* How long head becomes: a header, or all of a record that begins a request. 0: that one is
 * wrong. */
static unsigned head_bytes(const struct fcgi_scan *s)
{
    if (s->have < FCGI_HEADER_LEN || s->head[1] != FCGI_BEGIN_REQUEST ||
        fcgi_record_id(s->head) == 0)
        return FCGI_HEADER_LEN;
    bool right = fcgi_record_content(s->head) == sizeof(FCGI_BeginRequestBody);
    return right ? FCGI_RECORD_BEGIN_BYTES : 0;
}

static size_t fill_head(struct fcgi_scan *s, const unsigned char *bytes, size_t len,
                        unsigned want)
{
    size_t size = smaller(len, want - s->have);

    if (size == FCGI_HEADER_LEN) /* nearly always; it costs less with a known size */
        memcpy(s->head + s->have, bytes, FCGI_HEADER_LEN);
    else
        memcpy(s->head + s->have, bytes, size);
    s->have += (unsigned)size;
    return size;
}

static size_t go_on_in_head(struct fcgi_scan *s, const unsigned char *bytes, size_t len,
                            size_t max_body_bytes, struct fcgi_scan_step *step)
{
    size_t size =
        fill_head(s, bytes, len,
                  s->have < FCGI_HEADER_LEN ? FCGI_HEADER_LEN : FCGI_RECORD_BEGIN_BYTES);
    unsigned want = head_bytes(s);

    if (s->head[0] != FCGI_VERSION_1 || want == 0) {
        s->state = FCGI_SCAN_WRONG;
        return size;
    }
    if (s->have < want)
        size += fill_head(s, bytes + size, len - size, want);
    if (s->have < want)
        return size;
    take_head(s, max_body_bytes, step);
    if (s->content == 0)
        end_record(s, step);
    return size;
}

static size_t go_on_in_content(struct fcgi_scan *s, const unsigned char *bytes, size_t len,
                               struct fcgi_scan_step *step)
{
    size_t size = smaller(len, s->content);

    if (s->use == FCGI_SCAN_ITS_PARAMS)
        fcgi_pairs_take(&s->pairs, bytes, size);
    if (s->use == FCGI_SCAN_VALUES)
        look_for_name(s, bytes, size);
    if (s->use == FCGI_SCAN_ITS_PARAMS || s->use == FCGI_SCAN_ITS_BODY)
        step->kind = FCGI_SCAN_CONTENT;
    s->content -= size;
    if (s->content == 0)
        end_record(s, step);
    return size;
}

size_t fcgi_scan_pad(struct fcgi_scan *s, size_t len)
{
    size_t size = smaller(len, s->padding);

    s->padding -= size;
    return size;
}

size_t fcgi_scan_go_on(struct fcgi_scan *s, const unsigned char *bytes, size_t len,
                       size_t max_body_bytes, struct fcgi_scan_step *step)
{
    step->kind = FCGI_SCAN_NOTHING;
    step->reply_len = 0;
    if (s->content > 0)
        return go_on_in_content(s, bytes, len, step);
    if (s->padding > 0)
        return fcgi_scan_pad(s, len);
    return go_on_in_head(s, bytes, len, max_body_bytes, step);
}

void fcgi_scan_next(struct fcgi_scan *s)
{
    s->state = FCGI_SCAN_BETWEEN;
}

bool fcgi_scan_is_in_head(const struct fcgi_scan *s)
{
    return s->have > 0 && s->content == 0;
}

bool fcgi_scan_rests(const struct fcgi_scan *s)
{
    return s->state == FCGI_SCAN_BETWEEN && s->have == 0;
}
