#include "autoconfig.h"

#include "lib/geo.h"

#include "lib/file.h"
#include "lib/utf8.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MAXMINDDB

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum {
    SENTENCE_BYTES = 256,
    PATH_STEPS = 4, /* into a record, with the closing NULL */
};

/* Identifies a version of a file. */
struct file_state {
    int error; /* of stat, 0 when the file is there */
    struct file_id id;
    off_t size;
    struct timespec mtime;
    struct timespec ctime; /* a changed mode may make it readable */
};

struct file {
    char *path;              /* NULL: not configured */
    bool was_seen;           /* state below is set */
    struct file_state state; /* at the last check */
    bool is_open;
    MMDB_s db; /* of this state or, when that is unusable, of an earlier one */
};

struct geo {
    struct file files[GEO_FILES];
    int64_t next_check_ms; /* monotonic */
    geo_complain *complain;
    void *arg; /* of complain */
};

/* Paths of a value within a record: first those of MaxMind's files, then those of flat
 * files such as @ip-location-db's. */
static const char *const country_places[][PATH_STEPS] = {
    {"country", "iso_code"},
    {"country_code"},
};
static const char *const city_places[][PATH_STEPS] = {
    {"city", "names", "en"},
    {"city"},
};
static const char *const number_place[PATH_STEPS] = {"autonomous_system_number"};
static const char *const organization_places[][PATH_STEPS] = {
    {"autonomous_system_organization"},
};

#define PLACES(array) (array), sizeof(array) / sizeof(array)[0]

static struct file_state look(const char *path)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return (struct file_state){.error = errno};
    return (struct file_state){
        .error = S_ISREG(info.st_mode) ? 0 : EINVAL, /* open(2) of a FIFO would wait */
        .id = file_id_of(&info),
        .size = info.st_size,
        .mtime = info.st_mtim,
        .ctime = info.st_ctim,
    };
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_state(const struct file_state *a, const struct file_state *b)
{
    return a->error == b->error && file_id_equals(a->id, b->id) && a->size == b->size &&
           same_time(&a->mtime, &b->mtime) && same_time(&a->ctime, &b->ctime);
}

/* Looks up one address of each /8, because MMDB_open checks only the metadata at the end of
 * the file. Returns an MMDB error. */
static int try_look_ups(const MMDB_s *db)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int error = MMDB_SUCCESS;

    for (uint32_t i = 0; i < 256 && error == MMDB_SUCCESS; i++) {
        MMDB_entry_data_s ignored;

        address.sin_addr.s_addr = htonl(i << 24 | 1);
        MMDB_lookup_result_s found =
            MMDB_lookup_sockaddr(db, (const struct sockaddr *)&address, &error);
        if (error == MMDB_SUCCESS && found.found_entry)
            error = MMDB_aget_value(&found.entry, &ignored, number_place);
        if (error == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
            error = MMDB_SUCCESS;
    }
    return error;
}

/* Opens the present state of the file in place of the former one. Returns NULL, or what is
 * wrong; then the former one stays open. */
static const char *file_open(struct file *file)
{
    MMDB_s db;

    if (file->state.error == EINVAL)
        return "it is no regular file";
    if (file->state.error != 0)
        return strerror(file->state.error);
    int error = MMDB_open(file->path, MMDB_MODE_MMAP, &db);
    if (error != MMDB_SUCCESS)
        return error == MMDB_IO_ERROR ? strerror(errno) : MMDB_strerror(error);
    error = try_look_ups(&db);
    if (error != MMDB_SUCCESS) {
        MMDB_close(&db);
        return MMDB_strerror(error);
    }
    if (file->is_open)
        MMDB_close(&file->db);
    file->db = db;
    file->is_open = true;
    return NULL;
}

static void complain_of(const struct geo *geo, const struct file *file, const char *fault)
{
    char sentence[SENTENCE_BYTES];

    if (geo->complain == NULL)
        return;
    (void)snprintf(sentence, sizeof sentence, "cannot use it: %s; %s", fault,
                   file->is_open ? "the file read before stays in use"
                                 : "its tags stay empty");
    geo->complain(geo->arg, file->path, sentence);
}

/* Each version of a file is tried once: refusing a damaged one leaks some memory in
 * libmaxminddb 1.7.1. */
static void file_check(const struct geo *geo, struct file *file)
{
    if (file->path == NULL)
        return;
    /* stat comes before open: a file replaced in between is noticed at the next check */
    struct file_state state = look(file->path);
    if (file->was_seen && same_state(&state, &file->state))
        return;
    file->was_seen = true;
    file->state = state;
    const char *fault = file_open(file);
    if (fault != NULL)
        complain_of(geo, file, fault);
}

static void check_files(struct geo *geo)
{
    for (size_t i = 0; i < GEO_FILES; i++)
        file_check(geo, &geo->files[i]);
}

struct geo *geo_create(const struct geo_paths *paths, geo_complain *complain, void *arg)
{
    const char *const wanted[GEO_FILES] = {
        [GEO_COUNTRY] = paths->country,
        [GEO_CITY] = paths->city,
        [GEO_ASN] = paths->asn,
    };
    struct geo *geo = calloc(1, sizeof *geo);

    if (geo == NULL)
        return NULL;
    for (size_t i = 0; i < GEO_FILES; i++) {
        if (wanted[i] == NULL || wanted[i][0] == '\0')
            continue;
        geo->files[i].path = strdup(wanted[i]);
        if (geo->files[i].path == NULL) {
            geo_free(geo);
            return NULL;
        }
    }
    geo->complain = complain;
    geo->arg = arg;
    geo->next_check_ms = INT64_MIN; /* at the first look-up, whatever its time */
    check_files(geo);
    return geo;
}

void geo_free(struct geo *geo)
{
    if (geo == NULL)
        return;
    for (size_t i = 0; i < GEO_FILES; i++) {
        if (geo->files[i].is_open)
            MMDB_close(&geo->files[i].db);
        free(geo->files[i].path);
    }
    free(geo);
}

bool geo_is_supported(void)
{
    return true;
}

int64_t geo_build_time(const struct geo *geo, enum geo_file file)
{
    if (geo == NULL || !geo->files[file].is_open)
        return 0;
    return (int64_t)geo->files[file].db.metadata.build_epoch;
}

enum geo_file geo_country_file(const struct geo *geo)
{
    return geo->files[GEO_COUNTRY].path != NULL ? GEO_COUNTRY : GEO_CITY;
}

static bool find(const struct file *file, const struct address *address, MMDB_entry_s *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const struct sockaddr *wanted = (const struct sockaddr *)&v6;
    int error = MMDB_SUCCESS;

    if (!file->is_open)
        return false;
    if (address->family == ADDRESS_IPV4) {
        memcpy(&v4.sin_addr, address->bytes, sizeof v4.sin_addr);
        wanted = (const struct sockaddr *)&v4;
    } else {
        memcpy(&v6.sin6_addr, address->bytes, sizeof v6.sin6_addr);
    }
    MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&file->db, wanted, &error);
    *out = found.entry;
    return error == MMDB_SUCCESS && found.found_entry;
}

/* The text at the first of the places that has one; empty if none has. */
static struct span text_at(MMDB_entry_s *entry, const char *const (*places)[PATH_STEPS],
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        MMDB_entry_data_s data;

        if (MMDB_aget_value(entry, &data, places[i]) == MMDB_SUCCESS && data.has_data &&
            data.type == MMDB_DATA_TYPE_UTF8_STRING)
            return (struct span){data.utf8_string, data.data_size};
    }
    return (struct span){NULL, 0};
}

/* Copies as many whole characters as fit; nothing if they are not valid UTF-8. */
static void copy_text(char *out, size_t room, struct span text)
{
    size_t len = text.len;

    out[0] = '\0';
    if (len == 0)
        return;
    if (len >= room) {
        len = room - 1;
        while (len > 0 && ((unsigned char)text.data[len] & 0xc0) == 0x80)
            len--;
    }
    struct span kept = {text.data, len};
    if (len == 0 || memchr(kept.data, '\0', len) != NULL || !utf8_valid(kept))
        return;
    memcpy(out, kept.data, len);
    out[len] = '\0';
}

static void set_country(struct geo_tags *out, MMDB_entry_s *entry)
{
    struct span code = text_at(entry, PLACES(country_places));

    if (code.len != 2)
        return;
    for (size_t i = 0; i < code.len; i++) {
        if (code.data[i] < 'A' || code.data[i] > 'Z')
            return;
    }
    copy_text(out->country, sizeof out->country, code);
}

/* The number of the autonomous system; 0, which is reserved, when there is none. */
static uint32_t network_number(MMDB_entry_s *entry)
{
    MMDB_entry_data_s data;

    if (MMDB_aget_value(entry, &data, number_place) != MMDB_SUCCESS || !data.has_data)
        return 0;
    switch (data.type) {
    case MMDB_DATA_TYPE_UINT16:
        return data.uint16;
    case MMDB_DATA_TYPE_UINT32:
        return data.uint32;
    default:
        return 0;
    }
}

static void set_network(struct geo_tags *out, MMDB_entry_s *entry)
{
    uint32_t number = network_number(entry);
    char *network = out->network;

    if (number == 0)
        return;
    size_t len =
        (size_t)snprintf(network, sizeof out->network, "AS%lu ", (unsigned long)number);
    copy_text(network + len, sizeof out->network - len,
              text_at(entry, PLACES(organization_places)));
    if (network[len] == '\0')
        network[len - 1] = '\0';
}

void geo_lookup(struct geo *geo, const struct address *address, int64_t now_monotonic_ms,
                struct geo_tags *out)
{
    MMDB_entry_s entry;

    memset(out, 0, sizeof *out);
    if (geo == NULL || address_bytes(address) == 0)
        return;
    if (now_monotonic_ms >= geo->next_check_ms) {
        geo->next_check_ms = now_monotonic_ms + GEO_CHECK_MS;
        check_files(geo);
    }
    if (find(&geo->files[geo_country_file(geo)], address, &entry))
        set_country(out, &entry);
    if (find(&geo->files[GEO_CITY], address, &entry))
        copy_text(out->city, sizeof out->city, text_at(&entry, PLACES(city_places)));
    if (find(&geo->files[GEO_ASN], address, &entry))
        set_network(out, &entry);
}

#else

struct geo {
    char nothing;
};

struct geo *geo_create(const struct geo_paths *paths, geo_complain *complain, void *arg)
{
    (void)arg;
    (void)paths;
    (void)complain;
    return calloc(1, sizeof(struct geo));
}

void geo_free(struct geo *geo)
{
    free(geo);
}

bool geo_is_supported(void)
{
    return false;
}

int64_t geo_build_time(const struct geo *geo, enum geo_file file)
{
    (void)geo;
    (void)file;
    return 0;
}

enum geo_file geo_country_file(const struct geo *geo)
{
    (void)geo;
    return GEO_COUNTRY;
}

void geo_lookup(struct geo *geo, const struct address *address, int64_t now_monotonic_ms,
                struct geo_tags *out)
{
    (void)geo;
    (void)address;
    (void)now_monotonic_ms;
    memset(out, 0, sizeof *out);
}

#endif
