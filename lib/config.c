#include "lib/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/throttle.h"

_Static_assert(INI_MAX_LINE >= CONFIG_LINE_BYTES + 2, "libinih cuts lines before we do");

enum status config_text(void *field, const char *text, const struct config_option *option,
                        struct problem *why)
{
    (void)option;
    if (strlen(text) >= CONFIG_TEXT_BYTES)
        return problem_set(why, STATUS_CONFIG, "is longer than %d bytes",
                           CONFIG_TEXT_BYTES - 1);
    (void)snprintf(field, CONFIG_TEXT_BYTES, "%s", text);
    return STATUS_OK;
}

enum status config_path(void *field, const char *text, const struct config_option *option,
                        struct problem *why)
{
    if (text[0] != '\0' && text[0] != '/')
        return problem_set(why, STATUS_CONFIG,
                           "must be an absolute path, one that begins with /, not '%s'",
                           text);
    return config_text(field, text, option, why);
}

static enum status integer_of_base(void *field, const char *text, int base,
                                   const struct config_option *option, struct problem *why)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, base);
    if (end == text || *end != '\0' || !isdigit((unsigned char)text[0]))
        return problem_set(why, STATUS_CONFIG, "must be a number%s, not '%s'",
                           base == 8 ? " in octal digits" : "", text);
    if (errno != 0 || number < option->min || number > option->max) {
        char min[24], max[24];
        (void)snprintf(min, sizeof min, base == 8 ? "%#llo" : "%lld",
                       (long long)option->min);
        (void)snprintf(max, sizeof max, base == 8 ? "%#llo" : "%lld",
                       (long long)option->max);
        return problem_set(why, STATUS_CONFIG, "must be from %s to %s, not '%s'", min, max,
                           text);
    }
    *(int64_t *)field = number;
    return STATUS_OK;
}

enum status config_integer(void *field, const char *text,
                           const struct config_option *option, struct problem *why)
{
    return integer_of_base(field, text, 10, option, why);
}

enum status config_octal(void *field, const char *text, const struct config_option *option,
                         struct problem *why)
{
    return integer_of_base(field, text, 8, option, why);
}

enum status config_yes_no(void *field, const char *text, const struct config_option *option,
                          struct problem *why)
{
    bool yes = strcmp(text, "yes") == 0;

    (void)option;
    if (!yes && strcmp(text, "no") != 0)
        return problem_set(why, STATUS_CONFIG, "must be yes or no, not '%s'", text);
    *(bool *)field = yes;
    return STATUS_OK;
}

enum status config_rate(void *field, const char *text, const struct config_option *option,
                        struct problem *why)
{
    (void)option;
    return throttle_rate_parse(field, text, why) == STATUS_OK ? STATUS_OK : STATUS_CONFIG;
}

enum status config_cidr_list(void *field, const char *text,
                             const struct config_option *option, struct problem *why)
{
    static const char separators[] = " \t,";
    struct config_blocks *blocks = field;
    const char *at = text + strspn(text, separators);

    (void)option;
    blocks->count = 0;
    while (*at != '\0') {
        size_t len = strcspn(at, separators);
        if (blocks->count == CONFIG_BLOCKS_MAX)
            return problem_set(why, STATUS_CONFIG, "has more than %d blocks",
                               CONFIG_BLOCKS_MAX);
        if (cidr_parse(&blocks->list[blocks->count], (struct span){at, len}, why) !=
            STATUS_OK)
            return STATUS_CONFIG;
        blocks->count++;
        at += len;
        at += strspn(at, separators);
    }
    return STATUS_OK;
}

static size_t find(const struct config *config, const char *name)
{
    size_t i = 0;

    while (i < config->count && strcmp(config->options[i].name, name) != 0)
        i++;
    return i;
}

static enum status assign(struct config *config, size_t i, const char *text,
                          const char *origin, struct problem *why)
{
    const struct config_option *option = &config->options[i];
    struct config_value *value = &config->values[i];
    void *field = (char *)config->fields + option->offset;

    if (strlen(text) >= sizeof value->text)
        return problem_set(why, STATUS_CONFIG, "%s: %s is too long", origin, option->name);
    if (option->parse(field, text, option, why) != STATUS_OK) {
        problem_prefix(why, "%s: %s", origin, option->name);
        return STATUS_CONFIG;
    }
    if (text != value->text)
        (void)snprintf(value->text, sizeof value->text, "%s", text);
    (void)snprintf(value->origin, sizeof value->origin, "%s", origin);
    return STATUS_OK;
}

enum status config_set(struct config *config, const char *name, const char *text,
                       const char *origin, struct problem *why)
{
    size_t i = find(config, name);

    if (i == config->count)
        return problem_set(why, STATUS_CONFIG, "%s: there is no option '%s'", origin, name);
    return assign(config, i, text, origin, why);
}

enum status config_defaults(struct config *config, struct problem *why)
{
    for (size_t i = 0; i < config->count; i++)
        if (assign(config, i, config->options[i].initial, "default", why) != STATUS_OK)
            return STATUS_INTERNAL;
    return STATUS_OK;
}

/* The state that libinih's reader and handler share while a file is read. */
struct reading {
    struct config *config;
    FILE *file;
    const char *path;
    int line;          /* number of the line that was read last */
    bool continuation; /* it began with a blank */
    struct problem *why;
    enum status status; /* of the first error */
};

static int fault(struct reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fault(struct reading *r, const char *format, ...)
{
    char sentence[PROBLEM_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    r->status = problem_set(r->why, STATUS_CONFIG, "%s:%d: %s", r->path, r->line, sentence);
    return 0;
}

/* In place of fgets, which returns a long line in pieces that look like lines. */
static char *read_line(char *line, int size, void *stream)
{
    struct reading *r = stream;

    memset(line, 1, (size_t)size); /* so that the last NUL is the one that fgets writes */
    if (r->status != STATUS_OK || fgets(line, size, r->file) == NULL)
        return NULL;
    r->line++;
    size_t len = strlen(line);
    if (memrchr(line, '\0', (size_t)size) != line + len) {
        (void)fault(r, "the line holds a NUL byte: the file must be plain text");
        return NULL;
    }
    if (len == (size_t)size - 1 && line[len - 1] != '\n') {
        (void)fault(r,
                    "the line is longer than %d bytes: the rest of a list can stand in "
                    "indented lines, another long value in the environment",
                    CONFIG_LINE_BYTES);
        return NULL;
    }
    r->continuation = line[0] == ' ' || line[0] == '\t';
    return line;
}

static int take_option(void *user, const char *section, const char *name, const char *text)
{
    struct reading *r = user;
    struct config *config = r->config;
    char origin[CONFIG_ORIGIN_BYTES], joined[CONFIG_LIST_BYTES];
    size_t i = find(config, name);

    if (r->status != STATUS_OK)
        return 0;
    if (section[0] != '\0')
        return fault(r, "option in section [%s]: options stand without a section", section);
    if (i == config->count)
        return fault(r, "there is no option '%s'", name);
    struct config_value *value = &config->values[i];
    (void)snprintf(origin, sizeof origin, "%s:%d", r->path, r->line);
    if (!r->continuation && value->line > 0)
        return fault(r, "%s was given in line %d already", name, value->line);
    if (r->continuation) {
        if (!config->options[i].list)
            return fault(r, "%s is no list and cannot go on in an indented line", name);
        int len = snprintf(joined, sizeof joined, "%s %s", value->text, text);
        if (len < 0 || (size_t)len >= sizeof joined)
            return fault(r, "the list %s is too long", name);
        text = joined;
    }
    value->line = r->line;
    r->status = assign(config, i, text, origin, r->why);
    return r->status == STATUS_OK;
}

enum status config_read_file(struct config *config, const char *path, struct problem *why)
{
    struct reading r = {.config = config, .path = path, .why = why, .status = STATUS_OK};

    for (size_t i = 0; i < config->count; i++)
        config->values[i].line = 0;
    r.file = fopen(path, "re");
    if (r.file == NULL)
        return problem_set(why, STATUS_NOT_FOUND, "cannot read the configuration %s: %s",
                           path, strerror(errno));
    int line = ini_parse_stream(read_line, &r, take_option, &r);
    if (r.status == STATUS_OK && line > 0) {
        r.line = line;
        (void)fault(&r, "expected 'option = value'");
    }
    if (r.status == STATUS_OK && (line < 0 || ferror(r.file)))
        r.status =
            problem_set(why, STATUS_CONFIG, "cannot read the configuration %s", path);
    (void)fclose(r.file);
    return r.status;
}

enum {
    VARIABLE_BYTES = 128,
};

/* PREFIX_NAME in capitals. */
static void name_variable(char out[VARIABLE_BYTES], const char *prefix, const char *name)
{
    (void)snprintf(out, VARIABLE_BYTES, "%s_%s", prefix, name);
    for (char *c = out; *c != '\0'; c++)
        *c = (char)toupper((unsigned char)*c);
}

enum status config_read_environment(struct config *config, const char *prefix,
                                    struct problem *why)
{
    for (size_t i = 0; i < config->count; i++) {
        char variable[VARIABLE_BYTES], origin[CONFIG_ORIGIN_BYTES];

        name_variable(variable, prefix, config->options[i].name);
        const char *text = getenv(variable);
        if (text == NULL)
            continue;
        (void)snprintf(origin, sizeof origin, "environment variable %s", variable);
        enum status status = assign(config, i, text, origin, why);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool is_variable(struct span variable, const char *prefix, const char *name)
{
    char known[VARIABLE_BYTES];

    name_variable(known, prefix, name);
    return span_equals(variable, span_of(known));
}

/* Kubernetes and Docker describe services to every container by such variables: a service
 * named crmnotes-x gives CRMNOTES_X_SERVICE_HOST, CRMNOTES_X_PORT_80_TCP and others, a link
 * of Docker also CRMNOTES_NAME and CRMNOTES_ENV_x. */
static bool describes_a_service(struct span variable)
{
    static const char *const parts[] = {"_SERVICE_HOST", "_SERVICE_PORT", "_PORT", "_ENV_"};
    char name[VARIABLE_BYTES];

    (void)snprintf(name, sizeof name, "%.*s", (int)variable.len, variable.data);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(name, parts[i]) != NULL)
            return true;
    return variable.len >= 5 && strcmp(name + strlen(name) - 5, "_NAME") == 0;
}

enum status config_check_environment(const struct config *config, const char *prefix,
                                     const char *other, struct problem *why)
{
    const size_t prefix_len = strlen(prefix);

    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        const struct span variable = {*entry, strcspn(*entry, "=")};
        size_t i = 0;

        if (strncmp(*entry, prefix, prefix_len) != 0 || (*entry)[prefix_len] != '_' ||
            is_variable(variable, prefix, other) || describes_a_service(variable))
            continue;
        while (i < config->count && !is_variable(variable, prefix, config->options[i].name))
            i++;
        if (i == config->count)
            return problem_set(why, STATUS_CONFIG,
                               "environment variable %.*s: there is no such option",
                               (int)variable.len, variable.data);
    }
    return STATUS_OK;
}
