#include "app/settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cpus.h"

#define FIELD(name) #name, .offset = offsetof(struct settings, name)

static const char default_path[] = "/etc/crmnotes/crmnotes.conf";

enum {
    WORKERS_PER_CORE = 2,
    WORKERS_MIN = 4,
    WORKERS_MAX = 1024,
    COMMIT_TIMEOUT_MAX_MS = 10000,
};

static enum status base_path(void *field, const char *text,
                             const struct config_option *option, struct problem *why)
{
    size_t len = strlen(text);

    if (len > 0 && (text[0] != '/' || text[len - 1] == '/'))
        return problem_set(why, STATUS_CONFIG,
                           "must begin with / and must not end with it, not '%s'", text);
    return config_text(field, text, option, why);
}

static enum status database_path(void *field, const char *text,
                                 const struct config_option *option, struct problem *why)
{
    if (text[0] == '\0')
        return problem_set(why, STATUS_CONFIG, "must name a file");
    return config_path(field, text, option, why);
}

static enum status log_target(void *field, const char *text,
                              const struct config_option *option, struct problem *why)
{
    if (strncmp(text, "/dev/std", 8) == 0 || strncmp(text, "/dev/fd/", 8) == 0)
        return problem_set(why, STATUS_CONFIG, "must be stderr in place of '%s'", text);
    if (text[0] != '/' && strcmp(text, "stderr") != 0 && strcmp(text, "syslog") != 0)
        return problem_set(why, STATUS_CONFIG,
                           "must be stderr, syslog or an absolute path, not '%s'", text);
    return config_text(field, text, option, why);
}

static enum status http_status(void *field, const char *text,
                               const struct config_option *option, struct problem *why)
{
    bool strict = strcmp(text, "strict") == 0;

    (void)option;
    *(bool *)field = strict;
    if (strict || strcmp(text, "published") == 0)
        return STATUS_OK;
    return problem_set(why, STATUS_CONFIG, "must be published or strict, not '%s'", text);
}

static enum status listen_target(void *field, const char *text,
                                 const struct config_option *option, struct problem *why)
{
    bool is_unix = strncmp(text, "unix:", 5) == 0;

    if (text[0] != '\0' && !is_unix && strrchr(text, ':') == NULL)
        return problem_set(why, STATUS_CONFIG,
                           "must be unix:PATH, 127.0.0.1:PORT or [::1]:PORT, not '%s'",
                           text);
    if (is_unix && text[5] != '/')
        return problem_set(why, STATUS_CONFIG,
                           "the PATH of unix:PATH must be absolute, one that begins with "
                           "/, not '%s'",
                           text);
    return config_text(field, text, option, why);
}

static const struct config_option options[] = {
    {FIELD(database), .initial = "/var/lib/crmnotes/crmnotes.db", .parse = database_path},
    {FIELD(secret_key_file), .initial = "", .parse = config_path},
    {FIELD(user), .initial = "", .parse = config_text},
    {FIELD(group), .initial = "", .parse = config_text},
    {FIELD(sandbox), .initial = "yes", .parse = config_yes_no},
    {FIELD(listen), .initial = "", .parse = listen_target},
    {FIELD(socket_mode), .initial = "0660", .parse = config_octal, .min = 0, .max = 0777},
    {FIELD(socket_group), .initial = "", .parse = config_text},
    {FIELD(status_listen), .initial = "", .parse = listen_target},
    {FIELD(workers), .initial = "0", .parse = config_integer, .min = 0, .max = WORKERS_MAX},
    {FIELD(base_path), .initial = "", .parse = base_path},
    {FIELD(trusted_proxies), .initial = "", .parse = config_cidr_list, .list = true},
    {FIELD(max_body_bytes), .initial = "524288", .parse = config_integer, .min = 1024,
     .max = 8 << 20},
    {FIELD(max_note_bytes), .initial = "65536", .parse = config_integer, .min = 1,
     .max = 8 << 20},
    {FIELD(request_timeout), .initial = "30", .parse = config_integer, .min = 1,
     .max = 3600},
    {FIELD(idle_timeout), .initial = "10", .parse = config_integer, .min = 1, .max = 3600},
    {FIELD(rate_limit), .initial = "off", .parse = config_rate},
    {FIELD(credential_failures), .initial = "100/10m", .parse = config_rate},
    {FIELD(contact_failures), .initial = "1000/10m", .parse = config_rate},
    {FIELD(uniform_errors), .initial = "no", .parse = config_yes_no},
    {"http_status", .offset = offsetof(struct settings, strict_status),
     .initial = "published", .parse = http_status},
    {FIELD(developer_docs), .initial = "yes", .parse = config_yes_no},
    {FIELD(geoip_country), .initial = "", .parse = config_path},
    {FIELD(geoip_city), .initial = "", .parse = config_path},
    {FIELD(geoip_asn), .initial = "", .parse = config_path},
    {FIELD(log), .initial = "stderr", .parse = log_target},
};

_Static_assert(sizeof options / sizeof options[0] == SETTINGS_COUNT,
               "SETTINGS_COUNT is the number of rows of this table");

static struct config config_over(struct settings *settings)
{
    return (struct config){options, SETTINGS_COUNT, settings, settings->values};
}

const char *settings_config_path(const struct settings_arguments *arguments)
{
    const char *path = arguments->config;

    if (path == NULL)
        path = getenv("CRMNOTES_CONFIG");
    if (path == NULL && access(default_path, F_OK) == 0)
        path = default_path;
    return path;
}

static enum status read_file(struct config *config, const char *path, struct problem *why)
{
    if (path == NULL)
        return STATUS_OK;
    return config_read_file(config, path, why) == STATUS_OK ? STATUS_OK : STATUS_CONFIG;
}

/* A path on the command line may be relative to the working directory, one in a file may
 * not. */
static enum status make_absolute(char out[CONFIG_TEXT_BYTES], const char *path,
                                 struct problem *why)
{
    char here[CONFIG_TEXT_BYTES];
    bool relative = path[0] != '/' && path[0] != '\0';

    if (relative && getcwd(here, sizeof here) == NULL)
        return problem_set(why, STATUS_CONFIG,
                           "--database: the working directory cannot be named: give the "
                           "whole path");
    int len = snprintf(out, CONFIG_TEXT_BYTES, "%s%s%s", relative ? here : "",
                       relative ? "/" : "", path);
    if (len < 0 || len >= CONFIG_TEXT_BYTES)
        return problem_set(why, STATUS_CONFIG, "--database: the path is too long");
    return STATUS_OK;
}

static enum status take_arguments(struct config *config,
                                  const struct settings_arguments *arguments,
                                  struct problem *why)
{
    char database[CONFIG_TEXT_BYTES];
    const struct {
        const char *name, *origin, *text;
    } given[] = {
        {"database", "--database", arguments->database != NULL ? database : NULL},
        {"listen", "--listen", arguments->listen},
        {"workers", "--workers", arguments->workers},
    };

    if (arguments->database != NULL &&
        make_absolute(database, arguments->database, why) != STATUS_OK)
        return STATUS_CONFIG;
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        if (given[i].text == NULL)
            continue;
        enum status status =
            config_set(config, given[i].name, given[i].text, given[i].origin, why);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* Where the value of an option came from. */
static const char *origin_of(const struct settings *settings, const char *name)
{
    size_t i = 0;

    while (strcmp(options[i].name, name) != 0)
        i++;
    return settings->values[i].origin;
}

static enum status check_user(const struct settings *settings, struct problem *why)
{
    if (settings->group[0] == '\0' || settings->user[0] != '\0')
        return STATUS_OK;
    return problem_set(why, STATUS_CONFIG, "%s: group: set user, too, whose group it is",
                       origin_of(settings, "group"));
}

static enum status fill_in(struct settings *settings, struct problem *why)
{
    if (settings->workers == 0) {
        int64_t wanted = (int64_t)cpus_usable() * WORKERS_PER_CORE;
        wanted = wanted > WORKERS_MIN ? wanted : WORKERS_MIN;
        settings->workers = wanted < WORKERS_MAX ? wanted : WORKERS_MAX;
    }
    if (settings->secret_key_file[0] != '\0')
        return STATUS_OK;
    int len = snprintf(settings->secret_key_file, sizeof settings->secret_key_file,
                       "%s.key", settings->database);
    if (len < 0 || (size_t)len >= sizeof settings->secret_key_file)
        return problem_set(why, STATUS_CONFIG, "database: the path is too long");
    return STATUS_OK;
}

enum status settings_load(struct settings *settings,
                          const struct settings_arguments *arguments, struct problem *why)
{
    struct config config = config_over(settings);
    enum status status = config_defaults(&config, why);

    if (status == STATUS_OK)
        status = read_file(&config, settings_config_path(arguments), why);
    if (status == STATUS_OK)
        status = config_read_environment(&config, "CRMNOTES", why);
    if (status == STATUS_OK)
        status = config_check_environment(&config, "CRMNOTES", "CONFIG", why);
    if (status == STATUS_OK)
        status = take_arguments(&config, arguments, why);
    if (status == STATUS_OK)
        status = check_user(settings, why);
    if (status == STATUS_OK)
        status = fill_in(settings, why);
    return status;
}

struct settings *settings_create(const struct settings_arguments *arguments,
                                 struct problem *why)
{
    struct settings *settings = calloc(1, sizeof *settings);

    if (settings == NULL) {
        (void)problem_set(why, STATUS_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (settings_load(settings, arguments, why) != STATUS_OK) {
        free(settings);
        return NULL;
    }
    return settings;
}

int settings_commit_timeout_ms(const struct settings *settings)
{
    int64_t ms = settings->request_timeout * 1000 / 3;

    return ms < COMMIT_TIMEOUT_MAX_MS ? (int)ms : COMMIT_TIMEOUT_MAX_MS;
}

int settings_lock_timeout_ms(const struct settings *settings)
{
    return settings_commit_timeout_ms(settings) * 4 / 5;
}

static const struct config_value *value_of(const struct settings *settings,
                                           const char *name)
{
    size_t i = 0;

    while (strcmp(options[i].name, name) != 0)
        i++;
    return &settings->values[i];
}

void settings_print_files(const struct settings *settings, FILE *out)
{
    const struct {
        const char *name, *path, *without; /* printed where nothing was given */
    } rows[] = {
        {"database", settings->database, NULL},
        {"secret_key_file", settings->secret_key_file, "beside the database"},
        {"listen", settings->listen, "a socket that is handed over"},
        {"status_listen", settings->status_listen, "a socket that is handed over, or none"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct config_value *value = value_of(settings, rows[i].name);
        (void)fprintf(out, "%s = %s\t; %s\n", rows[i].name, rows[i].path,
                      value->text[0] != '\0' ? value->origin : rows[i].without);
    }
}

void settings_print(const struct settings *settings, FILE *out)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        (void)fprintf(out, "%s = %s\t; %s\n", options[i].name, settings->values[i].text,
                      settings->values[i].origin);
}
