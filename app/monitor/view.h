/*
 * All that is known of a service at a moment, for whoever shows it.
 */
#ifndef APP_MONITOR_VIEW_H
#define APP_MONITOR_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/monitor/history.h"
#include "app/settings.h"
#include "lib/db.h"
#include "lib/geo.h"
#include "lib/pool.h"

/* What is read from the database, or about its files. -1: not known. */
struct view_database {
    int64_t data_bytes, wal_bytes;
    int64_t expiring_7d, expiring_30d; /* live developer keys that end within the time */
};

/* Whether a note could be stored now. */
struct view_readiness {
    bool is_ready;
    const char *reason; /* a sentence; NULL when it is ready, or has not been asked */
};

struct view {
    const struct counters *counters; /* NULL: nothing has been counted */
    int64_t now_ms;                  /* milliseconds since 1970, UTC */
    bool has_pool;                   /* what follows is known: */
    struct pool_count workers;
    struct pool_count writer;
    size_t waiting; /* commands in the queue of the writer */
    struct view_readiness readiness;
    struct sample now;            /* with counters */
    const struct sample *samples; /* the oldest first */
    size_t sample_count;
    /* known without a pool, too: */
    struct view_database database;
    int64_t geo_built_s[GEO_FILES]; /* seconds since 1970; 0: none is in use */
    int64_t backup_ms; /* as now_ms, when the last one was begun; 0: not known */
};

/* The sizes of the database's files. */
void view_measure_files(struct view_database *out, const char *database);

/* Counts the keys that expire. db: open for reading. On failure they are -1. */
enum status view_count_keys(struct view_database *out, struct db *db, int64_t now_ms);

/* The code of an error in log and X-Error-Code; of ERROR_NONE "OK". */
const char *view_code(enum error error);

/* How many requests to a call had the code of this error; 0 for an error whose code an
 * earlier one has, too. call: call_count for requests to none. */
int64_t view_call_total(const struct view *view, size_t call, enum error error);

/* The same of all calls. */
int64_t view_code_total(const struct view *view, enum error error);

/* A sample of the totals now, for the history. */
void view_sample(struct sample *out, const struct counters *counters, size_t waiting);

#endif
