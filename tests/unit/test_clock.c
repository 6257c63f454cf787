#include "autoconfig.h"

#include "lib/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void instants_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"1970-01-01T00:00:00.001Z", 1},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2001-09-09T01:46:40.000Z", INT64_C(1000000000000)},
        {"2038-01-19T03:14:08.000Z", INT64_C(2147483648000)},
        {"1900-03-01T00:00:00.000Z", INT64_C(-2203891200000)},
        {"2000-02-29T12:34:56.789Z", INT64_C(951827696789)},
        {"0000-01-01T00:00:00.000Z", INT64_C(-62167219200000)},
        {"0000-02-29T00:00:00.000Z", INT64_C(-62162121600000)},
        {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[CLOCK_TEXT_BYTES];
        int64_t ms = 1;

        clock_format(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(clock_parse(&ms, span_of(rows[i].text)), STATUS_OK);
        assert_true(ms == rows[i].ms);
    }
}

static void every_day_of_ten_thousand_years_agrees_with_libc(void **state)
{
    (void)state;
    for (int64_t day = -719528; day <= 2932896; day++) {
        time_t seconds = (time_t)(day * 86400 + 43200);
        struct tm tm;
        char expected[CLOCK_TEXT_BYTES];
        char text[CLOCK_TEXT_BYTES];
        int64_t ms = 0;

        assert_non_null(gmtime_r(&seconds, &tm));
        clock_format((int64_t)seconds * 1000, text);
        (void)strftime(expected, sizeof expected, "-%m-%dT12:00:00.000Z", &tm);
        int year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 +
                   (text[3] - '0');
        if (year != tm.tm_year + 1900 || strcmp(text + 4, expected) != 0)
            fail_msg("day %lld is %s", (long long)day, text);
        if (clock_parse(&ms, span_of(text)) != STATUS_OK || ms != (int64_t)seconds * 1000)
            fail_msg("%s was read as %lld", text, (long long)ms);
    }
}

static void years_outside_are_cut_to_the_nearest_instant(void **state)
{
    char text[CLOCK_TEXT_BYTES];

    (void)state;
    clock_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    clock_format(INT64_C(-62167219200001), text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
    clock_format(INT64_C(253402300800000), text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    clock_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

static void all_spellings_of_rfc_3339_are_read(void **state)
{
    static const struct {
        const char *text;
        const char *utc;
    } rows[] = {
        {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"},
        {"2026-01-31t12:00:00z", "2026-01-31T12:00:00.000Z"},
        {"2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00.000Z"},
        {"2026-01-31T12:00:00-00:00", "2026-01-31T12:00:00.000Z"},
        {"2026-01-31T12:00:00+01:00", "2026-01-31T11:00:00.000Z"},
        {"2026-01-31T12:00:00-08:30", "2026-01-31T20:30:00.000Z"},
        {"2026-03-01T00:00:00+23:59", "2026-02-28T00:01:00.000Z"},
        {"2026-12-31T23:59:59-00:01", "2027-01-01T00:00:59.000Z"},
        {"2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z"},
        {"2026-01-31T12:00:00.05Z", "2026-01-31T12:00:00.050Z"},
        {"2026-01-31T12:00:00.005Z", "2026-01-31T12:00:00.005Z"},
        {"2026-01-31T12:00:00.0009Z", "2026-01-31T12:00:00.000Z"},
        {"2026-01-31T12:00:00.1239999999999999999999Z", "2026-01-31T12:00:00.123Z"},
        {"1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.250Z"},
        {"1990-12-31T23:59:60Z", "1990-12-31T23:59:59.000Z"},
        {"1990-12-31T15:59:60-08:00", "1990-12-31T23:59:59.000Z"},
        {"1990-12-31T23:59:60.75Z", "1990-12-31T23:59:59.750Z"},
        {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[CLOCK_TEXT_BYTES];
        int64_t ms = 0;

        if (clock_parse(&ms, span_of(rows[i].text)) != STATUS_OK)
            fail_msg("'%s' was refused", rows[i].text);
        clock_format(ms, text);
        assert_string_equal(text, rows[i].utc);
    }
}

static void everything_else_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00Z",
        "2026-01-31T12Z",
        "2026-01-31 12:00:00Z",
        "2026-01-31_12:00:00Z",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z ",
        "2026-01-31T12:00:00ZZ",
        "2026-01-31T12:00:00 Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.5",
        "2026-01-31T12:00:00.-5Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+01:",
        "2026-01-31T12:00:00+1:00",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+01:60",
        "2026-01-31T12:00:00\342\210\22201:00",
        "2026-1-31T12:00:00Z",
        "2026-01-1T12:00:00Z",
        "26-01-31T12:00:00Z",
        "12026-01-31T12:00:00Z",
        "+2026-01-31T12:00:00Z",
        "-2026-01-31T12:00:00Z",
        "20260131T120000Z",
        "2026/01/31T12:00:00Z",
        "2026-00-31T12:00:00Z",
        "2026-13-31T12:00:00Z",
        "2026-01-00T12:00:00Z",
        "2026-01-32T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-06-31T12:00:00Z",
        "2026-09-31T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "2024-02-30T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2100-02-29T12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z",
        "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:60Z",
        "1990-12-31T23:59:60+01:00",
        "2026-01-31T-1:00:00Z",
        "2026-01-31T12:+1:00Z",
        "2026-01-31T12:00: 1Z",
        "2026-W05-6T12:00:00Z",
        "1769860800",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = 0;

        if (clock_parse(&ms, span_of(rows[i])) != STATUS_INVALID)
            fail_msg("'%s' was accepted", rows[i]);
    }
}

static void only_the_length_ends_the_text(void **state)
{
    static const char text[] = "2026-01-31T12:00:00.25+01:00";
    int64_t ms = 0;

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++)
        assert_int_equal(clock_parse(&ms, (struct span){text, len}), STATUS_INVALID);
    assert_int_equal(clock_parse(&ms, (struct span){text, sizeof text - 1}), STATUS_OK);
    assert_int_equal(clock_parse(&ms, (struct span){text, sizeof text}), STATUS_INVALID);
    assert_int_equal(clock_parse(&ms, (struct span){"2026-01-31\00012:00:00Z", 20}),
                     STATUS_INVALID);
    assert_int_equal(clock_parse(&ms, (struct span){NULL, 0}), STATUS_INVALID);
}

static void no_changed_character_is_read_as_the_same_date(void **state)
{
    static const char good[] = "2026-01-31T12:00:00.250Z";
    int64_t expected = 0;

    (void)state;
    assert_int_equal(clock_parse(&expected, span_of(good)), STATUS_OK);
    for (size_t i = 0; i < sizeof good - 1; i++) {
        for (unsigned c = 0; c < 256; c++) {
            char text[sizeof good];
            int64_t ms = 0;

            memcpy(text, good, sizeof good);
            text[i] = (char)c;
            enum status status = clock_parse(&ms, (struct span){text, sizeof good - 1});
            bool same = text[i] == good[i] || text[i] == (good[i] | 0x20);
            if (status == STATUS_OK && (ms == expected) != same)
                fail_msg("%s", text);
        }
    }
}

static void the_clocks_tell_the_time(void **state)
{
    int64_t seconds = (int64_t)time(NULL);
    int64_t now_ms = clock_now_ms();

    (void)state;
    assert_in_range(now_ms - (seconds - 2) * 1000, 0, 60000);
    int64_t before_us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();
    int64_t after_us = clock_monotonic_us();
    assert_true(before_us / 1000 <= ms && ms <= after_us / 1000);
}

static void the_monotonic_clock_moves_and_never_back(void **state)
{
    int64_t start_us = clock_monotonic_us();
    int64_t last_us = start_us;

    (void)state;
    while (last_us < start_us + 3000) {
        int64_t now_us = clock_monotonic_us();

        assert_true(now_us >= last_us);
        last_us = now_us;
    }
}

static void units_of_time_have_their_seconds(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        int64_t wanted = c == 's'   ? 1
                         : c == 'm' ? 60
                         : c == 'h' ? 3600
                         : c == 'd' ? 86400
                                    : 0;
        assert_int_equal(clock_unit_s((char)c), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_read_and_written),
        cmocka_unit_test(every_day_of_ten_thousand_years_agrees_with_libc),
        cmocka_unit_test(years_outside_are_cut_to_the_nearest_instant),
        cmocka_unit_test(all_spellings_of_rfc_3339_are_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(only_the_length_ends_the_text),
        cmocka_unit_test(no_changed_character_is_read_as_the_same_date),
        cmocka_unit_test(the_clocks_tell_the_time),
        cmocka_unit_test(the_monotonic_clock_moves_and_never_back),
        cmocka_unit_test(units_of_time_have_their_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
