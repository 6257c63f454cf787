#include "tests/unit/fastcgi_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    put_record(out, FCGI_PARAMS, "", 0);
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
    put_record_of(out, FCGI_BEGIN_REQUEST, 1, begin, sizeof begin, 0);
    put_record_of(out, FCGI_PARAMS, 1, "", 0, 0);
    put_record_of(out, FCGI_STDIN, 1, "ab", 2, 6);
    put_record_of(out, FCGI_STDIN, 1, "c", 1, 255);
    put_record_of(out, FCGI_STDIN, 1, "", 0, 0);
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
        put_record_of(out, FCGI_BEGIN_REQUEST, ids[i], begin, sizeof begin, 0);
        put_record_of(out, FCGI_PARAMS, ids[i], "", 0, 0);
        put_record_of(out, FCGI_STDIN, ids[i], "", 0, 0);
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
    send_bytes(fd, out->data, out->len);
    out->len = 0;
    put_record(out, FCGI_STDIN, "b", 1);
    for (int i = 0; i < PIECES; i++)
        send_bytes(fd, out->data, out->len);
    free(out);
    send_end_of_body(fd);
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
        {"-", "invalid"},  {"--3", "invalid"},
    };
    int fd = connect_to_server();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes *out = calloc(1, sizeof *out);
        put_begin(out, true);
        put_param(out, "CONTENT_LENGTH", rows[i].announced);
        put_record(out, FCGI_PARAMS, "", 0);
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

/* Padding is not kept. */
static void records_with_more_padding_than_body_are_taken(void **state)
{
    int fd = connect_to_server();

    (void)state;
    send_head(fd, 20000);
    for (int i = 0; i < 20; i++) {
        struct bytes *out = no_bytes();
        for (int j = 0; j < 1000; j++)
            put_record_of(out, FCGI_STDIN, 1, "x", 1, 255);
        send_all(fd, out);
    }
    send_end_of_body(fd);
    expect_answer(fd, "ok 20000 ");
    assert_int_equal(close(fd), 0);
}

static void an_aborted_request_is_ended_and_never_a_whole_one(void **state)
{
    unsigned char content[16];
    size_t len;

    (void)state;
    for (int keep = 0; keep <= 1; keep++) {
        int fd = connect_to_server();
        struct bytes *out = no_bytes();
        put_begin(out, keep);
        put_param(out, "NAME", "x");
        put_record(out, FCGI_PARAMS, "", 0);
        put_record(out, FCGI_STDIN, "abc", 3);
        put_record(out, FCGI_ABORT_REQUEST, "", 0);
        send_all(fd, out);
        assert_int_equal(read_record(fd, content, &len), FCGI_END_REQUEST);
        if (keep)
            ask_on(fd, "next");
        else
            expect_end(fd);
        if (keep)
            assert_int_equal(close(fd), 0);
    }
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
        with_server(records_with_more_padding_than_body_are_taken),
        with_server(an_aborted_request_is_ended_and_never_a_whole_one),
        with_server(a_peer_that_leaves_in_the_middle_does_no_harm),
        with_server(a_peer_that_ends_its_side_early_gets_its_answer),
    };

    return cmocka_run_group_tests(tests, init_signals, NULL);
}
