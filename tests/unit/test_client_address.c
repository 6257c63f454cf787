#include "app/serve/client_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct config_blocks nobody = {.count = 0};

static struct config_blocks trust(const char *text)
{
    const struct config_option option = {.name = "trusted_proxies"};
    struct config_blocks blocks;
    struct problem why = {""};

    if (config_cidr_list(&blocks, text, &option, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return blocks;
}

struct row {
    const char *remote, *forwarded, *expected; /* "": no address */
};

static void expect_rows(const struct row *rows, size_t count,
                        const struct config_blocks *trusted)
{
    for (size_t i = 0; i < count; i++) {
        char text[ADDRESS_TEXT_BYTES];
        struct address address =
            client_address(span_of(rows[i].remote), span_of(rows[i].forwarded), trusted);

        (void)address_format(&address, text);
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("%s, forwarded for %s: '%s'", rows[i].remote, rows[i].forwarded, text);
    }
}

static void without_trusted_proxies_the_peer_alone_counts(void **state)
{
    static const struct row rows[] = {
        {"192.0.2.1", NULL, "192.0.2.1"},
        {"192.0.2.1", "198.51.100.1", "192.0.2.1"},
        {"127.0.0.1", "198.51.100.1", "127.0.0.1"},
        {"2001:DB8::1", NULL, "2001:db8::1"},
        {"::1", "198.51.100.1", "::1"},
        {"::ffff:192.0.2.1", NULL, "192.0.2.1"},
    };

    (void)state;
    expect_rows(rows, COUNT(rows), &nobody);
}

static void what_is_no_plain_address_is_none(void **state)
{
    static const struct row rows[] = {
        {NULL, "192.0.2.1", ""},    {"", "192.0.2.1", ""},
        {"unix:", NULL, ""},        {"unix:/run/x.sock", NULL, ""},
        {"192.0.2.1:80", NULL, ""}, {"[2001:db8::1]", NULL, ""},
        {"[::1]:80", NULL, ""},     {"fe80::1%eth0", NULL, ""},
        {"192.0.2", NULL, ""},      {"192.0.2.01", NULL, ""},
        {" 192.0.2.1", NULL, ""},   {"192.0.2.1 ", NULL, ""},
        {"localhost", NULL, ""},    {"0x7f.0.0.1", NULL, ""},
        {"192.0.2.1/32", NULL, ""}, {"192.0.2.1,192.0.2.2", NULL, ""},
    };
    struct config_blocks everybody = trust("0.0.0.0/0 ::/0");

    (void)state;
    expect_rows(rows, COUNT(rows), &nobody);
    expect_rows(rows, COUNT(rows), &everybody);
}

static void a_trusted_peer_speaks_for_the_last_in_the_list(void **state)
{
    static const struct row rows[] = {
        {"10.0.0.1", "192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "198.51.100.1, 192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "198.51.100.1,192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "\t198.51.100.1 ,\t 192.0.2.1 \t", "192.0.2.1"},
        {"10.0.0.1", "garbage, 192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "10.0.0.2, 192.0.2.1", "192.0.2.1"},
        {"10.0.0.1", "2001:db8::7", "2001:db8::7"},
        {"10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"},
        {"::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"},
        {"2001:db8:1::9", "192.0.2.1", "192.0.2.1"},
        {"11.0.0.1", "192.0.2.1", "11.0.0.1"},
        {"2001:db8:2::9", "192.0.2.1", "2001:db8:2::9"},
    };
    struct config_blocks trusted = trust("10.0.0.0/8, 2001:db8:1::/48");

    (void)state;
    expect_rows(rows, COUNT(rows), &trusted);
}

static void an_entry_may_be_written_with_brackets_or_a_port(void **state)
{
    static const struct row rows[] = {
        {"10.0.0.1", "192.0.2.1:80", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1:65535", "192.0.2.1"},
        {"10.0.0.1", "[2001:db8::7]", "2001:db8::7"},
        {"10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"},
        {"10.0.0.1", "[::ffff:192.0.2.1]:1", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1:5000, 10.0.0.2:6000", "192.0.2.1"},
        {"10.0.0.1", "2001:db8::7:80", "2001:db8::7:80"}, /* all of it is the address */
    };
    struct config_blocks trusted = trust("10.0.0.0/8");

    (void)state;
    expect_rows(rows, COUNT(rows), &trusted);
}

static void proxies_behind_proxies_are_followed_while_they_are_trusted(void **state)
{
    static const struct row rows[] = {
        {"10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1"},
        {"10.0.0.1", "192.0.2.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"},
        {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"}, /* the client is one of them */
        {"10.0.0.1", "10.0.0.2", "10.0.0.2"},
    };
    struct config_blocks trusted = trust("10.0.0.0/8");

    (void)state;
    expect_rows(rows, COUNT(rows), &trusted);
}

static void a_trusted_peer_with_a_useless_list_has_no_client(void **state)
{
    static const struct row rows[] = {
        {"10.0.0.1", NULL, ""},
        {"10.0.0.1", "", ""},
        {"10.0.0.1", " ", ""},
        {"10.0.0.1", ",", ""},
        {"10.0.0.1", "192.0.2.1,", ""},
        {"10.0.0.1", "192.0.2.1:", ""},
        {"10.0.0.1", "192.0.2.1:x", ""},
        {"10.0.0.1", "192.0.2.1:65536", ""},
        {"10.0.0.1", "192.0.2.1:000080", ""},
        {"10.0.0.1", "192.0.2.1:80:80", ""},
        {"10.0.0.1", ":80", ""},
        {"10.0.0.1", "[192.0.2.1]", ""},
        {"10.0.0.1", "[192.0.2.1]:80", ""},
        {"10.0.0.1", "[2001:db8::7", ""},
        {"10.0.0.1", "2001:db8::7]", ""},
        {"10.0.0.1", "[2001:db8::7]80", ""},
        {"10.0.0.1", "[2001:db8::7]:", ""},
        {"10.0.0.1", "[2001:db8::7]:x", ""},
        {"10.0.0.1", "[[2001:db8::7]]", ""},
        {"10.0.0.1", "[]", ""},
        {"10.0.0.1", "[]:80", ""},
        {"10.0.0.1", "[", ""},
        {"10.0.0.1", "[fe80::1%eth0]", ""},
        {"10.0.0.1", "unknown", ""},
        {"10.0.0.1", "_hidden", ""},
        {"10.0.0.1", "\"192.0.2.1\"", ""},
        {"10.0.0.1", "192.0.2.1, garbage", ""},
        {"10.0.0.1", "192.0.2.1, garbage, 10.0.0.2", ""},
        {"10.0.0.1", "192.0.2.1 192.0.2.2", ""},
    };
    struct config_blocks trusted = trust("10.0.0.0/8");

    (void)state;
    expect_rows(rows, COUNT(rows), &trusted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_trusted_proxies_the_peer_alone_counts),
        cmocka_unit_test(what_is_no_plain_address_is_none),
        cmocka_unit_test(a_trusted_peer_speaks_for_the_last_in_the_list),
        cmocka_unit_test(an_entry_may_be_written_with_brackets_or_a_port),
        cmocka_unit_test(proxies_behind_proxies_are_followed_while_they_are_trusted),
        cmocka_unit_test(a_trusted_peer_with_a_useless_list_has_no_client),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
