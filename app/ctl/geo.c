#include "lib/geo.h"

#include "app/ctl/ctl.h"
#include "lib/clock.h"

struct file_row {
    struct span path;    /* empty: not configured */
    int64_t built_at_ms; /* 0: not configured */
};

struct test_row {
    struct address address;
    struct span country, city, network;                /* empty: not known */
    struct span country_from, city_from, network_from; /* paths, of what is known */
    struct file_row files[GEO_FILES];
};

/* The columns of a file, whose heading is its option. */
#define FILE_COLUMNS(option)                                                               \
    {                                                                                      \
        {.member = "file",                                                                 \
         .heading = (option),                                                              \
         .type = COLUMN_TEXT,                                                              \
         OUTPUT_FIELD(file_row, path)},                                                    \
            {.member = "built_at",                                                         \
             .heading = "BUILT",                                                           \
             .type = COLUMN_DATE,                                                          \
             OUTPUT_FIELD(file_row, built_at_ms)},                                         \
        {                                                                                  \
            .member = NULL                                                                 \
        }                                                                                  \
    }

static const struct column file_columns[GEO_FILES][3] = {
    [GEO_COUNTRY] = FILE_COLUMNS("GEOIP_COUNTRY"),
    [GEO_CITY] = FILE_COLUMNS("GEOIP_CITY"),
    [GEO_ASN] = FILE_COLUMNS("GEOIP_ASN"),
};

static const struct column test_columns[] = {
    {.member = "address",
     .heading = "ADDRESS",
     .type = COLUMN_ADDRESS,
     OUTPUT_FIELD(test_row, address)},
    {.member = "country",
     .heading = "COUNTRY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(test_row, country)},
    {.member = "country_from",
     .heading = "COUNTRY FROM",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(test_row, country_from)},
    {.member = "city",
     .heading = "CITY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(test_row, city)},
    {.member = "city_from",
     .heading = "CITY FROM",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(test_row, city_from)},
    {.member = "network",
     .heading = "NETWORK",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(test_row, network)},
    {.member = "network_from",
     .heading = "NETWORK FROM",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(test_row, network_from)},
    {.member = "geoip_country",
     .heading = "GEOIP_COUNTRY",
     .type = COLUMN_OBJECT,
     OUTPUT_FIELD(test_row, files[GEO_COUNTRY]),
     .inside = file_columns[GEO_COUNTRY]},
    {.member = "geoip_city",
     .heading = "GEOIP_CITY",
     .type = COLUMN_OBJECT,
     OUTPUT_FIELD(test_row, files[GEO_CITY]),
     .inside = file_columns[GEO_CITY]},
    {.member = "geoip_asn",
     .heading = "GEOIP_ASN",
     .type = COLUMN_OBJECT,
     OUTPUT_FIELD(test_row, files[GEO_ASN]),
     .inside = file_columns[GEO_ASN]},
    {.member = NULL},
};

/* The first file that cannot be used is the reason. */
static void keep_complaint(void *arg, const char *path, const char *sentence)
{
    struct ctl *ctl = arg;

    if (ctl->why.text[0] == '\0')
        (void)problem_set(&ctl->why, STATUS_CONFIG, "%s: %s", path, sentence);
}

static enum status open_files(struct geo **out, struct ctl *ctl)
{
    const struct settings *settings = ctl->settings;
    const struct geo_paths paths = {settings->geoip_country, settings->geoip_city,
                                    settings->geoip_asn};

    if (!geo_is_supported())
        return problem_set(&ctl->why, STATUS_CONFIG,
                           "this program was built without libmaxminddb");
    if (paths.country[0] == '\0' && paths.city[0] == '\0' && paths.asn[0] == '\0')
        return problem_set(&ctl->why, STATUS_CONFIG,
                           "no database is configured: set geoip_country, geoip_city or "
                           "geoip_asn");
    *out = geo_create(&paths, keep_complaint, ctl);
    if (*out == NULL)
        return STATUS_NO_MEMORY;
    return ctl->why.text[0] == '\0' ? STATUS_OK : STATUS_CONFIG;
}

static void describe_files(struct test_row *row, const struct ctl *ctl,
                           const struct geo *geo)
{
    const char *const paths[GEO_FILES] = {
        [GEO_COUNTRY] = ctl->settings->geoip_country,
        [GEO_CITY] = ctl->settings->geoip_city,
        [GEO_ASN] = ctl->settings->geoip_asn,
    };

    for (int i = 0; i < GEO_FILES; i++)
        row->files[i] = (struct file_row){span_of(paths[i]), geo_build_time(geo, i) * 1000};
}

/* Puts a tag into the row with the path of the file that it is from. */
static void set_tag(struct span *tag, struct span *from, const char *text, struct span path)
{
    *tag = span_of(text);
    if (tag->len > 0)
        *from = path;
}

static enum status test(struct ctl *ctl)
{
    struct test_row row = {.address = ctl_get(ctl, "ADDRESS")->address};
    struct geo_tags tags;
    struct geo *geo = NULL;
    enum status status = open_files(&geo, ctl);

    if (status == STATUS_OK) {
        geo_lookup(geo, &row.address, clock_monotonic_ms(), &tags);
        describe_files(&row, ctl, geo);
        set_tag(&row.country, &row.country_from, tags.country,
                row.files[geo_country_file(geo)].path);
        set_tag(&row.city, &row.city_from, tags.city, row.files[GEO_CITY].path);
        set_tag(&row.network, &row.network_from, tags.network, row.files[GEO_ASN].path);
        if (row.country.len + row.city.len + row.network.len == 0)
            ctl_remark(ctl, "no database knows this address");
        status = output_row(ctl->output, test_columns, &row);
    }
    geo_free(geo);
    return status;
}

static const struct verb verbs[] = {
    {.name = "test",
     .help = "Show country, city and network of an address, and which database says so",
     .more =
         "Opens the databases with the rights of the service's user, as the service does.",
     .access = CTL_ALONE,
     .one = true,
     .parameters = (const struct parameter[]){{.name = "ADDRESS",
                                               .rule = argument_address,
                                               .need = PARAMETER_REQUIRED,
                                               .help = "an IPv4 or IPv6 address"},
                                              {.name = NULL}},
     .run = test},
    {.name = NULL},
};

const struct noun noun_geo = {"geo", "Where an address is, from MaxMind DB files", verbs};
