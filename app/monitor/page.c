#include "autoconfig.h"

#include "app/monitor/page.h"

#include <inttypes.h>

#include "app/api/call.h"
#include "app/monitor/status.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/html.h"

enum {
    REFRESH_S = 5,
    PICTURE_WIDTH = 240,
    PICTURE_HEIGHT = 48,
    KIB = 1024,
    MIB = 1024 * 1024,
};

static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"refresh\" content=\"%d\">\n"
    "<title>%s: crmnotes</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark; font: 16px/1.4 system-ui, sans-serif; }\n"
    "body { margin: 1.5rem auto; max-width: 68rem; padding: 0 1rem; }\n"
    "h1 { font-size: 1.4rem; margin: 0; }\n"
    "h2 { font-size: 1rem; margin: 0 0 .5rem; }\n"
    ".state { border-left: .5rem solid #15803d; padding: .25rem .75rem; }\n"
    ".state.bad { border-color: #b91c1c; }\n"
    ".state p { margin: 0; }\n"
    "main { display: grid; gap: 1rem; margin-top: 1.5rem;"
    " grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); }\n"
    "section { border: 1px solid #8886; border-radius: .4rem; padding: .75rem; }\n"
    "dl { display: grid; grid-template-columns: auto auto; gap: .1rem 1rem; margin: 0; }\n"
    "dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; }\n"
    "svg { color: #2563eb; display: block; margin-top: .5rem; width: 100%%; }\n"
    "figcaption { font-size: .8rem; opacity: .75; }\n"
    "figure { margin: 0; }\n"
    "</style>\n"
    "</head>\n"
    "<body>\n";

static void open_section(FILE *out, const char *title)
{
    (void)fprintf(out, "<section>\n<h2>%s</h2>\n<dl>\n", title);
}

static void close_list(FILE *out)
{
    (void)fputs("</dl>\n", out);
}

static void close_section(FILE *out)
{
    (void)fputs("</section>\n", out);
}

static void put(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, "<dt>%s</dt><dd>%s</dd>\n", name, value);
}

static void put_number(FILE *out, const char *name, int64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, number);
    put(out, name, number >= 0 ? text : "not known");
}

static void put_decimal(FILE *out, const char *name, double number, const char *unit)
{
    char text[48];

    (void)snprintf(text, sizeof text, "%.1f%s", number, unit);
    put(out, name, text);
}

static void put_ms(FILE *out, const char *name, int64_t us)
{
    put_decimal(out, name, (double)us / 1000, " ms");
}

static void put_size(FILE *out, const char *name, int64_t bytes)
{
    if (bytes < 0)
        put(out, name, "not known");
    else if (bytes < MIB)
        put_decimal(out, name, (double)bytes / KIB, " KiB");
    else
        put_decimal(out, name, (double)bytes / MIB, " MiB");
}

/* How long ago it was. */
static void put_age(FILE *out, const char *name, int64_t ms, int64_t now_ms)
{
    static const struct {
        int64_t seconds;
        const char *unit;
    } units[] = {{86400, " days ago"}, {3600, " hours ago"}, {60, " minutes ago"}};
    double age_s = (double)(now_ms - ms) / 1000;

    if (ms == 0) {
        put(out, name, "never");
        return;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (age_s >= 2 * (double)units[i].seconds) {
            put_decimal(out, name, age_s / (double)units[i].seconds, units[i].unit);
            return;
        }
    put_decimal(out, name, age_s > 0 ? age_s : 0, " seconds ago");
}

/* A value of the time between two samples, for a picture. */
typedef double value_of(const struct sample *from, const struct sample *to);

static double requests_of(const struct sample *from, const struct sample *to)
{
    return history_rate(from->requests, to->requests, from, to);
}

static double notes_of(const struct sample *from, const struct sample *to)
{
    return history_rate(from->notes, to->notes, from, to);
}

static double p99_of(const struct sample *from, const struct sample *to)
{
    return (double)history_percentile_us(from, to, 0.99) / 1000;
}

static double waiting_of(const struct sample *from, const struct sample *to)
{
    (void)from;
    return (double)to->waiting;
}

static double greatest(const struct view *view, value_of *value)
{
    double most = 0;

    for (size_t i = 1; i < view->sample_count; i++) {
        double each = value(&view->samples[i - 1], &view->samples[i]);
        most = each > most ? each : most;
    }
    return most;
}

/* A line of the last minutes, the present at its right end; what: for its caption. */
static void draw(FILE *out, const struct view *view, value_of *value, const char *what)
{
    const double most = greatest(view, value), scale = most > 0 ? most : 1;
    const double step = (double)PICTURE_WIDTH / (HISTORY_SAMPLES - 2);

    (void)fprintf(out,
                  "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" "
                  "aria-label=\"%s, the last 15 minutes, at most %.1f\">"
                  "<polyline fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.5\" "
                  "points=\"",
                  PICTURE_WIDTH, PICTURE_HEIGHT, what, most);
    for (size_t i = 1; i < view->sample_count; i++) {
        double x = PICTURE_WIDTH - (double)(view->sample_count - 1 - i) * step;
        double y = value(&view->samples[i - 1], &view->samples[i]) / scale;
        (void)fprintf(out, "%.1f,%.1f ", x, PICTURE_HEIGHT - 1 - y * (PICTURE_HEIGHT - 3));
    }
    (void)fprintf(out,
                  "\"/></svg><figcaption>%s, the last 15 minutes; at most %.1f"
                  "</figcaption></figure>\n",
                  what, most);
}

static void write_state(FILE *out, const struct view *view)
{
    bool good = view->readiness.is_ready;
    const char *reason = view->readiness.reason;
    char now[CLOCK_TEXT_BYTES];

    clock_format(view->now_ms, now);
    (void)fprintf(out, "<div class=\"state%s\"><h1>crmnotes %s</h1>\n<p>",
                  good ? "" : " bad", good ? "is ready" : "is not ready");
    html_put(out, span_of(good || reason == NULL ? "A note could be stored now." : reason));
    (void)fprintf(out,
                  "</p>\n<p>%s, crmnotes %s, schema %zu, SQLite %s</p></div>\n<main>\n",
                  now, PACKAGE_VERSION, schema_migrations_count, db_engine_version());
}

static void write_requests(FILE *out, const struct view *view,
                           const struct status_rates *rates)
{
    open_section(out, "Requests, the last minute");
    put_decimal(out, "a second", rates->requests, "");
    put_decimal(out, "failed, a second", rates->failures, "");
    put_number(out, "in hand", meter_total(view->counters, METER_IN_FLIGHT));
    put_ms(out, "50% within", rates->p50_us);
    put_ms(out, "95% within", rates->p95_us);
    put_ms(out, "99% within", rates->p99_us);
    close_list(out);
    draw(out, view, requests_of, "requests a second");
    draw(out, view, p99_of, "99% within, in ms");
    close_section(out);
}

static void write_commits(FILE *out, const struct view *view,
                          const struct status_rates *rates)
{
    const struct counters *c = view->counters;

    open_section(out, "Notes, the last minute");
    put_decimal(out, "notes a second", rates->notes, "");
    put_decimal(out, "commits a second", rates->transactions, "");
    put_decimal(out, "commands in a commit", rates->group_size, "");
    put_number(out, "waiting for the writer", (int64_t)view->waiting);
    put_number(out, "failed commits since the start",
               meter_total(c, METER_COMMITS_UNAVAILABLE) +
                   meter_total(c, METER_COMMITS_UNKNOWN));
    close_list(out);
    draw(out, view, notes_of, "notes a second");
    draw(out, view, waiting_of, "waiting for the writer");
    close_section(out);
}

static void write_codes(FILE *out, const struct view *view)
{
    open_section(out, "Answers since the start");
    for (int error = 0; error < ERROR_COUNT; error++) {
        int64_t total = view_code_total(view, (enum error)error);
        if (total > 0)
            put_number(out, view_code((enum error)error), total);
    }
    close_list(out);
    close_section(out);
}

static void write_processes(FILE *out, const struct view *view)
{
    const struct counters *c = view->counters;

    open_section(out, "Processes");
    put_number(out, "idle workers", view->workers.idle);
    put_number(out, "busy workers", view->workers.busy);
    put_number(out, "starting workers", view->workers.starting);
    put(out, "writer", view->writer.idle + view->writer.busy > 0 ? "runs" : "does not run");
    put_number(out, "died since the start",
               meter_total(c, METER_WORKERS_DIED) + meter_total(c, METER_WRITERS_DIED) +
                   meter_total(c, METER_MONITORS_DIED));
    put_number(out, "killed, being stuck",
               meter_total(c, METER_WORKERS_TIMED_OUT) +
                   meter_total(c, METER_WRITERS_TIMED_OUT) +
                   meter_total(c, METER_MONITORS_TIMED_OUT));
    put_age(out, "started", meter_total(c, METER_START_MS), view->now_ms);
    put_age(out, "configuration read", meter_total(c, METER_RELOAD_MS), view->now_ms);
    put_number(out, "reloads refused", meter_total(c, METER_RELOADS_FAILED));
    close_list(out);
    close_section(out);
}

static const char *const geo_labels[GEO_FILES] = {
    [GEO_COUNTRY] = "country database built",
    [GEO_CITY] = "city database built",
    [GEO_ASN] = "network database built",
};

static void write_data(FILE *out, const struct view *view)
{
    open_section(out, "Data");
    put_size(out, "database", view->database.data_bytes);
    put_size(out, "WAL", view->database.wal_bytes);
    put_age(out, "WAL copied whole", meter_total(view->counters, METER_CHECKPOINT_MS),
            view->now_ms);
    put_age(out, "last backup", view->backup_ms, view->now_ms);
    put_number(out, "keys that end in 7 days", view->database.expiring_7d);
    put_number(out, "keys that end in 30 days", view->database.expiring_30d);
    for (size_t i = 0; i < GEO_FILES; i++)
        if (view->geo_built_s[i] != 0)
            put_age(out, geo_labels[i], view->geo_built_s[i] * 1000, view->now_ms);
    close_list(out);
    close_section(out);
}

void page_write(FILE *out, const struct view *view)
{
    struct status_rates rates;

    status_rates_of(&rates, view, HISTORY_MINUTE);
    (void)fprintf(out, head, REFRESH_S, view->readiness.is_ready ? "ready" : "NOT READY");
    write_state(out, view);
    write_requests(out, view, &rates);
    write_commits(out, view, &rates);
    write_codes(out, view);
    write_processes(out, view);
    write_data(out, view);
    (void)fputs("</main>\n</body>\n</html>\n", out);
}
