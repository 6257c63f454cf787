#include "autoconfig.h"

#include "app/meter.h"

#include <limits.h>
#include <unistd.h>

#include "lib/db_files.h"
#include "lib/file.h"

enum {
    OTHERS = 2, /* blocks behind those of the workers: writer and master */
};

const int64_t meter_request_bounds_us[METER_REQUEST_BUCKETS] = {
    500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000, 5000000,
};
const int64_t meter_group_bounds[METER_GROUP_BUCKETS] = {1, 2, 4, 8, 16, 32, 64, 128};
const int64_t meter_commit_bounds_us[METER_COMMIT_BUCKETS] = {1000, 10000, 100000, 1000000};

static size_t numbers(size_t calls)
{
    return METER_FIXED + (calls + 1) * METER_CALL_NUMBERS;
}

struct counters *meter_create(size_t slots, size_t calls)
{
    return counters_create(slots + OTHERS, numbers(calls));
}

static const struct span mark = SPAN("counters of " PACKAGE_STRING "\n");

enum status meter_open(struct counters **out, const char *database, size_t calls,
                       struct problem *why)
{
    char path[PATH_MAX];

    *out = NULL;
    if (!db_files_beside(path, sizeof path, database, "metrics"))
        return problem_set(why, STATUS_UNAVAILABLE,
                           "there is no place beside the database");
    const struct file_id former = file_id_at(path);
    enum status status = counters_open(out, path, numbers(calls), mark, why);
    if (status != STATUS_INVALID)
        return status;
    /* another process may have replaced it meanwhile: that one is to stay */
    if (file_id_equals(former, file_id_at(path)))
        (void)unlink(path);
    return counters_open(out, path, numbers(calls), mark, why);
}

enum status meter_find(struct counters **out, const char *database, size_t calls,
                       struct problem *why)
{
    char path[PATH_MAX];

    *out = NULL;
    if (!db_files_beside(path, sizeof path, database, "metrics") || access(path, F_OK) != 0)
        return problem_set(why, STATUS_NOT_FOUND, "there is no %s.metrics", database);
    return counters_open(out, path, numbers(calls), mark, why);
}

struct meter meter_of_worker(struct counters *counters, size_t slot)
{
    return (struct meter){counters, slot};
}

struct meter meter_of_writer(struct counters *counters, size_t slots)
{
    return (struct meter){counters, slots};
}

struct meter meter_of_master(struct counters *counters, size_t slots)
{
    return (struct meter){counters, slots + 1};
}

static void add(const struct meter *meter, size_t number, uint64_t n)
{
    if (meter->counters != NULL)
        counters_add(meter->counters, meter->block, number, n);
}

void meter_count(const struct meter *meter, enum meter_number number)
{
    add(meter, number, 1);
}

void meter_add(const struct meter *meter, enum meter_number number, int64_t n)
{
    add(meter, number, (uint64_t)n);
}

void meter_set(const struct meter *meter, enum meter_number number, int64_t value)
{
    if (meter->counters != NULL)
        counters_set(meter->counters, meter->block, number, (uint64_t)value);
}

/* Counts a value in the histogram that begins at `first`. */
static void observe(const struct meter *meter, size_t first, const int64_t *bounds,
                    size_t count, int64_t value)
{
    size_t bucket = 0;

    while (bucket < count && value > bounds[bucket])
        bucket++;
    add(meter, first + bucket, 1);
    add(meter, first + count + 1, (uint64_t)value);
}

void meter_request(const struct meter *meter, size_t call, enum error error,
                   int64_t duration_us)
{
    add(meter, meter_call_error(call, error), 1);
    observe(meter, meter_call_times(call), meter_request_bounds_us, METER_REQUEST_BUCKETS,
            duration_us);
}

void meter_commit(const struct meter *meter, size_t size, int64_t duration_us)
{
    observe(meter, METER_GROUP_SIZES, meter_group_bounds, METER_GROUP_BUCKETS,
            (int64_t)size);
    observe(meter, METER_COMMIT_TIMES, meter_commit_bounds_us, METER_COMMIT_BUCKETS,
            duration_us);
}

size_t meter_call_error(size_t call, enum error error)
{
    return METER_FIXED + call * METER_CALL_NUMBERS + error;
}

size_t meter_call_times(size_t call)
{
    return meter_call_error(call, ERROR_COUNT);
}

int64_t meter_total(const struct counters *counters, size_t number)
{
    return (int64_t)counters_sum(counters, number);
}
