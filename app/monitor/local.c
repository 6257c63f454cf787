#include "app/monitor/local.h"

#include "app/api/call.h"
#include "app/store/schema.h"
#include "lib/backup_record.h"
#include "lib/clock.h"

static void read_database(struct view *view, const struct settings *settings)
{
    struct db *db = NULL;

    view->database.expiring_7d = view->database.expiring_30d = -1;
    view_measure_files(&view->database, settings->database);
    if (schema_open(&db, settings->database, DB_READ, NULL) == STATUS_OK)
        (void)view_count_keys(&view->database, db, view->now_ms);
    db_close(db);
}

static void read_geo(struct view *view, const struct settings *settings)
{
    const struct geo_paths paths = {settings->geoip_country, settings->geoip_city,
                                    settings->geoip_asn};
    struct geo *geo = geo_create(&paths, NULL, NULL);

    for (int i = 0; i < GEO_FILES; i++)
        view->geo_built_s[i] = geo_build_time(geo, (enum geo_file)i);
    geo_free(geo);
}

enum status local_view(struct view *view, const struct settings *settings,
                       struct problem *why)
{
    struct counters *counters;
    struct backup_record record;
    enum status status = meter_find(&counters, settings->database, call_count, why);

    *view = (struct view){.counters = counters, .now_ms = clock_now_ms()};
    if (status != STATUS_OK)
        return status;
    view_sample(&view->now, counters, 0);
    read_database(view, settings);
    read_geo(view, settings);
    (void)backup_record_read(&record, settings->database, NULL); /* else zeros */
    view->backup_ms = record.at_ms;
    return STATUS_OK;
}
