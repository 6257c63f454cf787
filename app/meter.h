/*
 * What the processes of the service count, for those who watch it (app/monitor/).
 *
 * Each process counts in a block of its own, see lib/counters.h. Only how often and how
 * long things happened is counted, by kinds that are fixed when the program is built: never
 * a key, an address or an organization.
 */
#ifndef APP_METER_H
#define APP_METER_H

#include <stddef.h>
#include <stdint.h>

#include "app/rules/error.h"
#include "lib/counters.h"

enum {
    METER_REQUEST_BUCKETS = 11, /* of the time that a request takes */
    METER_GROUP_BUCKETS = 8,    /* of the number of commands in a transaction */
    METER_COMMIT_BUCKETS = 4,   /* of the time that a transaction takes */
};

/* Upper bounds of the buckets; after the last one there is a bucket for all that is more.
 * */
extern const int64_t meter_request_bounds_us[METER_REQUEST_BUCKETS];
extern const int64_t meter_group_bounds[METER_GROUP_BUCKETS];
extern const int64_t meter_commit_bounds_us[METER_COMMIT_BUCKETS];

/* The numbers that are counted. Behind a histogram's first number come those of its further
 * buckets, and then the sum of all values. */
enum meter_number {
    /* counters */
    METER_NOTES_CREATED,
    METER_NOTES_UPDATED,
    METER_COMMITS_UNAVAILABLE, /* transactions that failed, by what callers were told */
    METER_COMMITS_UNKNOWN,
    METER_CHECKPOINTS_COMPLETE,
    METER_CHECKPOINTS_PARTIAL,
    METER_RATE_LIMITED, /* answers RATE_LIMITED, by the limit */
    METER_CREDENTIALS_LIMITED,
    METER_CONTACTS_LIMITED,
    METER_FORMER_API_KEYS, /* requests with a secret that was rotated */
    METER_FORMER_DEVELOPER_KEYS,
    METER_RELOADS_FAILED,
    METER_WORKERS_DIED, /* processes, by role and by cause */
    METER_WORKERS_TIMED_OUT,
    METER_WRITERS_DIED,
    METER_WRITERS_TIMED_OUT,
    METER_MONITORS_DIED,
    METER_MONITORS_TIMED_OUT,
    /* values, each set by one process only; times are milliseconds since 1970, UTC */
    METER_IN_FLIGHT, /* the exception: of each worker */
    METER_START_MS,
    METER_RELOAD_MS,
    METER_CHECKPOINT_MS, /* the last complete one */
    METER_BACKUP_MS,     /* the last one that db backup has recorded */
    /* histograms */
    METER_GROUP_SIZES,
    METER_COMMIT_TIMES = METER_GROUP_SIZES + METER_GROUP_BUCKETS + 2,
    METER_FIXED = METER_COMMIT_TIMES + METER_COMMIT_BUCKETS + 2,
    /* behind them, for each call and for requests to no call: a counter for each enum
     * error, and a histogram of the times */
    METER_CALL_NUMBERS = ERROR_COUNT + METER_REQUEST_BUCKETS + 2,
};

/* A view of the counters with the block of one process; passed by value. */
struct meter {
    struct counters *counters; /* NULL: nothing is counted */
    size_t block;
};

/* The counters for a pool with this many slots of workers, and for calls with numbers below
 * `calls` (app/api/call.h). NULL: no memory. */
struct counters *meter_create(size_t slots, size_t calls);

/*
 * The counters of a service without a pool, which all processes with this database share,
 * in the file `<database>.metrics`. One that another version of the program left is
 * replaced. On failure *out is NULL and why says what to do.
 */
enum status meter_open(struct counters **out, const char *database, size_t calls,
                       struct problem *why);

/* The same for who only reads: makes no file and replaces none. STATUS_NOT_FOUND: there is
 * none. STATUS_INVALID: it is that of another version. */
enum status meter_find(struct counters **out, const char *database, size_t calls,
                       struct problem *why);

/* The view of a worker, by its slot. */
struct meter meter_of_worker(struct counters *counters, size_t slot);

/* The view of the writer and of the master, of a pool with this many slots. */
struct meter meter_of_writer(struct counters *counters, size_t slots);
struct meter meter_of_master(struct counters *counters, size_t slots);

/* Adds 1, n (which may be negative), or replaces the value. */
void meter_count(const struct meter *meter, enum meter_number number);
void meter_add(const struct meter *meter, enum meter_number number, int64_t n);
void meter_set(const struct meter *meter, enum meter_number number, int64_t value);

/* A request was answered. call: the number of its call; that of calls that there are, for
 * requests to none. */
void meter_request(const struct meter *meter, size_t call, enum error error,
                   int64_t duration_us);

/* A transaction with `size` commands was committed, or failed. */
void meter_commit(const struct meter *meter, size_t size, int64_t duration_us);

/* The place of the counter of a call's error, and of the histogram of its times. */
size_t meter_call_error(size_t call, enum error error);
size_t meter_call_times(size_t call);

/* The total over all processes. */
int64_t meter_total(const struct counters *counters, size_t number);

#endif
