#include "lib/geo.h"

#include "tests/unit/geo_files.h"

static void nothing_is_known_without_files_or_address(void **state)
{
    struct geo *none = must_create(NULL, NULL, NULL);
    struct geo *empty = must_create("", "", "");
    struct geo_tags zero;
    struct geo_tags tags;
    struct address no_address = {.family = ADDRESS_NONE};

    (void)state;
    memset(&zero, 0, sizeof zero);
    expect_tags(NULL, "192.0.2.1", "", "", "");
    expect_tags(none, "192.0.2.1", "", "", "");
    expect_tags(empty, "2001:db8::1", "", "", "");
    memset(&tags, 0xff, sizeof tags);
    geo_lookup(none, &no_address, 0, &tags);
    assert_memory_equal(&tags, &zero, sizeof tags);
    assert_int_equal(complaints, 0);
    geo_free(none);
    geo_free(empty);
    geo_free(NULL);
}

#ifdef HAVE_MAXMINDDB

static void each_file_gives_its_tag(void **state)
{
    (void)state;
    make("country", "country");
    make("city", "city");
    make("asn", "asn");
    struct geo *geo = must_create("country", "city", "asn");

    expect_tags(geo, "192.0.2.1", "NL", "Amsterdam", "AS64500 Example Networks");
    expect_tags(geo, "::ffff:192.0.2.129", "DE", "Amsterdam", "AS64500 Example Networks");
    expect_tags(geo, "2001:db8::1", "FR", "", "");
    expect_tags(geo, "2001:db9::1", "", "", "");
    expect_tags(geo, "198.51.100.1", "", "Z\xc3\xbcrich", "AS4294967295 Largest");
    expect_tags(geo, "203.0.113.1", "", "", "AS64501");
    expect_tags(geo, "10.0.0.1", "", "", "");
    expect_tags(geo, "11.0.0.1", "", "", "");
    assert_int_equal(complaints, 0);
    geo_free(geo);
}

static void an_address_without_family_has_no_tags_with_files_either(void **state)
{
    struct address no_address = {.family = ADDRESS_NONE};
    struct geo_tags tags;

    (void)state;
    make("country", "country");
    struct geo *geo = must_create("country", NULL, NULL);
    memset(&tags, 0xff, sizeof tags);
    geo_lookup(geo, &no_address, 0, &tags);
    assert_string_equal(tags.country, "");
    assert_string_equal(tags.city, "");
    assert_string_equal(tags.network, "");
    geo_free(geo);
}

static void a_city_file_serves_for_countries_only_without_a_country_file(void **state)
{
    (void)state;
    make("city", "city");
    make("other_country", "country");
    struct geo *alone = must_create(NULL, "city", NULL);
    struct geo *both = must_create("country", "city", NULL);
    struct geo *absent = must_create("nowhere", "city", NULL);

    expect_tags(alone, "192.0.2.1", "NL", "Amsterdam", "");
    expect_tags(alone, "203.0.113.1", "SE", "", "");
    expect_tags(both, "192.0.2.1", "BE", "Amsterdam", "");
    expect_tags(absent, "192.0.2.1", "", "Amsterdam", "");
    geo_free(alone);
    geo_free(both);
    geo_free(absent);
}

static void flat_and_ipv4_files_are_read(void **state)
{
    (void)state;
    make("flat", "file");
    struct geo *geo = must_create("file", "file", "file");
    expect_tags(geo, "192.0.2.1", "CH", "Bern", "");
    geo_free(geo);
    make("country4", "country");
    geo = must_create("country", NULL, NULL);
    expect_tags(geo, "192.0.2.1", "NL", "", "");
    expect_tags(geo, "2001:db8::1", "", "", "");
    geo_free(geo);
    make("odd_asn_type", "asn");
    geo = must_create(NULL, NULL, "asn");
    expect_tags(geo, "10.0.0.1", "", "", "AS64500 Short");
    geo_free(geo);
}

static void codes_that_are_no_two_capitals_are_dropped(void **state)
{
    (void)state;
    make("odd_country", "country");
    struct geo *geo = must_create("country", NULL, NULL);

    for (unsigned i = 10; i <= 15; i++) {
        char text[16];

        (void)snprintf(text, sizeof text, "%u.0.0.1", i);
        expect_tags(geo, text, "", "", "");
    }
    geo_free(geo);
}

static void values_of_another_type_are_dropped(void **state)
{
    (void)state;
    make("odd_country_type", "country");
    make("odd_asn_text", "asn");
    struct geo *geo = must_create("country", "asn", "asn");

    expect_tags(geo, "10.0.0.1", "", "", "");
    assert_int_equal(complaints, 0);
    geo_free(geo);
}

static void long_names_are_cut_at_a_character(void **state)
{
    static const struct {
        const char *address;
        size_t len;
        const char *end;
    } rows[] = {
        {"10.0.0.1", 127, "x"},
        {"11.0.0.1", 127, "x"},
        {"12.0.0.1", 127, "x"},
        {"13.0.0.1", 127, "\xc3\xa9"},
        {"14.0.0.1", 125, "\xe2\x82\xac"},
        {"15.0.0.1", 125, "\xf0\x9f\x98\x80"},
        {"17.0.0.1", 0, ""},
        {"18.0.0.1", 0, ""},
        {"19.0.0.1", 0, ""},
    };

    (void)state;
    make("odd_city", "city");
    make("asn", "asn");
    struct geo *geo = must_create(NULL, "city", "asn");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct geo_tags tags = tags_at(geo, rows[i].address, 0);
        size_t end = rows[i].len - strlen(rows[i].end);

        assert_int_equal(strlen(tags.city), rows[i].len);
        assert_string_equal(tags.city + end, rows[i].end);
    }
    struct geo_tags tags = tags_at(geo, "12.0.0.1", 0);
    assert_memory_equal(tags.network, "AS64502 \xc3\xa9", 10);
    assert_int_equal(strlen(tags.network), 126);
    geo_free(geo);
}

static void names_that_are_no_utf8_are_dropped(void **state)
{
    static char bytes[1 << 17];

    (void)state;
    make("odd_city", "city");
    size_t len = read_file("city", bytes, sizeof bytes);
    struct geo *before = must_create(NULL, "city", NULL);
    expect_tags(before, "16.0.0.1", "", "REPLACE ME", "");
    char *name = memmem(bytes, len, "REPLACE ME", 10);
    assert_non_null(name);
    name[3] = '\xff';
    replace("city", bytes, len);
    struct geo *after = must_create(NULL, "city", NULL);
    expect_tags(after, "16.0.0.1", "", "", "");
    assert_int_equal(complaints, 0);
    geo_free(before);
    geo_free(after);
}

#else

static void files_are_not_looked_at_without_the_library(void **state)
{
    (void)state;
    struct geo *geo = must_create("nowhere", "nowhere", "nowhere");

    expect_tags(geo, "192.0.2.1", "", "", "");
    assert_int_equal(complaints, 0);
    geo_free(geo);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(nothing_is_known_without_files_or_address),
#ifdef HAVE_MAXMINDDB
        in_directory(each_file_gives_its_tag),
        in_directory(an_address_without_family_has_no_tags_with_files_either),
        in_directory(a_city_file_serves_for_countries_only_without_a_country_file),
        in_directory(flat_and_ipv4_files_are_read),
        in_directory(codes_that_are_no_two_capitals_are_dropped),
        in_directory(values_of_another_type_are_dropped),
        in_directory(long_names_are_cut_at_a_character),
        in_directory(names_that_are_no_utf8_are_dropped),
#else
        in_directory(files_are_not_looked_at_without_the_library),
#endif
    };

    return cmocka_run_group_tests(tests, find_script, NULL);
}
