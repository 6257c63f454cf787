#include "lib/uuid.h"

#include "lib/secret.h"

#include <string.h>

#include "tests/unit/scratch.h"

static const struct uuid nil = {{0}};

static int start_sodium(void **state)
{
    (void)state;
    return secret_init() == STATUS_OK ? 0 : -1;
}

static void both_cases_are_read_and_lower_case_is_written(void **state)
{
    static const struct uuid expected = {{0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x78, 0x90,
                                          0xab, 0xcd, 0xef, 0x12, 0x34, 0x56, 0x78, 0x90}};
    static const char *const rows[] = {
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "A1B2C3D4-E5F6-7890-ABCD-EF1234567890",
        "a1B2c3D4-e5F6-7890-AbCd-eF1234567890",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct uuid uuid;
        char text[UUID_TEXT_BYTES];

        assert_true(uuid_parse(&uuid, span_of(rows[i])));
        assert_memory_equal(&uuid, &expected, sizeof uuid);
        uuid_format(&uuid, text);
        assert_string_equal(text, rows[0]);
    }
}

static void any_version_is_read(void **state)
{
    static const char *const rows[] = {
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "c232ab00-9414-11ec-b3c8-9f6bdeced846",
        "919108f7-52d1-4320-9bac-f847db4148a8",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct uuid uuid;
        char text[UUID_TEXT_BYTES];

        assert_true(uuid_parse(&uuid, span_of(rows[i])));
        uuid_format(&uuid, text);
        assert_string_equal(text, rows[i]);
    }
}

static void other_forms_are_refused_and_leave_zeros(void **state)
{
    static const char *const rows[] = {
        "",
        "YOUR_CONTACT_ID",
        "a1b2c3d4e5f67890abcdef1234567890",
        "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}",
        "urn:uuid:a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "a1b2c3d4-e5f6-7890-abcd-ef123456789",
        "a1b2c3d4-e5f6-7890-abcd-ef12345678900",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890 ",
        " a1b2c3d4-e5f6-7890-abcd-ef123456789",
        "a1b2c3d4-e5f6-7890-abcd-ef123456789g",
        "g1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "a1b2c3d4-e5f6-7890-abcd+ef1234567890",
        "a1b2c3d4_e5f6_7890_abcd_ef1234567890",
        "a1b2c3d-4e5f6-7890-abcd-ef1234567890",
        "a1b2c3d4-e5f67-890-abcd-ef1234567890",
        "a1b2c3d4--5f6-7890-abcd-ef1234567890",
        "------------------------------------",
        "0x000000-0000-0000-0000-000000000000",
        "a1b2c3d4-e5f6-7890-abcd-ef12345678\xc3\xa9",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct uuid uuid;

        memset(&uuid, 0xff, sizeof uuid);
        if (uuid_parse(&uuid, span_of(rows[i])))
            fail_msg("'%s' was accepted", rows[i]);
        assert_memory_equal(&uuid, &nil, sizeof uuid);
    }
}

static void no_place_takes_another_character(void **state)
{
    static const char good[] = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
    static const char strangers[] = {'\0', ' ', '/', ':', '@', 'G', '`', 'g', '_', '\x80'};

    (void)state;
    for (size_t i = 0; i < sizeof good - 1; i++) {
        for (size_t j = 0; j < COUNT(strangers); j++) {
            char text[UUID_TEXT_BYTES];
            struct uuid uuid;

            memcpy(text, good, sizeof good);
            text[i] = strangers[j];
            assert_false(uuid_parse(&uuid, (struct span){text, sizeof good - 1}));
            text[i] = good[i] == '-' ? '0' : '-';
            assert_false(uuid_parse(&uuid, (struct span){text, sizeof good - 1}));
        }
    }
}

static void only_the_length_ends_the_text(void **state)
{
    struct uuid uuid;

    (void)state;
    assert_true(
        uuid_parse(&uuid, (struct span){"a1b2c3d4-e5f6-7890-abcd-ef1234567890more", 36}));
    assert_false(uuid_parse(&uuid, (struct span){NULL, 0}));
}

static void a_new_uuid_holds_time_version_and_variant(void **state)
{
    static const struct {
        int64_t now_ms;
        const char *start;
    } rows[] = {
        {0, "00000000-0000-7"},
        {INT64_C(0x017F22E279B0), "017f22e2-79b0-7"}, /* the example of RFC 9562 */
        {(INT64_C(1) << 48) - 1, "ffffffff-ffff-7"},
        {INT64_C(1) << 48, "ffffffff-ffff-7"},
        {-1, "00000000-0000-7"},
        {INT64_MIN, "00000000-0000-7"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned again = 0; again < 100; again++) {
            struct uuid uuid;
            char text[UUID_TEXT_BYTES];

            uuid_make(&uuid, rows[i].now_ms);
            uuid_format(&uuid, text);
            assert_memory_equal(text, rows[i].start, 15);
            assert_non_null(strchr("89ab", text[19]));
        }
    }
}

static void later_ones_sort_behind_earlier_ones(void **state)
{
    struct uuid last;
    int64_t now_ms = INT64_C(1700000000000);

    (void)state;
    uuid_make(&last, now_ms);
    for (unsigned i = 0; i < 1000; i++) {
        struct uuid next;

        now_ms += 1 + i * 37;
        uuid_make(&next, now_ms);
        assert_true(memcmp(&last, &next, sizeof last) < 0);
        last = next;
    }
}

static void every_random_bit_takes_both_values(void **state)
{
    struct uuid zeros = nil;
    struct uuid ones = nil;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        struct uuid uuid;

        uuid_make(&uuid, 0);
        for (size_t j = 0; j < UUID_BYTES; j++) {
            ones.bytes[j] |= uuid.bytes[j];
            zeros.bytes[j] |= (uint8_t)~uuid.bytes[j];
        }
    }
    for (size_t j = 6; j < UUID_BYTES; j++) {
        uint8_t random_bits = j == 6 ? 0x0f : j == 8 ? 0x3f : 0xff;

        assert_int_equal(ones.bytes[j] & zeros.bytes[j], random_bits);
    }
}

static int make_and_send(int to_parent)
{
    struct uuid first;

    uuid_make(&first, 0);
    return write(to_parent, &first, sizeof first) == (ssize_t)sizeof first ? 0 : 1;
}

/* The first UUID that a child of this process makes. */
static void make_in_child(struct uuid *first)
{
    const struct child child = child_start(make_and_send);

    assert_int_equal(read(child.from_child, first, sizeof *first), sizeof *first);
    assert_int_equal(child_end(&child), 0);
}

static void processes_share_no_random_bytes(void **state)
{
    struct uuid own, of_child, of_another;

    (void)state;
    uuid_make(&own, 0);
    make_in_child(&of_child);
    make_in_child(&of_another);
    uuid_make(&own, 0);
    assert_false(uuid_equals(&own, &of_child));
    assert_false(uuid_equals(&own, &of_another));
    assert_false(uuid_equals(&of_child, &of_another));
}

static void equality_looks_at_all_bytes(void **state)
{
    struct uuid a;

    (void)state;
    uuid_make(&a, 1);
    assert_true(uuid_equals(&a, &a));
    for (size_t i = 0; i < UUID_BYTES; i++) {
        struct uuid b = a;

        b.bytes[i] ^= 1;
        assert_false(uuid_equals(&a, &b));
    }
}

static void the_time_of_a_uuid_is_read_back(void **state)
{
    static const int64_t times[] = {0, 1, 1700000000123, (INT64_C(1) << 48) - 1};
    struct uuid uuid;
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        uuid_make(&uuid, times[i]);
        assert_true(uuid_time_ms(&ms, &uuid));
        assert_int_equal(ms, times[i]);
    }
    assert_true(uuid_parse(&uuid, span_of("0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b")));
    assert_false(uuid_time_ms(&ms, &uuid)); /* version 4 */
    assert_true(uuid_parse(&uuid, span_of("0b5f4a1e-9d5c-7b6e-cf3a-2c1d0e9f8a7b")));
    assert_false(uuid_time_ms(&ms, &uuid)); /* another variant */
}

static void all_of_a_time_are_between_its_first_and_its_last(void **state)
{
    struct uuid first, last, uuid;

    (void)state;
    uuid_first_at(&first, 1000);
    uuid_last_at(&last, 1000);
    for (int64_t ms = 999; ms <= 1001; ms++) {
        uuid_make(&uuid, ms);
        assert_int_equal(memcmp(&first, &uuid, sizeof uuid) < 0, ms >= 1000);
        assert_int_equal(memcmp(&uuid, &last, sizeof uuid) < 0, ms <= 1000);
    }
    uuid_first_at(&first, -5);
    assert_true(uuid_equals(&first, &nil));
}

/* The same bytes, such as a hash, always make the same id, and every bit counts. */
static void bytes_make_an_id(void **state)
{
    uint8_t bytes[UUID_BYTES];
    struct uuid id;
    char text[UUID_TEXT_BYTES];
    int64_t ms;

    (void)state;
    memset(bytes, 0xff, sizeof bytes);
    uuid_of_bytes(&id, bytes);
    uuid_format(&id, text);
    assert_string_equal(text, "ffffffff-ffff-8fff-bfff-ffffffffffff");
    assert_false(uuid_time_ms(&ms, &id));
    memset(bytes, 0, sizeof bytes);
    uuid_of_bytes_at(&id, bytes, INT64_C(0x0123456789ab));
    uuid_format(&id, text);
    assert_string_equal(text, "01234567-89ab-7000-8000-000000000000");
    assert_true(uuid_time_ms(&ms, &id));
    assert_int_equal(ms, INT64_C(0x0123456789ab));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_cases_are_read_and_lower_case_is_written),
        cmocka_unit_test(any_version_is_read),
        cmocka_unit_test(other_forms_are_refused_and_leave_zeros),
        cmocka_unit_test(no_place_takes_another_character),
        cmocka_unit_test(only_the_length_ends_the_text),
        cmocka_unit_test(a_new_uuid_holds_time_version_and_variant),
        cmocka_unit_test(later_ones_sort_behind_earlier_ones),
        cmocka_unit_test(every_random_bit_takes_both_values),
        cmocka_unit_test(processes_share_no_random_bytes),
        cmocka_unit_test(equality_looks_at_all_bytes),
        cmocka_unit_test(bytes_make_an_id),
        cmocka_unit_test(the_time_of_a_uuid_is_read_back),
        cmocka_unit_test(all_of_a_time_are_between_its_first_and_its_last),
    };

    return cmocka_run_group_tests(tests, start_sodium, NULL);
}
