#include "autoconfig.h"

#include "app/monitor/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "app/api/call.h"
#include "app/store/schema.h"

static void family(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP crmnotes_%s %s\n# TYPE crmnotes_%s %s\n", name, help, name,
                  type);
}

/* A sample; labels: as they stand between the braces, or empty. */
static void sample(FILE *out, const char *name, const char *labels, int64_t value)
{
    const char *open = labels[0] != '\0' ? "{" : "", *close = labels[0] != '\0' ? "}" : "";

    (void)fprintf(out, "crmnotes_%s%s%s%s %" PRId64 "\n", name, open, labels, close, value);
}

/* The same of a time since 1970, in seconds; 0 is left out, as not known. */
static void sample_time(FILE *out, const char *name, const char *labels, int64_t ms)
{
    const char *open = labels[0] != '\0' ? "{" : "", *close = labels[0] != '\0' ? "}" : "";

    if (ms != 0)
        (void)fprintf(out, "crmnotes_%s%s%s%s %" PRId64 ".%03" PRId64 "\n", name, open,
                      labels, close, ms / 1000, ms % 1000);
}

static void single(FILE *out, const char *name, const char *type, const char *help,
                   int64_t value)
{
    family(out, name, type, help);
    sample(out, name, "", value);
}

static void single_time(FILE *out, const char *name, const char *help, int64_t ms)
{
    if (ms == 0)
        return;
    family(out, name, "gauge", help);
    sample_time(out, name, "", ms);
}

/* A counter of each value of a label. */
struct labelled {
    const char *labels;
    enum meter_number number;
};

static void counters(FILE *out, const struct view *view, const char *name, const char *help,
                     const struct labelled *rows, size_t count)
{
    family(out, name, "counter", help);
    for (size_t i = 0; i < count; i++)
        sample(out, name, rows[i].labels, meter_total(view->counters, rows[i].number));
}

#define COUNTERS(out, view, name, help, ...)                                               \
    counters((out), (view), (name), (help), (const struct labelled[]){__VA_ARGS__},        \
             sizeof((const struct labelled[]){__VA_ARGS__}) / sizeof(struct labelled))

/* A histogram in shared memory: `unit` of its bounds and its sum are one of what is shown.
 * */
struct histogram {
    const char *name;
    size_t first; /* of its numbers */
    const int64_t *bounds;
    size_t count;
    double unit;
};

/* labels: empty, or with a comma behind them. */
static void histogram(FILE *out, const struct view *view, const struct histogram *h,
                      const char *labels)
{
    int64_t total = 0;
    int labels_len = (int)strlen(labels);

    for (size_t i = 0; i < h->count; i++) {
        total += meter_total(view->counters, h->first + i);
        (void)fprintf(out, "crmnotes_%s_bucket{%sle=\"%g\"} %" PRId64 "\n", h->name, labels,
                      (double)h->bounds[i] / h->unit, total);
    }
    total += meter_total(view->counters, h->first + h->count);
    (void)fprintf(out, "crmnotes_%s_bucket{%sle=\"+Inf\"} %" PRId64 "\n", h->name, labels,
                  total);
    const char *open = labels_len > 0 ? "{" : "", *close = labels_len > 0 ? "}" : "";
    int len = labels_len > 0 ? labels_len - 1 : 0; /* without the comma */
    (void)fprintf(out, "crmnotes_%s_sum%s%.*s%s %.15g\n", h->name, open, len, labels, close,
                  (double)meter_total(view->counters, h->first + h->count + 1) / h->unit);
    (void)fprintf(out, "crmnotes_%s_count%s%.*s%s %" PRId64 "\n", h->name, open, len,
                  labels, close, total);
}

static void write_program(FILE *out)
{
    family(out, "build_info", "gauge", "Which program answers; always 1.");
    (void)fprintf(out,
                  "crmnotes_build_info{version=\"%s\",schema=\"%zu\",sqlite=\"%s\"} 1\n",
                  PACKAGE_VERSION, schema_migrations_count, db_engine_version());
}

static void write_start(FILE *out, const struct view *view)
{
    single_time(out, "start_time_seconds", "When the master began, in seconds since 1970.",
                meter_total(view->counters, METER_START_MS));
    single_time(out, "reload_time_seconds",
                "When the running configuration was read, in seconds since 1970.",
                meter_total(view->counters, METER_RELOAD_MS));
    single(out, "reload_failures_total", "counter",
           "Reloads that left everything as it was.",
           meter_total(view->counters, METER_RELOADS_FAILED));
}

/* call: call_count for requests to none. */
static const char *name_of(size_t call)
{
    return call < call_count ? calls[call]->name : "none";
}

/* Codes that have not come yet are left out: there are hundreds of pairs. */
static void write_codes(FILE *out, const struct view *view, size_t call)
{
    char labels[128];

    for (int error = 0; error < ERROR_COUNT; error++) {
        int64_t total = view_call_total(view, call, (enum error)error);
        if (total == 0 && (error != ERROR_NONE || call == call_count))
            continue;
        (void)snprintf(labels, sizeof labels, "call=\"%s\",code=\"%s\"", name_of(call),
                       view_code((enum error)error));
        sample(out, "requests_total", labels, total);
    }
}

/* Documents and wrong paths have a histogram only once they were asked for. */
static bool is_shown(const struct view *view, size_t call)
{
    int64_t total = 0;

    for (size_t i = 0; i <= METER_REQUEST_BUCKETS; i++)
        total += meter_total(view->counters, meter_call_times(call) + i);
    return total > 0 || (call < call_count && calls[call]->document == NULL);
}

static void write_requests(FILE *out, const struct view *view)
{
    char labels[64];

    family(out, "requests_total", "counter",
           "Answered requests, by call and by the code in log and X-Error-Code.");
    for (size_t call = 0; call <= call_count; call++)
        write_codes(out, view, call);
    family(out, "request_duration_seconds", "histogram",
           "From the whole request's arrival to its answer.");
    for (size_t call = 0; call <= call_count; call++) {
        if (!is_shown(view, call))
            continue;
        const struct histogram h = {"request_duration_seconds", meter_call_times(call),
                                    meter_request_bounds_us, METER_REQUEST_BUCKETS, 1e6};
        (void)snprintf(labels, sizeof labels, "call=\"%s\",", name_of(call));
        histogram(out, view, &h, labels);
    }
}

static void write_limits(FILE *out, const struct view *view)
{
    COUNTERS(out, view, "throttled_total",
             "Answers that became RATE_LIMITED, by the limit that was used up.",
             {"limit=\"rate_limit\"", METER_RATE_LIMITED},
             {"limit=\"credential_failures\"", METER_CREDENTIALS_LIMITED},
             {"limit=\"contact_failures\"", METER_CONTACTS_LIMITED});
    COUNTERS(out, view, "former_secret_uses_total",
             "Requests with a secret that was rotated and still works.",
             {"kind=\"api_key\"", METER_FORMER_API_KEYS},
             {"kind=\"developer_key\"", METER_FORMER_DEVELOPER_KEYS});
}

static void write_commits(FILE *out, const struct view *view)
{
    static const struct histogram sizes = {"commit_group_size", METER_GROUP_SIZES,
                                           meter_group_bounds, METER_GROUP_BUCKETS, 1};
    static const struct histogram times = {"commit_duration_seconds", METER_COMMIT_TIMES,
                                           meter_commit_bounds_us, METER_COMMIT_BUCKETS,
                                           1e6};

    COUNTERS(out, view, "notes_committed_total", "Notes on the disk, by what was done.",
             {"action=\"created\"", METER_NOTES_CREATED},
             {"action=\"updated\"", METER_NOTES_UPDATED});
    family(out, "commit_group_size", "histogram", "Commands in one transaction.");
    histogram(out, view, &sizes, "");
    family(out, "commit_duration_seconds", "histogram",
           "One transaction of the writer, with its wait for the disk.");
    histogram(out, view, &times, "");
    COUNTERS(out, view, "commit_failures_total",
             "Transactions that failed, by what callers were told.",
             {"code=\"UNAVAILABLE\"", METER_COMMITS_UNAVAILABLE},
             {"code=\"OUTCOME_UNKNOWN\"", METER_COMMITS_UNKNOWN});
    COUNTERS(out, view, "checkpoints_total",
             "Checkpoints of the WAL, by whether all of it was copied.",
             {"result=\"complete\"", METER_CHECKPOINTS_COMPLETE},
             {"result=\"partial\"", METER_CHECKPOINTS_PARTIAL});
    single_time(out, "checkpoint_time_seconds",
                "When the WAL was last copied whole, in seconds since 1970.",
                meter_total(view->counters, METER_CHECKPOINT_MS));
}

static void write_pool(FILE *out, const struct view *view)
{
    single(out, "requests_in_flight", "gauge", "Requests that workers have in hand.",
           meter_total(view->counters, METER_IN_FLIGHT));
    single(out, "ready", "gauge",
           "Whether a note could be stored when this was asked: 1 or 0.",
           view->readiness.is_ready ? 1 : 0);
    single(out, "commit_queue_length", "gauge", "Commands that wait for the writer.",
           (int64_t)view->waiting);
    family(out, "workers", "gauge", "Worker processes, by what they do.");
    sample(out, "workers", "state=\"starting\"", view->workers.starting);
    sample(out, "workers", "state=\"idle\"", view->workers.idle);
    sample(out, "workers", "state=\"busy\"", view->workers.busy);
    sample(out, "workers", "state=\"leaving\"", view->workers.leaving);
    COUNTERS(out, view, "process_ends_total",
             "Processes that ended by themselves or were killed, by role and cause.",
             {"role=\"worker\",cause=\"died\"", METER_WORKERS_DIED},
             {"role=\"worker\",cause=\"timed_out\"", METER_WORKERS_TIMED_OUT},
             {"role=\"writer\",cause=\"died\"", METER_WRITERS_DIED},
             {"role=\"writer\",cause=\"timed_out\"", METER_WRITERS_TIMED_OUT},
             {"role=\"monitor\",cause=\"died\"", METER_MONITORS_DIED},
             {"role=\"monitor\",cause=\"timed_out\"", METER_MONITORS_TIMED_OUT});
}

static void write_files(FILE *out, const struct view_database *database)
{
    family(out, "database_bytes", "gauge", "Size of a file of the database.");
    if (database->data_bytes >= 0)
        sample(out, "database_bytes", "file=\"main\"", database->data_bytes);
    sample(out, "database_bytes", "file=\"wal\"",
           database->wal_bytes >= 0 ? database->wal_bytes : 0);
}

static void write_keys(FILE *out, const struct view_database *database)
{
    if (database->expiring_7d < 0)
        return;
    family(out, "keys_expiring", "gauge", "Live keys that end within the time.");
    sample(out, "keys_expiring", "kind=\"developer_key\",within=\"7d\"",
           database->expiring_7d);
    sample(out, "keys_expiring", "kind=\"developer_key\",within=\"30d\"",
           database->expiring_30d);
}

static void write_geo(FILE *out, const int64_t built_s[GEO_FILES])
{
    static const char *const labels[GEO_FILES] = {
        [GEO_COUNTRY] = "database=\"country\"",
        [GEO_CITY] = "database=\"city\"",
        [GEO_ASN] = "database=\"asn\"",
    };

    if (built_s[GEO_COUNTRY] == 0 && built_s[GEO_CITY] == 0 && built_s[GEO_ASN] == 0)
        return;
    family(out, "geoip_build_time_seconds", "gauge",
           "When the loaded database was built, in seconds since 1970.");
    for (size_t i = 0; i < GEO_FILES; i++)
        if (built_s[i] != 0)
            sample(out, "geoip_build_time_seconds", labels[i], built_s[i]);
}

void metrics_write(FILE *out, const struct view *view)
{
    write_program(out);
    if (view->counters != NULL) {
        write_start(out, view);
        write_requests(out, view);
        write_limits(out, view);
        write_commits(out, view);
    }
    if (view->has_pool)
        write_pool(out, view);
    write_files(out, &view->database);
    write_keys(out, &view->database);
    write_geo(out, view->geo_built_s);
    single_time(out, "backup_time_seconds",
                "When the last backup was begun, in seconds since 1970.", view->backup_ms);
}
