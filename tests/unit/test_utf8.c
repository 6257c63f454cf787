#include "lib/utf8.h"

#include <string.h>

#include "tests/unit/unit.h"

/* A literal with its length, so that it may hold NUL. */
#define BYTES(literal)                                                                     \
    {                                                                                      \
        (literal), sizeof(literal) - 1                                                     \
    }

static void characters_are_decoded_at_their_limits(void **state)
{
    static const struct {
        struct span text;
        size_t len;
        uint32_t code_point;
    } rows[] = {
        {BYTES("\0"), 1, 0},
        {BYTES("a"), 1, 'a'},
        {BYTES("\x7f"), 1, 0x7f},
        {BYTES("\xc2\x80"), 2, 0x80},
        {BYTES("\xdf\xbf"), 2, 0x7ff},
        {BYTES("\xe0\xa0\x80"), 3, 0x800},
        {BYTES("\xed\x9f\xbf"), 3, 0xd7ff},
        {BYTES("\xee\x80\x80"), 3, 0xe000},
        {BYTES("\xef\xbf\xbf"), 3, 0xffff},
        {BYTES("\xf0\x90\x80\x80"), 4, 0x10000},
        {BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
        {BYTES("\xc3\xa9 and more"), 2, 0xe9},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t code_point = 0xffffffff;

        assert_int_equal(utf8_decode(rows[i].text, &code_point), rows[i].len);
        assert_int_equal(code_point, rows[i].code_point);
        assert_int_equal(utf8_decode(rows[i].text, NULL), rows[i].len);
    }
}

static void what_is_behind_the_text_is_not_read(void **state)
{
    static const struct span rows[] = {BYTES("\xc3\xa9"), BYTES("\xe2\x82\xac"),
                                       BYTES("\xf0\x9f\x98\x80")};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t len = 0; len < rows[i].len; len++)
            assert_int_equal(utf8_decode((struct span){rows[i].data, len}, NULL), 0);
}

static void bytes_that_rfc_3629_forbids_are_refused(void **state)
{
    static const struct span rows[] = {
        BYTES("\x80"),             /* continuation alone */
        BYTES("\xbf"),             /* the same */
        BYTES("\xc0\x80"),         /* overlong NUL */
        BYTES("\xc1\xbf"),         /* overlong U+007F */
        BYTES("\xe0\x9f\xbf"),     /* overlong U+07FF */
        BYTES("\xf0\x8f\xbf\xbf"), /* overlong U+FFFF */
        BYTES("\xed\xa0\x80"),     /* first surrogate */
        BYTES("\xed\xbf\xbf"),     /* last surrogate */
        BYTES("\xf4\x90\x80\x80"), /* U+110000 */
        BYTES("\xf5\x80\x80\x80"), /* no such first byte */
        BYTES("\xf8\x88\x80\x80\x80"),
        BYTES("\xfe"),
        BYTES("\xff"),
        BYTES("\xc3"),         /* cut short */
        BYTES("\xe2\x82"),     /* cut short */
        BYTES("\xf0\x9f\x98"), /* cut short */
        BYTES("\xc3("),
        BYTES("\xe2(\xa1"),
        BYTES("\xe2\x82("),
        BYTES("\xf0\x9f\x98("),
        BYTES("\xc3\xc3"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (utf8_decode(rows[i], NULL) != 0 || utf8_valid(rows[i]))
            fail_msg("row %zu was accepted", i);
    }
    assert_int_equal(utf8_decode((struct span){NULL, 0}, NULL), 0);
}

static void every_code_point_survives_a_round_trip(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c = c == 0xd7ff ? 0xe000 : c + 1) {
        char text[4];
        uint32_t again = 0xffffffff;
        size_t len = utf8_encode(c, text);

        if (utf8_decode((struct span){text, len}, &again) != len || again != c)
            fail_msg("U+%04X became U+%04X", (unsigned)c, (unsigned)again);
    }
}

static void exactly_the_well_formed_pairs_and_triples_are_valid(void **state)
{
    unsigned pairs = 0;
    unsigned triples = 0;

    (void)state;
    for (unsigned i = 0; i < 0x1000000; i++) {
        char text[] = {(char)(i >> 16), (char)(i >> 8), (char)i};

        triples += utf8_decode((struct span){text, 3}, NULL) == 3;
        if (i < 0x10000)
            pairs += utf8_decode((struct span){text + 1, 2}, NULL) == 2;
    }
    assert_int_equal(pairs, 0x800 - 0x80);
    assert_int_equal(triples, 0x10000 - 0x800 - 0x800);
}

static void validity_covers_the_whole_text(void **state)
{
    (void)state;
    assert_true(utf8_valid((struct span){NULL, 0}));
    assert_true(utf8_valid(span_of("plain")));
    assert_true(utf8_valid(span_of("na\xc3\xafve \xf0\x9f\x98\x80 \xe2\x82\xac")));
    assert_true(utf8_valid((struct span)BYTES("a\0b")));
    assert_false(utf8_valid(span_of("good until here \xff")));
    assert_false(utf8_valid(span_of("\xc3\xa9\xc3")));
    assert_true(utf8_valid((struct span){"\xc3\xa9\xc3", 2}));
}

static void only_white_space_is_blank(void **state)
{
    static const uint32_t white[] = {
        0x09,   0x0a,   0x0b,   0x0c,   0x0d,   0x20,   0x85,   0xa0,   0x1680,
        0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007, 0x2008,
        0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    };
    size_t next = 0;

    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c = c == 0xd7ff ? 0xe000 : c + 1) {
        char text[4];
        bool expected = next < COUNT(white) && white[next] == c;

        if (utf8_blank((struct span){text, utf8_encode(c, text)}) != expected)
            fail_msg("U+%04X", (unsigned)c);
        next += expected;
    }
    assert_int_equal(next, COUNT(white));
}

static void one_other_character_makes_text_not_blank(void **state)
{
    (void)state;
    assert_true(utf8_blank((struct span){NULL, 0}));
    assert_true(utf8_blank(span_of(" \t\r\n\xc2\xa0\xe3\x80\x80")));
    assert_false(utf8_blank(span_of("  \t x")));
    assert_false(utf8_blank(span_of("x  ")));
    assert_false(utf8_blank(span_of("\xe2\x80\x8b"))); /* zero width space has no width */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_decoded_at_their_limits),
        cmocka_unit_test(what_is_behind_the_text_is_not_read),
        cmocka_unit_test(bytes_that_rfc_3629_forbids_are_refused),
        cmocka_unit_test(every_code_point_survives_a_round_trip),
        cmocka_unit_test(exactly_the_well_formed_pairs_and_triples_are_valid),
        cmocka_unit_test(validity_covers_the_whole_text),
        cmocka_unit_test(only_white_space_is_blank),
        cmocka_unit_test(one_other_character_makes_text_not_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
