#include "lib/fcgi_record.h"

#include "tests/unit/fcgi_bytes.h"

static void a_header_is_read(void **state)
{
    static const unsigned char header[FCGI_HEADER_LEN] = {1, FCGI_STDIN, 2, 3, 4, 5, 6};

    (void)state;
    assert_int_equal(fcgi_record_id(header), 0x0203);
    assert_int_equal(fcgi_record_content(header), 0x0405);
    assert_int_equal(fcgi_record_padding(header), 6);
}

static void a_question_for_values_is_answered_with_what_is_known(void **state)
{
    static const char known[] = "\x0f\x01"
                                "FCGI_MPXS_CONNS0";
    unsigned char out[FCGI_RECORD_REPLY_BYTES];

    (void)state;
    assert_int_equal(fcgi_record_values(out, true), FCGI_HEADER_LEN + sizeof known - 1);
    assert_int_equal(out[1], FCGI_GET_VALUES_RESULT);
    assert_int_equal(fcgi_record_id(out), 0);
    assert_memory_equal(out + FCGI_HEADER_LEN, known, sizeof known - 1);
    assert_int_equal(fcgi_record_values(out, false), FCGI_HEADER_LEN);
    assert_int_equal(fcgi_record_content(out), 0);
}

static void an_unknown_management_record_is_named_in_the_answer(void **state)
{
    unsigned char out[FCGI_RECORD_REPLY_BYTES];

    (void)state;
    assert_int_equal(fcgi_record_unknown_type(out, 200), 2 * FCGI_HEADER_LEN);
    assert_int_equal(out[1], FCGI_UNKNOWN_TYPE);
    assert_int_equal(fcgi_record_id(out), 0);
    assert_int_equal(out[FCGI_HEADER_LEN], 200);
}

static void a_request_is_refused_under_its_id(void **state)
{
    unsigned char out[FCGI_RECORD_REPLY_BYTES];

    (void)state;
    assert_int_equal(fcgi_record_refuse(out, 0x0203, FCGI_UNKNOWN_ROLE),
                     2 * FCGI_HEADER_LEN);
    assert_int_equal(out[1], FCGI_END_REQUEST);
    assert_int_equal(fcgi_record_id(out), 0x0203);
    assert_int_equal(out[FCGI_HEADER_LEN + 4], FCGI_UNKNOWN_ROLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read),
        cmocka_unit_test(a_question_for_values_is_answered_with_what_is_known),
        cmocka_unit_test(an_unknown_management_record_is_named_in_the_answer),
        cmocka_unit_test(a_request_is_refused_under_its_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
