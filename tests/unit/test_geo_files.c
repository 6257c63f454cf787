/* Files of lib/geo.h that are missing, damaged or replaced. */
#include "lib/geo.h"

#include "tests/unit/geo_files.h"

#ifdef HAVE_MAXMINDDB

static void a_missing_file_is_complained_of_once_and_found_later(void **state)
{
    (void)state;
    struct geo *geo = must_create("country", NULL, NULL);

    assert_int_equal(complaints, 1);
    assert_string_equal(last_complaint,
                        "country: cannot use it: No such file or directory; "
                        "its tags stay empty");
    for (int64_t i = 0; i < 5; i++)
        assert_string_equal(tags_at(geo, "192.0.2.1", i * GEO_CHECK_MS).country, "");
    assert_int_equal(complaints, 1);
    make("country", "country");
    assert_string_equal(tags_at(geo, "192.0.2.1", 5 * GEO_CHECK_MS).country, "NL");
    assert_int_equal(complaints, 1);
    geo_free(geo);
}

static void damaged_files_are_refused_with_a_sentence(void **state)
{
    static char bytes[4096];
    static char noise[4096];
    uint32_t seed = 1;

    (void)state;
    make("country", "country");
    size_t len = read_file("country", bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    for (size_t cut = 0; cut < len; cut += 1 + len / 50) {
        complaints = 0;
        replace("file", bytes, cut);
        struct geo *geo = must_create("file", NULL, NULL);
        expect_tags(geo, "192.0.2.1", "", "", "");
        if (complaints != 1)
            fail_msg("%u complaints of a file cut to %zu bytes", complaints, cut);
        geo_free(geo);
    }
    complaints = 0;
    replace("file", noise, sizeof noise);
    struct geo *geo = must_create("file", NULL, NULL);
    expect_tags(geo, "192.0.2.1", "", "", "");
    assert_int_equal(complaints, 1);
    assert_non_null(strstr(last_complaint, "its tags stay empty"));
    geo_free(geo);
}

/* The metadata is left whole, as libmaxminddb 1.7.1 leaks memory when it refuses them. */
static void no_damaged_byte_does_harm(void **state)
{
    static char bytes[4096];

    (void)state;
    make("city", "city");
    size_t len = read_file("city", bytes, sizeof bytes);
    const char *metadata = memmem(bytes, len, "\xab\xcd\xefMaxMind.com", 14);
    assert_non_null(metadata);
    for (size_t i = 0; bytes + i < metadata; i++) {
        char was = bytes[i];

        bytes[i] = (char)(was ^ (i % 2 == 0 ? 0xff : 0x20));
        replace("city", bytes, len);
        bytes[i] = was;
        struct geo *geo = must_create(NULL, "city", NULL);
        (void)tags_at(geo, "192.0.2.1", 0);
        struct geo_tags tags = tags_at(geo, "198.51.100.1", 0);
        assert_in_range(strlen(tags.city), 0, GEO_TEXT_BYTES - 1);
        geo_free(geo);
    }
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
    (void)state;
    assert_int_equal(mkdir("dir", 0700), 0);
    assert_int_equal(mkfifo("file", 0600), 0);
    struct geo *geo = must_create("dir", "file", NULL);

    assert_int_equal(complaints, 2);
    assert_string_equal(last_complaint,
                        "file: cannot use it: it is no regular file; its tags stay empty");
    expect_tags(geo, "192.0.2.1", "", "", "");
    geo_free(geo);
}

static void a_replaced_file_is_seen_after_the_interval(void **state)
{
    (void)state;
    make("country", "country");
    struct geo *geo = must_create("country", NULL, NULL);

    assert_string_equal(tags_at(geo, "192.0.2.1", 1000).country, "NL");
    make("other_country", "new");
    assert_int_equal(rename("new", "country"), 0);
    assert_string_equal(tags_at(geo, "192.0.2.1", 1000).country, "NL");
    assert_string_equal(tags_at(geo, "192.0.2.1", 1000 + GEO_CHECK_MS - 1).country, "NL");
    assert_string_equal(tags_at(geo, "192.0.2.1", 1000 + GEO_CHECK_MS).country, "BE");
    assert_int_equal(complaints, 0);
    geo_free(geo);
}

/* Makes a link, or switches one, at once. */
static void must_link(const char *path, const char *target)
{
    assert_int_equal(symlink(target, "link"), 0);
    assert_int_equal(rename("link", path), 0);
}

static void a_link_that_is_switched_is_followed_after_the_interval(void **state)
{
    (void)state;
    assert_int_equal(mkdir("first", 0700), 0);
    assert_int_equal(mkdir("second", 0700), 0);
    make("country", "first/country");
    make("other_country", "second/country");
    must_link("file", "first/country");
    must_link("current", "first");
    struct geo *by_file = must_create("file", NULL, NULL);
    struct geo *by_directory = must_create("current/country", NULL, NULL);
    assert_string_equal(tags_at(by_file, "192.0.2.1", 0).country, "NL");
    assert_string_equal(tags_at(by_directory, "192.0.2.1", 0).country, "NL");

    must_link("file", "second/country");
    must_link("current", "second");
    assert_string_equal(tags_at(by_directory, "192.0.2.1", GEO_CHECK_MS - 1).country, "NL");
    assert_string_equal(tags_at(by_file, "192.0.2.1", GEO_CHECK_MS).country, "BE");
    assert_string_equal(tags_at(by_directory, "192.0.2.1", GEO_CHECK_MS).country, "BE");

    must_link("current", "nowhere");
    assert_int_equal(complaints, 0);
    assert_string_equal(tags_at(by_directory, "192.0.2.1", 2 * GEO_CHECK_MS).country, "BE");
    assert_int_equal(complaints, 1);
    geo_free(by_file);
    geo_free(by_directory);
}

/* Makes a country file whose metadata give this time. */
static void make_built_at(const char *kind, const char *path, uint32_t time_s)
{
    static const char name[] = "build_epoch";
    static char bytes[4096];

    make(kind, "made");
    size_t len = read_file("made", bytes, sizeof bytes);
    char *at = memmem(bytes, len, name, strlen(name));
    assert_non_null(at);
    at += strlen(name);
    assert_memory_equal(at, "\x04\x02", 2); /* 4 bytes of a 64-bit number */
    for (int i = 0; i < 4; i++)
        at[2 + i] = (char)(time_s >> (24 - 8 * i));
    replace(path, bytes, len);
}

static void the_build_time_is_that_of_the_file_in_use(void **state)
{
    (void)state;
    assert_int_equal(geo_build_time(NULL, GEO_CITY), 0);
    make_built_at("country", "country", 1700000000);
    make_built_at("asn", "asn", 4000000000);
    struct geo *geo = must_create("country", "nowhere", "asn");
    assert_int_equal(geo_build_time(geo, GEO_COUNTRY), 1700000000);
    assert_int_equal(geo_build_time(geo, GEO_CITY), 0);
    assert_int_equal(geo_build_time(geo, GEO_ASN), 4000000000);

    make_built_at("other_country", "country", 1700604800);
    assert_int_equal(geo_build_time(geo, GEO_COUNTRY), 1700000000);
    (void)tags_at(geo, "192.0.2.1", GEO_CHECK_MS);
    assert_int_equal(geo_build_time(geo, GEO_COUNTRY), 1700604800);

    replace("country", "damaged", strlen("damaged"));
    (void)tags_at(geo, "192.0.2.1", 2 * GEO_CHECK_MS);
    assert_int_equal(geo_build_time(geo, GEO_COUNTRY), 1700604800);
    geo_free(geo);
}

static void countries_come_from_the_city_file_only_without_a_country_file(void **state)
{
    (void)state;
    struct geo *both = must_create("nowhere", "nowhere", NULL);
    struct geo *city = must_create("", "nowhere", NULL);

    assert_int_equal(geo_country_file(both), GEO_COUNTRY);
    assert_int_equal(geo_country_file(city), GEO_CITY);
    geo_free(both);
    geo_free(city);
}

static void a_damaged_replacement_leaves_the_old_file_in_use(void **state)
{
    static char bytes[4096];

    (void)state;
    make("country", "country");
    size_t len = read_file("country", bytes, sizeof bytes);
    struct geo *geo = must_create("country", NULL, NULL);
    assert_string_equal(tags_at(geo, "192.0.2.1", 0).country, "NL");

    replace("country", bytes, len / 2);
    for (int64_t i = 1; i < 5; i++)
        assert_string_equal(tags_at(geo, "192.0.2.1", i * GEO_CHECK_MS).country, "NL");
    assert_int_equal(complaints, 1);
    assert_non_null(strstr(last_complaint, "; the file read before stays in use"));

    replace("country", bytes, len / 3); /* another version, another complaint */
    assert_string_equal(tags_at(geo, "192.0.2.1", 5 * GEO_CHECK_MS).country, "NL");
    assert_int_equal(complaints, 2);

    make("other_country", "new");
    assert_int_equal(rename("new", "country"), 0);
    assert_string_equal(tags_at(geo, "192.0.2.1", 6 * GEO_CHECK_MS).country, "BE");
    assert_int_equal(complaints, 2);
    geo_free(geo);
}

static void a_removed_file_stays_in_use(void **state)
{
    (void)state;
    make("country", "country");
    struct geo *geo = must_create("country", NULL, NULL);

    assert_int_equal(unlink("country"), 0);
    for (int64_t i = 0; i < 5; i++)
        assert_string_equal(tags_at(geo, "192.0.2.1", i * GEO_CHECK_MS).country, "NL");
    assert_int_equal(complaints, 1);
    assert_string_equal(last_complaint,
                        "country: cannot use it: No such file or directory; "
                        "the file read before stays in use");
    geo_free(geo);
}

static void each_state_of_a_file_is_tried_once(void **state)
{
    static char bytes[4096];
    struct stat info;

    (void)state;
    make("country", "country");
    size_t len = read_file("country", bytes, sizeof bytes);
    replace("file", bytes, len / 2);
    struct geo *geo = must_create("file", NULL, NULL);
    for (int64_t i = 0; i < 5; i++)
        assert_string_equal(tags_at(geo, "192.0.2.1", i * GEO_CHECK_MS).country, "");
    assert_int_equal(complaints, 1);
    assert_int_equal(stat("file", &info), 0);
    assert_int_equal(chmod("file", info.st_mode ^ S_IXOTH), 0);
    assert_string_equal(tags_at(geo, "192.0.2.1", 5 * GEO_CHECK_MS).country, "");
    assert_int_equal(complaints, 2);
    geo_free(geo);
}

static void nobody_has_to_listen_to_complaints(void **state)
{
    struct geo_paths paths = {.country = "nowhere", .city = "nowhere", .asn = "nowhere"};
    struct geo *geo = geo_create(&paths, NULL, NULL);

    (void)state;
    assert_non_null(geo);
    expect_tags(geo, "192.0.2.1", "", "", "");
    geo_free(geo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_directory(a_missing_file_is_complained_of_once_and_found_later),
        in_directory(damaged_files_are_refused_with_a_sentence),
        in_directory(no_damaged_byte_does_harm),
        in_directory(what_is_no_regular_file_is_refused_without_waiting),
        in_directory(a_replaced_file_is_seen_after_the_interval),
        in_directory(a_link_that_is_switched_is_followed_after_the_interval),
        in_directory(the_build_time_is_that_of_the_file_in_use),
        in_directory(countries_come_from_the_city_file_only_without_a_country_file),
        in_directory(a_damaged_replacement_leaves_the_old_file_in_use),
        in_directory(a_removed_file_stays_in_use),
        in_directory(each_state_of_a_file_is_tried_once),
        in_directory(nobody_has_to_listen_to_complaints),
    };

    return cmocka_run_group_tests(tests, find_script, NULL);
}

#else

int main(void)
{
    return 77; /* skipped: built without libmaxminddb */
}

#endif
