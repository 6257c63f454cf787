#include "app/monitor/monitor.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "app/monitor/answer.h"
#include "app/monitor/probe.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/fastcgi.h"
#include "lib/log.h"

enum {
    LOOK_MS = 500,       /* how often orders and the probe are looked at without an event */
    PROBE_LOOK_MS = 50,  /* while a peer waits for a probe */
    READY_MS = 1000,     /* how long what was read from the database counts for readiness */
    DATABASE_MS = 10000, /* how long what was read from the database counts */
    MAX_BODY_BYTES = 1024, /* bodies are not looked at */
    /* for a peer: a slow one must not keep the next monitor waiting after a reload */
    REQUEST_MS = 3000,
    IDLE_MS = 1000,
};

struct monitor {
    struct monitor_context context;
    struct pool_worker *self;
    struct fastcgi *fastcgi;
    struct geo *geo;
    struct db *db;   /* NULL: it cannot be read */
    int64_t read_ms; /* when it was read last; monotonic */
    struct view_database database;
    struct probe probe;
    uint64_t waiting; /* a bit for each place whose answer waits for the probe */
    struct sample samples[HISTORY_SAMPLES];
};

static void close_database(struct monitor *m)
{
    db_close(m->db);
    m->db = NULL;
}

static void open_database(struct monitor *m)
{
    if (m->db == NULL &&
        schema_open(&m->db, m->context.settings->database, DB_READ, NULL) != STATUS_OK)
        m->db = NULL;
    if (m->db != NULL && key_mark_check(m->db, &m->context.mark, NULL) != STATUS_OK)
        close_database(m);
}

/* Reads from the database, unless that was done within max_age_ms. */
static void read_database(struct monitor *m, int64_t max_age_ms)
{
    int64_t now_ms = clock_monotonic_ms();

    if (m->read_ms != 0 && now_ms - m->read_ms < max_age_ms)
        return;
    m->read_ms = now_ms;
    open_database(m);
    m->database.expiring_7d = m->database.expiring_30d = -1;
    if (m->db != NULL && view_count_keys(&m->database, m->db, clock_now_ms()) != STATUS_OK)
        close_database(m);
}

/* Has the files looked at again that may have been replaced. */
static void read_geo(struct monitor *m, struct view *view)
{
    static const struct address any = {ADDRESS_IPV4, {127, 0, 0, 1}};
    struct geo_tags unused;

    geo_lookup(m->geo, &any, clock_monotonic_ms(), &unused);
    for (int i = 0; i < GEO_FILES; i++)
        view->geo_built_s[i] = geo_build_time(m->geo, (enum geo_file)i);
}

static void fill(struct view *view, struct monitor *m)
{
    const struct monitor_context *c = &m->context;

    *view = (struct view){
        .counters = c->counters,
        .now_ms = clock_now_ms(),
        .has_pool = true,
        .workers = pool_count_workers(m->self),
        .writer = pool_count_role(m->self, c->writer_role),
        .waiting = mailboxes_waiting(c->boxes),
        .samples = m->samples,
        .sample_count = history_read(c->history, m->samples),
        .backup_ms = meter_total(c->counters, METER_BACKUP_MS),
    };
    view_sample(&view->now, c->counters, view->waiting);
    view_measure_files(&m->database, c->settings->database);
    view->database = m->database;
    view->readiness =
        probe_readiness(&m->probe, &view->workers, &view->writer, m->db != NULL);
    read_geo(m, view);
}

static void answer(struct monitor *m, size_t place)
{
    struct view view;

    fill(&view, m);
    answer_send(m->fastcgi, place, &view);
}

/* Those that say whether the service is ready wait until that is known. */
static void begin(struct monitor *m, size_t place)
{
    bool asks = answer_tells_readiness(m->fastcgi, place);

    read_database(m, asks ? READY_MS : DATABASE_MS);
    if (asks)
        probe_ask(&m->probe, clock_monotonic_ms());
    if (asks && m->probe.waits)
        m->waiting |= UINT64_C(1) << place;
    else
        answer(m, place);
}

static void answer_waiting(struct monitor *m)
{
    if (m->waiting == 0 || !probe_look(&m->probe, clock_monotonic_ms()))
        return;
    for (uint64_t left = m->waiting; left != 0; left &= left - 1)
        answer(m, (size_t)__builtin_ctzll(left));
    m->waiting = 0;
}

static void remember(const struct monitor *m)
{
    struct sample now;

    if (!history_is_due(m->context.history, clock_monotonic_ms()))
        return;
    view_sample(&now, m->context.counters, mailboxes_waiting(m->context.boxes));
    history_add(m->context.history, &now);
}

static int loop(struct monitor *m)
{
    for (;;) {
        size_t place = 0;

        pool_idle(m->self);
        enum fastcgi_event event =
            fastcgi_wait(m->fastcgi, m->waiting != 0 ? PROBE_LOOK_MS : LOOK_MS, &place);
        (void)pool_busy(m->self);
        if (event == FASTCGI_BROKEN)
            return EX_OSERR;
        if (event == FASTCGI_DONE)
            return EXIT_SUCCESS;
        if (event == FASTCGI_REQUEST)
            begin(m, place);
        if (event == FASTCGI_SURPLUS) /* it must not wait for a probe */
            answer(m, place);
        answer_waiting(m);
        remember(m);
        if (pool_order(m->self) != POOL_GO_ON || (m->db == NULL && m->context.outdated()))
            fastcgi_finish(m->fastcgi);
    }
}

static enum status open_monitor(struct monitor *m)
{
    const struct settings *s = m->context.settings;
    const struct geo_paths paths = {s->geoip_country, s->geoip_city, s->geoip_asn};
    const struct fastcgi_descriptors fds = {
        .listening = m->context.listening,
        .wake = pool_master_gone_fd(m->self),
        .news = mailboxes_client_fd(m->context.boxes, m->context.client),
        .give = -1,
        .take = -1,
    };
    const struct fastcgi_limits limits = {
        .request_ms = REQUEST_MS,
        .idle_ms = IDLE_MS,
        .max_body_bytes = MAX_BODY_BYTES,
    };

    m->geo = geo_create(&paths, NULL, NULL);
    if (m->geo == NULL)
        return STATUS_NO_MEMORY;
    probe_begin(&m->probe, m->context.boxes, m->context.client);
    return fastcgi_create(&m->fastcgi, &fds, &limits);
}

int monitor_run(const struct monitor_context *context, struct pool_worker *self)
{
    struct monitor *m = calloc(1, sizeof *m);
    int exit_status = EX_OSERR;

    if (m == NULL)
        return exit_status;
    m->context = *context;
    m->self = self;
    enum status status = open_monitor(m);
    if (status == STATUS_OK) {
        pool_ready(self);
        exit_status = loop(m);
    } else {
        LOG(LEVEL_ERROR, "monitor_start_failed", LOG_TEXT("status", status_name(status)));
    }
    fastcgi_free(m->fastcgi);
    geo_free(m->geo);
    db_close(m->db);
    free(m);
    return exit_status;
}
