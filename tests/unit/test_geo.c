#include "autoconfig.h"

#include "lib/geo.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

static char script[4096]; /* absolute path of make_mmdb.pl */

/* How often complain was called since the test began. */
static unsigned complaints;
static char last_complaint[512];

static void remember(const char *path, const char *sentence)
{
    complaints++;
    (void)snprintf(last_complaint, sizeof last_complaint, "%s: %s", path, sentence);
}

static struct geo *must_create(const char *country, const char *city, const char *asn)
{
    struct geo_paths paths = {.country = country, .city = city, .asn = asn};
    struct geo *geo = geo_create(&paths, remember);

    assert_non_null(geo);
    return geo;
}

static struct geo_tags tags_at(struct geo *geo, const char *text, int64_t now_ms)
{
    struct geo_tags tags;
    struct address address;

    memset(&tags, 0xff, sizeof tags);
    assert_true(address_parse(&address, span_of(text)));
    geo_lookup(geo, &address, now_ms, &tags);
    return tags;
}

static void expect_tags(struct geo *geo, const char *text, const char *country,
                        const char *city, const char *network)
{
    struct geo_tags tags = tags_at(geo, text, 0);

    assert_string_equal(tags.country, country);
    assert_string_equal(tags.city, city);
    assert_string_equal(tags.network, network);
}

static int find_script(void **state)
{
    const char *srcdir = getenv("srcdir");
    char path[2048];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/tests/unit/make_mmdb.pl",
                   srcdir != NULL ? srcdir : ".");
    return realpath(path, script) != NULL ? 0 : -1;
}

static int set_up(void **state)
{
    complaints = 0;
    last_complaint[0] = '\0';
    return scratch_enter(state);
}

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

static void make(const char *kind, const char *path)
{
    int status = 0;
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0) {
        (void)execlp("perl", "perl", script, kind, path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        fail_msg("make_mmdb.pl %s: status %d (is libmaxmind-db-writer-perl there?)", kind,
                 status);
}

static size_t read_file(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t len = fread(out, 1, room, file);
    assert_in_range(len, 1, room - 1);
    assert_int_equal(fclose(file), 0);
    return len;
}

/* Writes to another name and renames, as updaters do. */
static void replace(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen("new", "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename("new", path), 0);
}

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
    struct geo *geo = geo_create(&paths, NULL);

    (void)state;
    assert_non_null(geo);
    expect_tags(geo, "192.0.2.1", "", "", "");
    geo_free(geo);
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

#define in_directory(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_leave)

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
        in_directory(a_missing_file_is_complained_of_once_and_found_later),
        in_directory(damaged_files_are_refused_with_a_sentence),
        in_directory(no_damaged_byte_does_harm),
        in_directory(what_is_no_regular_file_is_refused_without_waiting),
        in_directory(a_replaced_file_is_seen_after_the_interval),
        in_directory(a_damaged_replacement_leaves_the_old_file_in_use),
        in_directory(a_removed_file_stays_in_use),
        in_directory(each_state_of_a_file_is_tried_once),
        in_directory(nobody_has_to_listen_to_complaints),
#else
        in_directory(files_are_not_looked_at_without_the_library),
#endif
    };

    return cmocka_run_group_tests(tests, find_script, NULL);
}
