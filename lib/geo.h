/*
 * Country, city and network of an address, from MaxMind DB files.
 *
 * No failure here fails a request: without a file, with a damaged one, or for an unknown
 * address the tags are empty. Files are checked for changes at most every GEO_CHECK_MS. A
 * file that was replaced is opened and tried before it is used instead of the former one.
 * It must be replaced by rename: a file that is truncated while it is mapped kills the
 * reader with SIGBUS. Built --without-maxminddb all tags are empty.
 */
#ifndef LIB_GEO_H
#define LIB_GEO_H

#include "lib/address.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GEO_CHECK_MS = 30000,
    GEO_TEXT_BYTES = 128, /* a tag with its NUL; longer names are cut at a character */
};

/* Tags of one address; empty strings where nothing is known. */
struct geo_tags {
    char country[3];              /* ISO 3166-1 alpha-2 */
    char city[GEO_TEXT_BYTES];    /* English name */
    char network[GEO_TEXT_BYTES]; /* "AS64500 Example Networks" */
};

enum geo_file {
    GEO_COUNTRY,
    GEO_CITY,
    GEO_ASN,
    GEO_FILES,
};

/* Which files to use; NULL or "" for none. Without a country file, countries are looked up
 * in the city file. */
struct geo_paths {
    const char *country;
    const char *city;
    const char *asn;
};

struct geo;

typedef void geo_complain(void *arg, const char *path, const char *sentence);

/*
 * Opens the files that can be opened. NULL: out of memory; a file that cannot be used is no
 * failure. complain (may be NULL) is called with arg and one sentence for each such file,
 * now and at later checks, once per state of the file.
 */
struct geo *geo_create(const struct geo_paths *paths, geo_complain *complain, void *arg);

/* False: built without libmaxminddb. */
bool geo_is_supported(void);

/* NULL is allowed. */
void geo_free(struct geo *geo);

/* When the file that is in use was built, in seconds since 1970, as it says itself; 0: none
 * is in use. geo may be NULL. */
int64_t geo_build_time(const struct geo *geo, enum geo_file file);

/* Which file tells countries: GEO_COUNTRY, or GEO_CITY where no such file is configured. */
enum geo_file geo_country_file(const struct geo *geo);

/* Fills *out. now_monotonic_ms decides whether the files are checked again. geo NULL or
 * an address of family ADDRESS_NONE gives empty tags. */
void geo_lookup(struct geo *geo, const struct address *address, int64_t now_monotonic_ms,
                struct geo_tags *out);

#endif
