#include "lib/fcgi_scan.h"

#include "tests/unit/fcgi_bytes.h"

enum {
    BODY_MAX_BYTES = 10000,
};

static struct fcgi_bytes bytes, kept, replies, expected;
static struct fcgi_scan scan;

static int start(void **state)
{
    (void)state;
    bytes.len = expected.len = 0;
    return 0;
}

static void add(struct fcgi_bytes *out, const void *data, size_t len)
{
    assert_true(out->len + len <= sizeof out->data);
    memcpy(out->data + out->len, data, len);
    out->len += len;
}

static void keep(const struct fcgi_scan_step *step, const unsigned char *at, size_t len)
{
    if (step->kind == FCGI_SCAN_HEAD)
        add(&kept, scan.head, step->head_len);
    if (step->kind == FCGI_SCAN_CONTENT)
        add(&kept, at, len);
    if (step->kind == FCGI_SCAN_GONE)
        kept.len = 0;
}

static bool is_over(void)
{
    return scan.state == FCGI_SCAN_COMPLETE || scan.state == FCGI_SCAN_WRONG;
}

/* Goes on through bytes from `at`, in pieces of at most `piece`, to the end of a request;
 * returns where that is. */
static size_t go_on(size_t at, size_t piece)
{
    struct fcgi_scan_step step;

    kept.len = 0;
    while (at < bytes.len && !is_over()) {
        size_t len = bytes.len - at < piece ? bytes.len - at : piece;
        size_t size = fcgi_scan_go_on(&scan, bytes.data + at, len, BODY_MAX_BYTES, &step);
        assert_in_range(size, 1, len);
        keep(&step, bytes.data + at, size);
        add(&replies, step.reply, step.reply_len);
        at += size;
    }
    return at;
}

static size_t go_through(size_t piece)
{
    scan = (struct fcgi_scan){0};
    replies.len = 0;
    return go_on(0, piece);
}

static void expect_kept(const struct fcgi_bytes *request)
{
    assert_int_equal(kept.len, request->len);
    assert_memory_equal(kept.data, request->data, request->len);
}

/* Compares the replies with records of no content but those of 8 bytes: {type, id, the byte
 * of interest}, and forgets them. */
static void expect_replies(const int rows[][3], size_t count)
{
    const unsigned char *at = replies.data;

    for (size_t i = 0; i < count; i++) {
        assert_true(at < replies.data + replies.len);
        assert_int_equal(at[1], rows[i][0]);
        assert_int_equal(fcgi_record_id(at), rows[i][1]);
        if (at[1] == FCGI_END_REQUEST)
            assert_int_equal(at[FCGI_HEADER_LEN + 4], rows[i][2]);
        at += FCGI_HEADER_LEN + fcgi_record_content(at);
    }
    assert_ptr_equal(at, replies.data + replies.len);
}

static void a_request_becomes_complete_with_its_last_header(void **state)
{
    size_t head;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
    fcgi_bytes_param(&bytes, 1, "NAME", "value");
    head = bytes.len;
    bytes.len = 0;
    fcgi_bytes_request(&bytes, 1, 1);
    size_t all = bytes.len;
    for (size_t len = 1; len <= all; len++) {
        bytes.len = len;
        assert_int_equal(go_through(all), len);
        enum fcgi_scan_state wanted = len < FCGI_RECORD_BEGIN_BYTES  ? FCGI_SCAN_BETWEEN
                                      : len < head + FCGI_HEADER_LEN ? FCGI_SCAN_PARAMS
                                                                     : FCGI_SCAN_BODY;
        assert_int_equal(scan.state, len == all ? FCGI_SCAN_COMPLETE : wanted);
        assert_false(scan.mixed);
    }
}

static void a_request_ends_where_the_next_begins(void **state)
{
    (void)state;
    fcgi_bytes_request(&expected, 1, 1);
    for (int i = 0; i < 3; i++)
        fcgi_bytes_request(&bytes, 1, 1);
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        scan = (struct fcgi_scan){0};
        replies.len = 0;
        for (size_t i = 1, at = 0; i <= 3; i++) {
            at = go_on(at, piece);
            assert_int_equal(scan.state, FCGI_SCAN_COMPLETE);
            assert_int_equal(at, i * expected.len);
            expect_kept(&expected);
            fcgi_scan_next(&scan);
            assert_true(fcgi_scan_rests(&scan));
        }
    }
    assert_int_equal(replies.len, 0);
}

/* Every kind of record that may lie between those of a request. */
static void put_mixed(struct fcgi_bytes *out)
{
    fcgi_bytes_put(out, FCGI_STDIN, 3, "of nobody", 9, 7);
    fcgi_bytes_put(out, FCGI_GET_VALUES, 0, "\x0f\0FCGI_MPXS_CONNS", 17, 0);
    fcgi_bytes_begin(out, 1, FCGI_RESPONDER, 1);
    fcgi_bytes_begin(out, 2, FCGI_RESPONDER, 0);
    fcgi_bytes_param(out, 1, "NAME", "value");
    fcgi_bytes_put(out, FCGI_PARAMS, 2, "whatever", 8, 1);
    fcgi_bytes_put(out, FCGI_ABORT_REQUEST, 2, "", 0, 0);
    fcgi_bytes_put(out, FCGI_PARAMS, 1, "", 0, 9);
    fcgi_bytes_begin(out, 2, FCGI_AUTHORIZER, 1);
    fcgi_bytes_put(out, FCGI_STDIN, 1, "abc", 3, 255);
    fcgi_bytes_put(out, 200, 0, "x", 1, 0);
    fcgi_bytes_put(out, FCGI_STDIN, 2, "", 0, 0);
    fcgi_bytes_put(out, FCGI_STDIN, 1, "", 0, 0);
}

static void other_records_are_left_out_and_answered_whatever_the_pieces(void **state)
{
    static const int rows[][3] = {
        {FCGI_GET_VALUES_RESULT, 0, 0},
        {FCGI_END_REQUEST, 2, FCGI_CANT_MPX_CONN},
        {FCGI_END_REQUEST, 2, FCGI_CANT_MPX_CONN},
        {FCGI_UNKNOWN_TYPE, 0, 0},
    };

    (void)state;
    put_mixed(&bytes);
    fcgi_bytes_request(&expected, 1, 1);
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        assert_int_equal(go_through(piece), bytes.len);
        assert_int_equal(scan.state, FCGI_SCAN_COMPLETE);
        assert_true(scan.mixed);
        expect_kept(&expected);
        expect_replies(rows, 4);
        assert_int_equal(fcgi_record_content(replies.data), 18); /* with the value */
    }
}

static void the_name_of_a_value_is_found_anywhere(void **state)
{
    static const struct {
        const char *name;
        size_t len;
    } rows[] = {
        {"FCGI_MPXS_CONNS", 18},           {"FFCGI_MPXS_CONNS", 18},
        {"FCGI_MFCGI_MPXS_CONNS", 18},     {"FCGI_MPXS_CONN", 0},
        {"FCGI_MAX_CONNSFCGI_MPXS_C", 0},  {"", 0},
        {"FCGI_MPXS_CONNSFCGI_MPXS_", 18},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bytes.len = 0;
        fcgi_bytes_put(&bytes, FCGI_GET_VALUES, 0, rows[i].name, strlen(rows[i].name), 3);
        for (size_t piece = 1; piece < 30; piece++) {
            assert_int_equal(go_through(piece), bytes.len);
            assert_int_equal(fcgi_record_content(replies.data), rows[i].len);
        }
    }
}

static void padding_at_the_end_belongs_to_the_request(void **state)
{
    (void)state;
    fcgi_bytes_request(&bytes, 1, 1);
    bytes.data[bytes.len - 2] = 9;
    assert_int_equal(go_through(bytes.len), bytes.len);
    assert_int_equal(scan.state, FCGI_SCAN_COMPLETE);
    assert_int_equal(fcgi_scan_pad(&scan, 5), 5);
    fcgi_scan_next(&scan);
    assert_true(fcgi_scan_rests(&scan));
    bytes.len = 0;
    fcgi_bytes_put(&bytes, FCGI_STDIN, 7, "", 0, 0);
    memmove(bytes.data + 4, bytes.data, bytes.len);
    bytes.len += 4;
    fcgi_bytes_request(&bytes, 1, 1);
    assert_int_equal(go_on(0, 3), bytes.len);
    assert_int_equal(scan.state, FCGI_SCAN_COMPLETE);
    assert_false(scan.mixed);
}

static void an_aborted_request_is_gone_and_its_connection_stays(void **state)
{
    static const int rows[][3] = {{FCGI_END_REQUEST, 1, FCGI_REQUEST_COMPLETE}};
    size_t all;

    (void)state;
    fcgi_bytes_request(&expected, 1, 1);
    all = expected.len - FCGI_HEADER_LEN;
    for (size_t cut = FCGI_RECORD_BEGIN_BYTES; cut <= all; cut++) {
        scan = (struct fcgi_scan){0};
        replies.len = bytes.len = 0;
        add(&bytes, expected.data, cut);
        (void)go_on(0, cut);
        if (fcgi_scan_is_in_head(&scan) || scan.content > 0)
            continue; /* in the middle of a record */
        bytes.len = 0;
        fcgi_bytes_put(&bytes, FCGI_ABORT_REQUEST, 1, "", 0, 0);
        fcgi_bytes_put(&bytes, FCGI_STDIN, 1, "late", 4, 0);
        fcgi_bytes_request(&bytes, 1, 1);
        assert_int_equal(go_on(0, 5), bytes.len);
        assert_int_equal(scan.state, FCGI_SCAN_COMPLETE);
        expect_kept(&expected);
        expect_replies(rows, 1);
    }
}

static void without_keeping_a_refused_or_aborted_request_ends_the_connection(void **state)
{
    static const int aborted[][3] = {{FCGI_END_REQUEST, 1, FCGI_REQUEST_COMPLETE}};
    static const int refused[][3] = {{FCGI_END_REQUEST, 1, FCGI_UNKNOWN_ROLE}};

    (void)state;
    for (int keep_it = 0; keep_it <= 1; keep_it++) {
        const enum fcgi_scan_state wanted = keep_it ? FCGI_SCAN_BETWEEN : FCGI_SCAN_WRONG;
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, keep_it);
        fcgi_bytes_put(&bytes, FCGI_ABORT_REQUEST, 1, "", 0, 0);
        assert_int_equal(go_through(bytes.len), bytes.len);
        assert_int_equal(scan.state, wanted);
        expect_replies(aborted, 1);
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_AUTHORIZER, keep_it);
        assert_int_equal(go_through(bytes.len), bytes.len);
        assert_int_equal(scan.state, wanted);
        expect_replies(refused, 1);
    }
}

static void parameters_that_contradict_their_lengths_are_wrong(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x7f\x7fxx", 4}, {"\x01", 1},
        {"\x01\x01n", 3},  {"\xff\xff\xff\xff\xff\xff\xff\xffxx", 10},
        {"\x80\0\0", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 0);
        fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, rows[i].bytes, rows[i].len, 0);
        fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
        (void)go_through(bytes.len);
        assert_int_equal(scan.state, FCGI_SCAN_WRONG);
    }
}

static void records_that_break_the_rules_are_wrong(void **state)
{
    static const int types[] = {FCGI_BEGIN_REQUEST, FCGI_STDIN, FCGI_END_REQUEST, 200};

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
        fcgi_bytes_put(&bytes, types[i], 1, "\0\1\0\0\0\0\0\0", 8, 0);
        (void)go_through(3);
        assert_int_equal(scan.state, FCGI_SCAN_WRONG);
    }
    bytes.len = 0;
    fcgi_bytes_put(&bytes, FCGI_BEGIN_REQUEST, 1, "\0\1\0", 3, 0);
    (void)go_through(3);
    assert_int_equal(scan.state, FCGI_SCAN_WRONG);
    bytes.data[0] = 2;
    assert_int_equal(go_through(1), 1);
    assert_int_equal(scan.state, FCGI_SCAN_WRONG);
}

static void a_body_is_left_out_behind_its_limit(void **state)
{
    static const char piece[3000];

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 0);
    fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
    size_t head = bytes.len;
    for (int i = 0; i < 10; i++)
        fcgi_bytes_put(&bytes, FCGI_STDIN, 1, piece, sizeof piece, 0);
    fcgi_bytes_put(&bytes, FCGI_STDIN, 1, "", 0, 0);
    assert_int_equal(go_through(700), bytes.len);
    assert_int_equal(scan.state, FCGI_SCAN_COMPLETE);
    assert_int_equal(kept.len,
                     head + 4 * (FCGI_HEADER_LEN + sizeof piece) + FCGI_HEADER_LEN);
    assert_int_equal(scan.body_bytes, 4 * sizeof piece);
    assert_int_equal(scan.left_out, 6 * sizeof piece);
    assert_true(scan.mixed);
}

#define fresh(test) cmocka_unit_test_setup(test, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        fresh(a_request_becomes_complete_with_its_last_header),
        fresh(a_request_ends_where_the_next_begins),
        fresh(other_records_are_left_out_and_answered_whatever_the_pieces),
        fresh(the_name_of_a_value_is_found_anywhere),
        fresh(padding_at_the_end_belongs_to_the_request),
        fresh(an_aborted_request_is_gone_and_its_connection_stays),
        fresh(without_keeping_a_refused_or_aborted_request_ends_the_connection),
        fresh(parameters_that_contradict_their_lengths_are_wrong),
        fresh(records_that_break_the_rules_are_wrong),
        fresh(a_body_is_left_out_behind_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
