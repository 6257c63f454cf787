#include "lib/address.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct address must_parse(const char *text)
{
    struct address address;

    if (!address_parse(&address, span_of(text)))
        fail_msg("'%s' was refused", text);
    return address;
}

static struct cidr must_parse_block(const char *text)
{
    struct cidr cidr;
    struct problem why = {""};

    if (cidr_parse(&cidr, span_of(text), &why) != STATUS_OK)
        fail_msg("'%s' was refused: %s", text, why.text);
    return cidr;
}

static void addresses_are_written_in_their_shortest_form(void **state)
{
    static const struct {
        const char *given;
        const char *written;
        uint8_t family;
    } rows[] = {
        {"0.0.0.0", "0.0.0.0", ADDRESS_IPV4},
        {"192.0.2.1", "192.0.2.1", ADDRESS_IPV4},
        {"255.255.255.255", "255.255.255.255", ADDRESS_IPV4},
        {"::", "::", ADDRESS_IPV6},
        {"::1", "::1", ADDRESS_IPV6},
        {"2001:DB8::A", "2001:db8::a", ADDRESS_IPV6},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1", ADDRESS_IPV6},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", ADDRESS_IPV6},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", ADDRESS_IPV6},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", ADDRESS_IPV6},
        {"64:ff9b::192.0.2.1", "64:ff9b::c000:201", ADDRESS_IPV6},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_IPV6},
        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_IPV6},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[ADDRESS_TEXT_BYTES];
        struct address address = must_parse(rows[i].given);

        assert_int_equal(address.family, rows[i].family);
        size_t len = address_format(&address, text);
        assert_int_equal(len, strlen(text));
        assert_string_equal(text, rows[i].written);
    }
}

static void a_mapped_address_is_the_ipv4_address(void **state)
{
    static const char *const spellings[] = {
        "::ffff:192.0.2.1",
        "::FFFF:c000:201",
        "0:0:0:0:0:ffff:192.0.2.1",
    };
    struct address plain = must_parse("192.0.2.1");

    (void)state;
    for (size_t i = 0; i < COUNT(spellings); i++) {
        struct address mapped = must_parse(spellings[i]);

        assert_memory_equal(&mapped, &plain, sizeof plain);
    }
    assert_int_equal(must_parse("::fffe:192.0.2.1").family, ADDRESS_IPV6);
    assert_int_equal(must_parse("::192.0.2.1").family, ADDRESS_IPV6);
    assert_int_equal(must_parse("1::ffff:192.0.2.1").family, ADDRESS_IPV6);
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "localhost",
        "unix:",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "127.1",
        "010.0.0.1",
        "1.2.3.04",
        "0x7f.0.0.1",
        "256.0.0.1",
        "1.2.3.-4",
        "+1.2.3.4",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4\n",
        "1.2.3.4:80",
        "1.2.3.4/32",
        "1..2.3",
        "2130706433",
        ":",
        ":::",
        "::1::",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "fe80::1%eth0",
        "fe80::1%1",
        "[::1]",
        "[::1]:80",
        "::1/128",
        "12345::",
        "g::",
        "::ffff:010.0.0.1",
        "::ffff:1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4",
        "ffff:ffff:ffff:ffff:ffff:ffff:0255.255.255.255",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address;
        struct address none = {.family = ADDRESS_NONE};

        memset(&address, 0xff, sizeof address);
        if (address_parse(&address, span_of(rows[i])))
            fail_msg("'%s' was accepted", rows[i]);
        assert_memory_equal(&address, &none, sizeof none);
    }
}

static void only_the_length_ends_the_text(void **state)
{
    struct address address;

    (void)state;
    assert_true(address_parse(&address, (struct span){"1.2.3.45", 7}));
    assert_int_equal(address.bytes[3], 4);
    assert_false(address_parse(&address, (struct span){"1.2.3.4\0", 8}));
    assert_false(address_parse(&address, (struct span){"1.2.3.4\0.5", 10}));
    assert_false(address_parse(&address, (struct span){NULL, 0}));
}

static void no_address_is_written_as_nothing(void **state)
{
    struct address none = {.family = ADDRESS_NONE};
    struct address damaged = {.family = 5};
    char text[ADDRESS_TEXT_BYTES] = "x";

    (void)state;
    (void)address_format(&none, text);
    assert_string_equal(text, "");
    assert_int_equal(address_bytes(&none), 0);
    assert_int_equal(address_bytes(&damaged), 0);
}

static void equality_looks_at_family_and_all_bytes(void **state)
{
    struct address a = must_parse("2001:db8::1");
    struct address b = must_parse("2001:db8::2");
    struct address zero4 = must_parse("0.0.0.0");
    struct address zero6 = must_parse("::");

    (void)state;
    assert_true(address_equals(&a, &a));
    assert_false(address_equals(&a, &b));
    assert_false(address_equals(&zero4, &zero6));
}

static void common_bits_are_counted_from_the_left(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        unsigned bits;
    } rows[] = {
        {"0.0.0.0", "128.0.0.0", 0},   {"10.0.0.0", "11.0.0.0", 7},
        {"10.0.0.0", "10.128.0.0", 8}, {"10.0.0.0", "10.0.0.1", 31},
        {"10.0.0.1", "10.0.0.1", 32},  {"2001:db8::", "2001:db8::1", 127},
        {"::1", "::1", 128},           {"::", "8000::", 0},
        {"0.0.0.0", "::", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address a = must_parse(rows[i].a);
        struct address b = must_parse(rows[i].b);

        assert_int_equal(address_common_bits(&a, &b), rows[i].bits);
        assert_int_equal(address_common_bits(&b, &a), rows[i].bits);
    }
}

static void truncation_clears_what_is_behind_the_prefix(void **state)
{
    static const struct {
        const char *given;
        unsigned prefix_len;
        const char *left;
    } rows[] = {
        {"255.255.255.255", 0, "0.0.0.0"},
        {"255.255.255.255", 1, "128.0.0.0"},
        {"255.255.255.255", 9, "255.128.0.0"},
        {"255.255.255.255", 31, "255.255.255.254"},
        {"10.1.2.3", 32, "10.1.2.3"},
        {"10.1.2.3", 200, "10.1.2.3"},
        {"2001:db8:ffff::1", 33, "2001:db8:8000::"},
        {"::1", 128, "::1"},
        {"::1", 127, "::"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address given = must_parse(rows[i].given);
        struct address left = must_parse(rows[i].left);
        struct address cut = address_truncate(&given, rows[i].prefix_len);

        assert_memory_equal(&cut, &left, sizeof cut);
    }
}

static void blocks_are_read_and_written(void **state)
{
    static const struct {
        const char *given;
        const char *written;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0/8"},
        {"192.0.2.1", "192.0.2.1/32"},
        {"192.0.2.1/32", "192.0.2.1/32"},
        {"0.0.0.0/0", "0.0.0.0/0"},
        {"::/0", "::/0"},
        {"2001:DB8::/32", "2001:db8::/32"},
        {"::1", "::1/128"},
        {"::ffff:192.0.2.1", "192.0.2.1/32"},
        {"::ffff:192.0.2.1/128", "192.0.2.1/32"},
        {"::ffff:10.0.0.0/104", "10.0.0.0/8"},
        {"::ffff:0:0/96", "0.0.0.0/0"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[CIDR_TEXT_BYTES];
        struct cidr cidr = must_parse_block(rows[i].given);

        cidr_format(&cidr, text);
        assert_string_equal(text, rows[i].written);
    }
}

static void refused_blocks_come_with_a_sentence(void **state)
{
    static const struct {
        const char *given;
        const char *why;
    } rows[] = {
        {"10.0.0.1/8", "10.0.0.1/8 has host bits set: did you mean 10.0.0.0/8?"},
        {"10.0.0.1/0", "10.0.0.1/0 has host bits set: did you mean 0.0.0.0/0?"},
        {"2001:db8::1/64", "2001:db8::1/64 has host bits set: did you mean 2001:db8::/64?"},
        {"::ffff:10.0.0.1/104", "10.0.0.1/8 has host bits set: did you mean 10.0.0.0/8?"},
        {"", "'' is no IP address"},
        {"/8", "'' is no IP address"},
        {"10.0.0/8", "'10.0.0' is no IP address"},
        {"010.0.0.0/8", "'010.0.0.0' is no IP address"},
        {" 10.0.0.0/8", "' 10.0.0.0' is no IP address"},
        {"10.0.0.0 /8", "'10.0.0.0 ' is no IP address"},
        {"a\nb", "'a?b' is no IP address"},
        {"fe80::%eth0/64", "'fe80::%eth0' is no IP address"},
        {"10.0.0.0/", "10.0.0.0/: the prefix length must be 0 to 32"},
        {"10.0.0.0/33", "10.0.0.0/33: the prefix length must be 0 to 32"},
        {"10.0.0.0/08", "10.0.0.0/08: the prefix length must be 0 to 32"},
        {"10.0.0.0/00", "10.0.0.0/00: the prefix length must be 0 to 32"},
        {"10.0.0.0/+8", "10.0.0.0/+8: the prefix length must be 0 to 32"},
        {"10.0.0.0/-8", "10.0.0.0/-8: the prefix length must be 0 to 32"},
        {"10.0.0.0/ 8", "10.0.0.0/ 8: the prefix length must be 0 to 32"},
        {"10.0.0.0/8 ", "10.0.0.0/8 : the prefix length must be 0 to 32"},
        {"10.0.0.0/8/8", "10.0.0.0/8/8: the prefix length must be 0 to 32"},
        {"10.0.0.0/0x8", "10.0.0.0/0x8: the prefix length must be 0 to 32"},
        {"10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0: the prefix length must be 0 to 32"},
        {"10.0.0.0/4294967304", "10.0.0.0/4294967304: the prefix length must be 0 to 32"},
        {"::/129", "::/129: the prefix length must be 0 to 128"},
        {"::/999", "::/999: the prefix length must be 0 to 128"},
        {"::ffff:1.2.3.4/129", "::ffff:1.2.3.4/129: the prefix length must be 0 to 128"},
        {"::ffff:0:0/95",
         "::ffff:0:0/95 reaches beyond IPv4 addresses: use a prefix length "
         "of 96 to 128, or write an IPv4 block"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct problem why = {""};
        struct cidr cidr;
        struct cidr nothing = {.prefix_len = 0};

        memset(&cidr, 0xff, sizeof cidr);
        assert_int_equal(cidr_parse(&cidr, span_of(rows[i].given), &why), STATUS_INVALID);
        assert_string_equal(why.text, rows[i].why);
        assert_memory_equal(&cidr, &nothing, sizeof cidr);
    }
}

static void nobody_has_to_ask_why(void **state)
{
    struct cidr cidr;

    (void)state;
    assert_int_equal(cidr_parse(&cidr, span_of("10.0.0.1/8"), NULL), STATUS_INVALID);
    assert_int_equal(cidr_parse(&cidr, (struct span){NULL, 0}, NULL), STATUS_INVALID);
}

static void a_nul_byte_makes_a_block_invalid(void **state)
{
    struct cidr cidr;

    (void)state;
    assert_int_equal(cidr_parse(&cidr, (struct span){"10.0.0.0\0/8", 11}, NULL),
                     STATUS_INVALID);
    assert_int_equal(cidr_parse(&cidr, (struct span){"10.0.0.0/8\0", 11}, NULL),
                     STATUS_INVALID);
}

static void a_long_input_is_not_repeated_in_full(void **state)
{
    char text[5000];
    struct cidr cidr;
    struct problem why;

    (void)state;
    memset(text, '1', sizeof text);
    assert_int_equal(cidr_parse(&cidr, (struct span){text, sizeof text}, &why),
                     STATUS_INVALID);
    assert_in_range(strlen(why.text), 1, 100);
}

static void blocks_hold_the_addresses_inside(void **state)
{
    static const struct {
        const char *block;
        const char *address;
        bool inside;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "9.255.255.255", false},
        {"192.0.2.128/25", "192.0.2.128", true},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cidr cidr = must_parse_block(rows[i].block);
        struct address address = must_parse(rows[i].address);

        if (cidr_contains(&cidr, &address) != rows[i].inside)
            fail_msg("%s in %s", rows[i].address, rows[i].block);
    }
}

static void nothing_holds_no_address(void **state)
{
    struct address none = {.family = ADDRESS_NONE};
    struct cidr all4 = must_parse_block("0.0.0.0/0");
    struct cidr all6 = must_parse_block("::/0");
    struct cidr zero = {.prefix_len = 0};

    (void)state;
    assert_false(cidr_contains(&all4, &none));
    assert_false(cidr_contains(&all6, &none));
    assert_false(cidr_contains(&zero, &none));
}

static void bytes_become_the_address_that_they_were(void **state)
{
    static const char *const texts[] = {"192.0.2.7", "0.0.0.0", "2001:db8::7", "::"};
    static const size_t no_lengths[] = {0, 1, 3, 5, 15, 17};
    static const char bytes[17];

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address was, now;
        assert_true(address_parse(&was, span_of(texts[i])));
        now = address_of_bytes((struct span){(const char *)was.bytes, address_bytes(&was)});
        assert_true(address_equals(&now, &was));
    }
    for (size_t i = 0; i < COUNT(no_lengths); i++)
        assert_int_equal(address_of_bytes((struct span){bytes, no_lengths[i]}).family,
                         ADDRESS_NONE);
    assert_int_equal(address_of_bytes((struct span){NULL, 0}).family, ADDRESS_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_written_in_their_shortest_form),
        cmocka_unit_test(a_mapped_address_is_the_ipv4_address),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(only_the_length_ends_the_text),
        cmocka_unit_test(no_address_is_written_as_nothing),
        cmocka_unit_test(equality_looks_at_family_and_all_bytes),
        cmocka_unit_test(common_bits_are_counted_from_the_left),
        cmocka_unit_test(truncation_clears_what_is_behind_the_prefix),
        cmocka_unit_test(blocks_are_read_and_written),
        cmocka_unit_test(refused_blocks_come_with_a_sentence),
        cmocka_unit_test(nobody_has_to_ask_why),
        cmocka_unit_test(a_nul_byte_makes_a_block_invalid),
        cmocka_unit_test(a_long_input_is_not_repeated_in_full),
        cmocka_unit_test(blocks_hold_the_addresses_inside),
        cmocka_unit_test(nothing_holds_no_address),
        cmocka_unit_test(bytes_become_the_address_that_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
