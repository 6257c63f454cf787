#include "app/monitor/view.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/api/call.h"
#include "app/api/error.h"
#include "app/store/summary.h"
#include "lib/clock.h"
#include "lib/db_files.h"

enum {
    DAY_MS = 24 * 60 * 60 * 1000,
};

static int64_t size_of(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 ? (int64_t)info.st_size : -1;
}

void view_measure_files(struct view_database *out, const char *database)
{
    struct db_files files;
    char wal[DB_FILE_PATH_BYTES + 8];

    db_files_find(&files, database);
    out->data_bytes = files.count > 0 ? size_of(files.list[0].path) : -1;
    (void)snprintf(wal, sizeof wal, "%s-wal", files.count > 0 ? files.list[0].path : "");
    out->wal_bytes = size_of(wal);
}

enum status view_count_keys(struct view_database *out, struct db *db, int64_t now_ms)
{
    enum status status = db_read_begin(db);

    out->expiring_7d = out->expiring_30d = -1;
    if (status != STATUS_OK)
        return status;
    status = summary_expiring(db, now_ms, now_ms + 7 * (int64_t)DAY_MS, &out->expiring_7d);
    if (status == STATUS_OK)
        status =
            summary_expiring(db, now_ms, now_ms + 30 * (int64_t)DAY_MS, &out->expiring_30d);
    db_read_end(db);
    return status;
}

const char *view_code(enum error error)
{
    return error == ERROR_NONE ? "OK" : error_text(error)->code;
}

static bool have_one_code(enum error a, enum error b)
{
    return strcmp(view_code(a), view_code(b)) == 0;
}

static bool is_first_of_code(enum error error)
{
    for (int before = 0; before < (int)error; before++)
        if (have_one_code((enum error)before, error))
            return false;
    return true;
}

int64_t view_call_total(const struct view *view, size_t call, enum error error)
{
    int64_t total = 0;

    if (!is_first_of_code(error))
        return 0;
    for (int each = (int)error; each < ERROR_COUNT; each++)
        if (have_one_code((enum error)each, error))
            total += meter_total(view->counters, meter_call_error(call, (enum error)each));
    return total;
}

int64_t view_code_total(const struct view *view, enum error error)
{
    int64_t total = 0;

    for (size_t call = 0; call <= call_count; call++)
        total += view_call_total(view, call, error);
    return total;
}

static bool is_failure(enum error error)
{
    return error != ERROR_NONE && error_text(error)->http_status >= 500;
}

static void add_call(struct sample *out, const struct counters *counters, size_t call)
{
    for (int error = 0; error < ERROR_COUNT; error++) {
        int64_t count = meter_total(counters, meter_call_error(call, (enum error)error));
        out->requests += count;
        if (is_failure((enum error)error))
            out->failures += count;
    }
    for (size_t i = 0; i < HISTORY_TIMES; i++)
        out->times[i] += meter_total(counters, meter_call_times(call) + i);
}

void view_sample(struct sample *out, const struct counters *counters, size_t waiting)
{
    *out = (struct sample){.at_ms = clock_monotonic_ms(), .waiting = (int64_t)waiting};
    for (size_t call = 0; call <= call_count; call++)
        add_call(out, counters, call);
    out->notes = meter_total(counters, METER_NOTES_CREATED) +
                 meter_total(counters, METER_NOTES_UPDATED);
    for (size_t i = 0; i <= METER_GROUP_BUCKETS; i++)
        out->transactions += meter_total(counters, METER_GROUP_SIZES + i);
    out->commands = meter_total(counters, METER_GROUP_SIZES + METER_GROUP_BUCKETS + 1);
}
