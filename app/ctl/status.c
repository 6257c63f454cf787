#include "app/monitor/status.h"

#include <json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/ctl/service.h"
#include "app/ctl/text.h"

enum {
    WATCH_S = 2,
    LABEL_COLUMNS = 22,
};

/* A line for people: a member of the JSON object, by its path, and the unit behind it. */
static const struct line {
    const char *label, *path, *unit;
} lines[] = {
    {"READY", "ready", ""},
    {"BECAUSE", "reason", ""},
    {"VERSION", "version", ""},
    {"STARTED", "started_at", ""},
    {"CONFIGURATION READ", "reloaded_at", ""},
    {"RELOADS REFUSED", "reloads_failed", ""},
    {"REQUESTS", "requests.total", ""},
    {"  IN THE LAST MINUTE", "requests.per_second", " a second"},
    {"  IN HAND", "requests.in_flight", ""},
    {"  50% WITHIN", "requests.p50_ms", " ms"},
    {"  95% WITHIN", "requests.p95_ms", " ms"},
    {"  99% WITHIN", "requests.p99_ms", " ms"},
    {"ANSWERS", "requests.codes", ""},
    {"NOTES CREATED", "notes.created", ""},
    {"NOTES UPDATED", "notes.updated", ""},
    {"  IN THE LAST MINUTE", "notes.per_second", " a second"},
    {"COMMITS", "commits.total", ""},
    {"  IN THE LAST MINUTE", "commits.per_second", " a second"},
    {"  COMMANDS IN EACH", "commits.group_size", ""},
    {"  WAITING", "commits.queue", ""},
    {"  UNAVAILABLE", "commits.unavailable", ""},
    {"  OUTCOME UNKNOWN", "commits.outcome_unknown", ""},
    {"WORKERS IDLE", "workers.idle", ""},
    {"  BUSY", "workers.busy", ""},
    {"  STARTING", "workers.starting", ""},
    {"  DIED", "workers.died", ""},
    {"  KILLED, BEING STUCK", "workers.timed_out", ""},
    {"WRITER RUNS", "writer.running", ""},
    {"  DIED", "writer.died", ""},
    {"DATABASE", "database.size_bytes", " bytes"},
    {"  WAL", "database.wal_bytes", " bytes"},
    {"  WAL COPIED WHOLE", "commits.checkpointed_at", ""},
    {"  SCHEMA", "database.schema_version", ""},
    {"LAST BACKUP", "backup_at", ""},
    {"KEYS THAT END IN 7 D", "keys_expiring_7d", ""},
    {"  IN 30 D", "keys_expiring_30d", ""},
    {"GEOIP COUNTRY BUILT", "geoip_built_at.country", ""},
    {"GEOIP CITY BUILT", "geoip_built_at.city", ""},
    {"GEOIP ASN BUILT", "geoip_built_at.asn", ""},
};

/* The member at a path of names and dots; NULL: there is none, or it is null. */
static struct json_object *member_at(struct json_object *object, const char *path)
{
    char copy[64], *rest = copy, *name;

    (void)snprintf(copy, sizeof copy, "%s", path);
    while (object != NULL && (name = strsep(&rest, ".")) != NULL) {
        struct json_object *inside = NULL;
        (void)json_object_object_get_ex(object, name, &inside);
        object = inside;
    }
    return object;
}

/* A plain value, or the members of an object, one behind the other. */
static void put_value(FILE *out, struct json_object *value)
{
    const char *comma = "";

    if (json_object_is_type(value, json_type_boolean)) {
        (void)fputs(json_object_get_boolean(value) ? "yes" : "no", out);
        return;
    }
    if (!json_object_is_type(value, json_type_object)) {
        (void)fputs(json_object_get_string(value), out);
        return;
    }
    json_object_object_foreach(value, name, each)
    {
        (void)fprintf(out, "%s%s %s", comma, json_object_get_string(each), name);
        comma = ", ";
    }
}

static bool is_empty(struct json_object *value)
{
    return json_object_is_type(value, json_type_object) &&
           json_object_object_length(value) == 0;
}

static void put_lines(FILE *out, struct json_object *state)
{
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct json_object *value = member_at(state, lines[i].path);
        if (value == NULL || is_empty(value))
            continue;
        (void)fprintf(out, "%-*s  ", LABEL_COLUMNS, lines[i].label);
        put_value(out, value);
        (void)fprintf(out, "%s\n", lines[i].unit);
    }
}

static double minute_of(struct json_object *minutes, size_t i, const char *member)
{
    return json_object_get_double(member_at(json_object_array_get_idx(minutes, i), member));
}

/* The last minutes as a line of bars, the present at its right end. */
static void put_picture(FILE *out, struct json_object *state, const char *member,
                        const char *label)
{
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    struct json_object *minutes = member_at(state, "minutes");
    size_t count = minutes != NULL ? json_object_array_length(minutes) : 0;
    double most = 0;

    for (size_t i = 0; i < count; i++)
        if (minute_of(minutes, i, member) > most)
            most = minute_of(minutes, i, member);
    if (count == 0)
        return;
    (void)fprintf(out, "%-*s  ", LABEL_COLUMNS, label);
    for (size_t i = 0; i < count; i++)
        (void)fputs(bars[most > 0 ? (int)(minute_of(minutes, i, member) / most * 7) : 0],
                    out);
    (void)fprintf(out, "  at most %.1f\n", most);
}

/* For people; *text is replaced. */
static enum status render(char **text, size_t *len, struct ctl *ctl)
{
    struct json_object *state = json_tokener_parse(*text);
    char *shown = NULL;
    FILE *out = state != NULL ? open_memstream(&shown, len) : NULL;

    if (out != NULL) {
        put_lines(out, state);
        put_picture(out, state, "requests_per_second", "REQUESTS A SECOND");
        put_picture(out, state, "p99_ms", "99% WITHIN, MS");
    }
    json_object_put(state);
    free(*text);
    *text = NULL;
    if (out == NULL)
        return problem_set(
            &ctl->why, STATUS_UNAVAILABLE,
            "the service answers with what is no JSON: is it another program?");
    if (fclose(out) != 0)
        return STATUS_NO_MEMORY;
    *text = shown;
    return STATUS_OK;
}

static const struct service_document document = {"/status.json", status_write};

static enum status show_once(struct ctl *ctl)
{
    char *text = NULL;
    size_t len = 0;
    enum status status = service_ask(&text, &len, ctl, &document);

    if (status == STATUS_OK && !ctl->args->json)
        status = render(&text, &len, ctl);
    if (status == STATUS_OK)
        status = service_print(ctl, text, len);
    free(text);
    return status;
}

/* Until the reader leaves, or Ctrl-C ends the program. */
static enum status watch(struct ctl *ctl)
{
    static const char clear[] = "\033[H\033[2J";
    enum status status = STATUS_OK;

    while (status == STATUS_OK && !ctl->nobody_reads) {
        if (isatty(STDOUT_FILENO))
            status = service_print(ctl, clear, sizeof clear - 1);
        if (status == STATUS_OK)
            status = show_once(ctl);
        if (status == STATUS_OK && !ctl->nobody_reads)
            (void)sleep(WATCH_S);
    }
    return status;
}

/* For health checks: says nothing where all is well. */
static enum status check_readiness(struct ctl *ctl)
{
    char *text = NULL;
    size_t len = 0;
    enum status status = service_ask(&text, &len, ctl, &document);
    struct json_object *state = status == STATUS_OK ? json_tokener_parse(text) : NULL;
    struct json_object *ready = member_at(state, "ready");

    if (status == STATUS_OK && ready == NULL)
        status = problem_set(&ctl->why, STATUS_UNAVAILABLE,
                             "a service without a monitor does not tell whether it is "
                             "ready");
    else if (status == STATUS_OK && !json_object_get_boolean(ready))
        status = problem_set(&ctl->why, STATUS_UNAVAILABLE, "not ready: %s",
                             json_object_get_string(member_at(state, "reason")));
    json_object_put(state);
    free(text);
    return status;
}

static enum status show_status(struct ctl *ctl)
{
    if (ctl_get(ctl, "--ready")->given)
        return check_readiness(ctl);
    return ctl_get(ctl, "--watch")->given ? watch(ctl) : show_once(ctl);
}

static const struct verb verbs[] = {
    {.name = "",
     .help = "Show how the service is: requests, commits, processes, database, backup",
     .more = "Asks the service at status_listen, else at /run/crmnotes/status.sock; under\n"
             "mod_fcgid, where there is no such socket, reads <database>.metrics.",
     .access = CTL_ALONE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {.name = "--watch", .help = "again every two seconds, until Ctrl-C"},
             {.name = "--ready",
              .help = "print nothing, and end with 0 if a note could be stored now, else "
                      "with 69"},
             {.name = NULL}},
     .run = show_status},
    {.name = NULL},
};

const struct noun noun_status = {"status", "How the service is", verbs};
