#include "autoconfig.h"

#include "app/monitor/status.h"

#include <inttypes.h>

#include "app/api/call.h"
#include "app/api/error.h"
#include "app/store/schema.h"
#include "lib/clock.h"

void status_rates_between(struct status_rates *out, const struct sample *from,
                          const struct sample *to)
{
    int64_t transactions = to->transactions - from->transactions;

    *out = (struct status_rates){
        .requests = history_rate(from->requests, to->requests, from, to),
        .failures = history_rate(from->failures, to->failures, from, to),
        .notes = history_rate(from->notes, to->notes, from, to),
        .transactions = history_rate(from->transactions, to->transactions, from, to),
        .p50_us = history_percentile_us(from, to, 0.50),
        .p95_us = history_percentile_us(from, to, 0.95),
        .p99_us = history_percentile_us(from, to, 0.99),
    };
    if (transactions > 0)
        out->group_size = (double)(to->commands - from->commands) / (double)transactions;
}

void status_rates_of(struct status_rates *out, const struct view *view, size_t steps)
{
    size_t count = view->sample_count;

    *out = (struct status_rates){.requests = 0};
    if (count > 0)
        status_rates_between(out, &view->samples[count > steps ? count - steps : 0],
                             &view->now);
}

static void put_time(FILE *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_BYTES];

    if (ms == 0) {
        (void)fprintf(out, ",\"%s\":null", name);
        return;
    }
    clock_format(ms, text);
    (void)fprintf(out, ",\"%s\":\"%s\"", name, text);
}

static void put_number(FILE *out, const char *name, int64_t number)
{
    if (number < 0)
        (void)fprintf(out, ",\"%s\":null", name);
    else
        (void)fprintf(out, ",\"%s\":%" PRId64, name, number);
}

static void put_rate(FILE *out, const char *name, double rate)
{
    (void)fprintf(out, ",\"%s\":%.1f", name, rate);
}

static void put_ms(FILE *out, const char *name, int64_t us)
{
    (void)fprintf(out, ",\"%s\":%" PRId64 ".%" PRId64, name, us / 1000, us % 1000 / 100);
}

static void put_readiness(FILE *out, const struct view *view)
{
    if (!view->has_pool)
        return;
    (void)fprintf(out, ",\"ready\":%s", view->readiness.is_ready ? "true" : "false");
    if (view->readiness.reason != NULL) /* constants without characters to escape */
        (void)fprintf(out, ",\"reason\":\"%s\"", view->readiness.reason);
}

static void put_codes(FILE *out, const struct view *view)
{
    const char *comma = "";

    (void)fputs(",\"codes\":{", out);
    for (int error = 0; error < ERROR_COUNT; error++) {
        int64_t total = view_code_total(view, (enum error)error);
        if (total == 0)
            continue;
        (void)fprintf(out, "%s\"%s\":%" PRId64, comma, view_code((enum error)error), total);
        comma = ",";
    }
    (void)fputc('}', out);
}

static void put_requests(FILE *out, const struct view *view,
                         const struct status_rates *rates)
{
    (void)fprintf(out, ",\"requests\":{\"total\":%" PRId64, view->now.requests);
    put_rate(out, "per_second", rates->requests);
    put_number(out, "in_flight",
               view->has_pool ? meter_total(view->counters, METER_IN_FLIGHT) : -1);
    put_ms(out, "p50_ms", rates->p50_us);
    put_ms(out, "p95_ms", rates->p95_us);
    put_ms(out, "p99_ms", rates->p99_us);
    put_codes(out, view);
    (void)fputc('}', out);
}

static void put_writing(FILE *out, const struct view *view,
                        const struct status_rates *rates)
{
    const struct counters *c = view->counters;

    (void)fprintf(out, ",\"notes\":{\"created\":%" PRId64 ",\"updated\":%" PRId64,
                  meter_total(c, METER_NOTES_CREATED), meter_total(c, METER_NOTES_UPDATED));
    put_rate(out, "per_second", rates->notes);
    (void)fprintf(out, "},\"commits\":{\"total\":%" PRId64, view->now.transactions);
    put_rate(out, "per_second", rates->transactions);
    put_rate(out, "group_size", rates->group_size);
    put_number(out, "queue", view->has_pool ? (int64_t)view->waiting : -1);
    put_number(out, "unavailable", meter_total(c, METER_COMMITS_UNAVAILABLE));
    put_number(out, "outcome_unknown", meter_total(c, METER_COMMITS_UNKNOWN));
    put_time(out, "checkpointed_at", meter_total(c, METER_CHECKPOINT_MS));
    (void)fputc('}', out);
}

static void put_processes(FILE *out, const struct view *view)
{
    const struct counters *c = view->counters;

    if (!view->has_pool)
        return;
    (void)fprintf(out, ",\"workers\":{\"starting\":%d,\"idle\":%d,\"busy\":%d",
                  view->workers.starting, view->workers.idle, view->workers.busy);
    put_number(out, "died", meter_total(c, METER_WORKERS_DIED));
    put_number(out, "timed_out", meter_total(c, METER_WORKERS_TIMED_OUT));
    (void)fprintf(out, "},\"writer\":{\"running\":%s",
                  view->writer.idle + view->writer.busy > 0 ? "true" : "false");
    put_number(out, "died", meter_total(c, METER_WRITERS_DIED));
    put_number(out, "timed_out", meter_total(c, METER_WRITERS_TIMED_OUT));
    (void)fputc('}', out);
}

static void put_geo(FILE *out, const struct view *view)
{
    static const char *const names[GEO_FILES] = {
        [GEO_COUNTRY] = "country", [GEO_CITY] = "city", [GEO_ASN] = "asn"};

    (void)fputs(",\"geoip_built_at\":{\"country\":", out);
    for (size_t i = 0; i < GEO_FILES; i++) {
        char text[CLOCK_TEXT_BYTES];
        if (i > 0)
            (void)fprintf(out, ",\"%s\":", names[i]);
        clock_format(view->geo_built_s[i] * 1000, text);
        if (view->geo_built_s[i] == 0)
            (void)fputs("null", out);
        else
            (void)fprintf(out, "\"%s\"", text);
    }
    (void)fputc('}', out);
}

static void put_files(FILE *out, const struct view *view)
{
    const struct view_database *database = &view->database;

    (void)fprintf(out, ",\"database\":{\"schema_version\":%zu", schema_migrations_count);
    put_number(out, "size_bytes", database->data_bytes);
    put_number(out, "wal_bytes", database->wal_bytes);
    (void)fputc('}', out);
    put_time(out, "backup_at", view->backup_ms);
    put_number(out, "keys_expiring_7d", database->expiring_7d);
    put_number(out, "keys_expiring_30d", database->expiring_30d);
    put_geo(out, view);
}

/* One element a minute, the oldest first. */
static void put_minutes(FILE *out, const struct view *view)
{
    const char *comma = "";

    (void)fputs(",\"minutes\":[", out);
    for (size_t i = 0; i + HISTORY_MINUTE < view->sample_count; i += HISTORY_MINUTE) {
        struct status_rates rates;
        status_rates_between(&rates, &view->samples[i], &view->samples[i + HISTORY_MINUTE]);
        (void)fprintf(out, "%s{\"requests_per_second\":%.1f", comma, rates.requests);
        put_rate(out, "failures_per_second", rates.failures);
        put_rate(out, "notes_per_second", rates.notes);
        put_ms(out, "p99_ms", rates.p99_us);
        (void)fputc('}', out);
        comma = ",";
    }
    (void)fputc(']', out);
}

void status_write(FILE *out, const struct view *view)
{
    struct status_rates rates;
    char now[CLOCK_TEXT_BYTES];

    clock_format(view->now_ms, now);
    (void)fprintf(out, "{\"at\":\"%s\",\"version\":\"%s\",\"sqlite\":\"%s\"", now,
                  PACKAGE_VERSION, db_engine_version());
    put_readiness(out, view);
    if (view->counters != NULL) {
        status_rates_of(&rates, view, HISTORY_MINUTE);
        put_time(out, "started_at", meter_total(view->counters, METER_START_MS));
        put_time(out, "reloaded_at", meter_total(view->counters, METER_RELOAD_MS));
        put_number(out, "reloads_failed",
                   meter_total(view->counters, METER_RELOADS_FAILED));
        put_requests(out, view, &rates);
        put_writing(out, view, &rates);
        put_processes(out, view);
    }
    put_files(out, view);
    if (view->sample_count > 0)
        put_minutes(out, view);
    (void)fputs("}\n", out);
}
