/*
 * MaxMind DB files made by make_mmdb.pl, in a directory of each test, and look-ups in them.
 */
#ifndef TESTS_UNIT_GEO_FILES_H
#define TESTS_UNIT_GEO_FILES_H

#include "autoconfig.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/geo.h"
#include "tests/unit/scratch.h"

static char script[4096]; /* absolute path of make_mmdb.pl */

/* How often complain was called since the test began. */
static unsigned complaints;
static char last_complaint[512];

static inline void remember(void *arg, const char *path, const char *sentence)
{
    assert_ptr_equal(arg, &complaints);
    complaints++;
    (void)snprintf(last_complaint, sizeof last_complaint, "%s: %s", path, sentence);
}

static inline struct geo *must_create(const char *country, const char *city,
                                      const char *asn)
{
    struct geo_paths paths = {.country = country, .city = city, .asn = asn};
    struct geo *geo = geo_create(&paths, remember, &complaints);

    assert_non_null(geo);
    return geo;
}

static inline struct geo_tags tags_at(struct geo *geo, const char *text, int64_t now_ms)
{
    struct geo_tags tags;
    struct address address;

    memset(&tags, 0xff, sizeof tags);
    assert_true(address_parse(&address, span_of(text)));
    geo_lookup(geo, &address, now_ms, &tags);
    return tags;
}

static inline void expect_tags(struct geo *geo, const char *text, const char *country,
                               const char *city, const char *network)
{
    struct geo_tags tags = tags_at(geo, text, 0);

    assert_string_equal(tags.country, country);
    assert_string_equal(tags.city, city);
    assert_string_equal(tags.network, network);
}

static inline int find_script(void **state)
{
    const char *srcdir = getenv("srcdir");
    char path[2048];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/tests/unit/make_mmdb.pl",
                   srcdir != NULL ? srcdir : ".");
    return realpath(path, script) != NULL ? 0 : -1;
}

static inline int set_up(void **state)
{
    complaints = 0;
    last_complaint[0] = '\0';
    return scratch_enter(state);
}

static inline void make(const char *kind, const char *path)
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

static inline size_t read_file(const char *path, char *out, size_t room)
{
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    size_t len = fread(out, 1, room, file);
    assert_in_range(len, 1, room - 1);
    assert_int_equal(fclose(file), 0);
    return len;
}

/* Writes to another name and renames, as updaters do. */
static inline void replace(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen("new", "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename("new", path), 0);
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, set_up, scratch_leave)

#endif
