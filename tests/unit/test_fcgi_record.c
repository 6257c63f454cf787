#include "lib/fcgi_record.h"

#include "tests/unit/fcgi_bytes.h"

static void a_request_becomes_complete_with_its_last_header(void **state)
{
    static struct fcgi_bytes bytes;
    size_t head;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 1);
    fcgi_bytes_param(&bytes, 1, "NAME", "value");
    head = bytes.len;
    bytes.len = 0;
    fcgi_bytes_request(&bytes, 1, 1);
    for (size_t len = 0; len <= bytes.len; len++) {
        enum fcgi_record_verdict expected = len < head + FCGI_HEADER_LEN
                                                ? FCGI_RECORD_HEAD_MISSING
                                                : FCGI_RECORD_BODY_MISSING;
        if (len == bytes.len)
            expected = FCGI_RECORD_COMPLETE;
        assert_int_equal(fcgi_record_judge(bytes.data, len), expected);
    }
}

static void what_belongs_to_no_request_is_management(void **state)
{
    static const int types[] = {FCGI_GET_VALUES, FCGI_BEGIN_REQUEST, 200};
    static struct fcgi_bytes bytes;

    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        bytes.len = 0;
        fcgi_bytes_put(&bytes, types[i], FCGI_NULL_REQUEST_ID, "", 0, 3);
        assert_int_equal(fcgi_record_bytes(bytes.data), bytes.len);
        assert_int_equal(fcgi_record_judge(bytes.data, bytes.len - 1),
                         FCGI_RECORD_HEAD_MISSING);
        assert_int_equal(fcgi_record_judge(bytes.data, bytes.len), FCGI_RECORD_MANAGEMENT);
    }
}

static void a_question_for_values_is_answered_with_what_is_known(void **state)
{
    static const char asked[] = "\x0e\0FCGI_MAX_CONNS\x0f\0FCGI_MPXS_CONNS";
    static const char known[] = "\x0f\x01"
                                "FCGI_MPXS_CONNS0";
    static struct fcgi_bytes bytes;
    unsigned char out[FCGI_RECORD_ANSWER_BYTES];

    (void)state;
    fcgi_bytes_put(&bytes, FCGI_GET_VALUES, 0, asked, sizeof asked - 1, 0);
    size_t len = fcgi_record_answer(bytes.data, out);
    assert_int_equal(len, FCGI_HEADER_LEN + sizeof known - 1);
    assert_int_equal(out[1], FCGI_GET_VALUES_RESULT);
    assert_memory_equal(out + FCGI_HEADER_LEN, known, sizeof known - 1);
    bytes.len = 0;
    fcgi_bytes_put(&bytes, FCGI_GET_VALUES, 0, asked, 16, 0);
    assert_int_equal(fcgi_record_answer(bytes.data, out), FCGI_HEADER_LEN);
}

static void an_unknown_management_record_is_named_in_the_answer(void **state)
{
    static struct fcgi_bytes bytes;
    unsigned char out[FCGI_RECORD_ANSWER_BYTES];

    (void)state;
    fcgi_bytes_put(&bytes, 200, 0, "x", 1, 0);
    assert_int_equal(fcgi_record_answer(bytes.data, out), 2 * FCGI_HEADER_LEN);
    assert_int_equal(out[1], FCGI_UNKNOWN_TYPE);
    assert_int_equal(out[FCGI_HEADER_LEN], 200);
}

static void another_role_is_refused_under_its_request_id(void **state)
{
    static struct fcgi_bytes bytes;
    unsigned char out[FCGI_RECORD_ANSWER_BYTES];

    (void)state;
    fcgi_bytes_begin(&bytes, 0x0203, FCGI_FILTER, 0);
    assert_int_equal(fcgi_record_judge(bytes.data, bytes.len), FCGI_RECORD_UNKNOWN_ROLE);
    assert_int_equal(fcgi_record_answer(bytes.data, out), 2 * FCGI_HEADER_LEN);
    assert_int_equal(out[1], FCGI_END_REQUEST);
    assert_int_equal(out[2] << 8 | out[3], 0x0203);
    assert_int_equal(out[FCGI_HEADER_LEN + 4], FCGI_UNKNOWN_ROLE);
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
    static struct fcgi_bytes bytes;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bytes.len = 0;
        fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 0);
        fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, rows[i].bytes, rows[i].len, 0);
        fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
        assert_int_equal(fcgi_record_judge(bytes.data, bytes.len), FCGI_RECORD_WRONG);
    }
}

static void a_body_is_shortened_behind_its_limit(void **state)
{
    static const char piece[1000];
    static struct fcgi_bytes bytes;
    size_t left_out = 0;

    (void)state;
    fcgi_bytes_begin(&bytes, 1, FCGI_RESPONDER, 0);
    fcgi_bytes_put(&bytes, FCGI_PARAMS, 1, "", 0, 0);
    size_t head = bytes.len;
    for (int i = 0; i < 10; i++)
        fcgi_bytes_put(&bytes, FCGI_STDIN, 1, piece, sizeof piece, 0);
    size_t len = fcgi_record_shorten(bytes.data, bytes.len - 1, 2500, &left_out);
    assert_int_equal(left_out, 6000); /* three are kept, and the last is not whole */
    assert_int_equal(len, head + 3 * (FCGI_HEADER_LEN + 1000) + FCGI_HEADER_LEN + 999);
    assert_int_equal(fcgi_record_judge(bytes.data, len), FCGI_RECORD_BODY_MISSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_becomes_complete_with_its_last_header),
        cmocka_unit_test(what_belongs_to_no_request_is_management),
        cmocka_unit_test(a_question_for_values_is_answered_with_what_is_known),
        cmocka_unit_test(an_unknown_management_record_is_named_in_the_answer),
        cmocka_unit_test(another_role_is_refused_under_its_request_id),
        cmocka_unit_test(parameters_that_contradict_their_lengths_are_wrong),
        cmocka_unit_test(a_body_is_shortened_behind_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
