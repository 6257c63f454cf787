#include "app/serve/worker.h"

#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "app/serve/access_log.h"
#include "app/serve/pipeline.h"
#include "app/serve/response.h"
#include "app/serve/tally.h"
#include "lib/clock.h"
#include "lib/listener.h"
#include "lib/log.h"

enum {
    LOOK_MS = 100,   /* how often commits and orders are checked without an event */
    GUARD_MS = 1000, /* how often a process that writes checks the database's files */
    /* After the end of the master: how long commits may still take, and connections. */
    ORPHAN_COMMIT_MS = 700,
    ORPHAN_MS = 900,
    /* For an answer of a mebibyte, whose JSON grows by doubling. */
    ARENA_FIXED_BYTES = 16 * 1024 * 1024,
    ARENA_BYTES_PER_BODY_BYTE = 32, /* for the names of a body of many members */
    READY_MAX_BYTES = 256 * 1024,   /* that replies have together which wait to be sent */
    READING_US = 300,         /* after which others get their turn between two reads */
    READING_BESIDE_US = 100,  /* the same while commits are on their way */
    REST_US = 1000,           /* from reading, while commits are on their way */
    MMAP_BYTES = 128 * 1024,  /* pieces from here on are returned to the kernel */
    TRIM_BYTES = 1024 * 1024, /* of free memory that is kept */
};

struct worker {
    const struct settings *settings;
    struct pool_worker *self;
    struct meter meter;
    struct fastcgi *fastcgi;
    struct pipeline *pipeline;
    struct reader *reader; /* of the pipeline */
    bool (*outdated)(void);
    /* By the place of their request; the last one is refused. */
    struct exchange exchanges[FASTCGI_PLACES + 1];
    struct arena *arenas[FASTCGI_PLACES + 1]; /* free ones; the last one is used next */
    int arena_count;
    uint64_t committing;             /* a bit for each place that waits for its commit */
    uint64_t ready;                  /* likewise: whose reply is complete, but not sent */
    size_t ready_bytes;              /* of memory that those have in use, about */
    uint8_t reading[FASTCGI_PLACES]; /* a ring of the places that are to read */
    unsigned first_reading, reading_count;
    int64_t rested_us;           /* until when the worker rests from reading; monotonic */
    int64_t looked_ms;           /* when orders were checked last; monotonic */
    struct committer *committer; /* the pipeline's */
    bool writes;                 /* there is no writer */
    int listening;
    int64_t orphan_since_ms; /* monotonic; 0: there is a master */
};

_Static_assert(FASTCGI_PLACES <= 64, "a bit for each place but the last one");

/* After a commit the note is on the disk, so the caller must not be told that it is not
 * stored. */
static enum error error_without_memory(const struct exchange *x)
{
    bool stored = x->commit.done && x->commit.status == STATUS_OK;

    return stored ? ERROR_OUTCOME_UNKNOWN : ERROR_INTERNAL;
}

/* Makes the answer of the reply, and writes the line of the log. */
static void finish(const struct worker *w, struct exchange *x)
{
    x->response =
        response_render(&x->reply, x->request.id, x->arena, error_without_memory(x));
    int64_t duration_us = clock_monotonic_us() - x->began_us;
    access_log_write(x, x->response.len, duration_us); /* before its path is freed */
    tally_request(&w->meter, x, duration_us);
}

/* Without a master, nobody would take back what a killed process had in hand. */
static void count_in_hand(const struct worker *w, int64_t change)
{
    if (!w->writes)
        meter_add(&w->meter, METER_IN_FLIGHT, change);
}

/* Sends the answer and makes the exchange ready for the next request. */
static void answer(struct worker *w, struct exchange *x)
{
    fastcgi_answer(w->fastcgi, x->place, x->response, x->request.id);
    count_in_hand(w, -1);
    json_object_put(x->body);
    arena_reset(x->arena);
    w->arenas[w->arena_count++] = x->arena;
    x->arena = NULL;
}

/* Answers all that are ready. Their lines of the log are written together, and before the
 * first answer is sent: who has an answer finds its line. */
static void answer_ready(struct worker *w)
{
    if (w->ready == 0)
        return;
    log_gather();
    for (uint64_t left = w->ready; left != 0; left &= left - 1)
        finish(w, &w->exchanges[__builtin_ctzll(left)]);
    log_release();
    for (uint64_t left = w->ready; left != 0; left &= left - 1)
        answer(w, &w->exchanges[__builtin_ctzll(left)]);
    w->ready = 0;
    w->ready_bytes = 0;
}

/* False: no memory. */
static bool prepare(struct worker *w, struct exchange *x, size_t place)
{
    memset(x, 0, sizeof *x);
    x->place = place;
    x->began_us = clock_monotonic_us();
    if (w->arena_count > 0)
        x->arena = w->arenas[--w->arena_count];
    else
        x->arena =
            arena_create(ARENA_FIXED_BYTES +
                         ARENA_BYTES_PER_BODY_BYTE * (size_t)w->settings->max_body_bytes);
    if (x->arena == NULL)
        return false;
    count_in_hand(w, 1);
    return true;
}

/* After the database was opened anew it may be another file than the sandbox of this
 * process allows, and so may be a geo file. Then the process ends, and the master starts
 * one that can use the new file. */
static void leave_if_outdated(struct worker *w)
{
    bool renewed = reader_was_renewed(w->reader);
    bool missed_geo = pipeline_missed_geo(w->pipeline);

    if ((!renewed && !missed_geo) || !w->outdated())
        return;
    const struct log_field message =
        LOG_TEXT("message", "this process makes room for one that may use it");
    if (renewed)
        LOG(LEVEL_INFO, "database_replaced", message);
    else
        LOG(LEVEL_INFO, "geoip_moved", message);
    fastcgi_hand_over(w->fastcgi);
}

/* In a process that writes, both connections have to be closed before one can be opened
 * anew. */
static void guard(struct worker *w)
{
    if (!committer_guard(w->committer))
        reader_leave_moved(w->reader);
}

/* The reply is complete. */
static void note_ready(struct worker *w, const struct exchange *x)
{
    w->ready |= UINT64_C(1) << x->place;
    w->ready_bytes += arena_used_bytes(x->arena);
}

static void read_next(struct worker *w)
{
    struct exchange *x = &w->exchanges[w->reading[w->first_reading]];

    w->first_reading = (w->first_reading + 1) % FASTCGI_PLACES;
    w->reading_count--;
    pipeline_read(w->pipeline, x);
    note_ready(w, x);
}

/* A read takes longer than all else that a worker does, and there is always one when many
 * peers read as fast as they can. Commits whose callers have waited for the disk, and
 * requests that bring new ones, would then wait behind reads, and behind the other
 * processes that read on the same cores. So while commits are on their way, a worker reads
 * only for a short while at a time. */
static bool must_rest(const struct worker *w)
{
    return w->committing != 0 && clock_monotonic_us() < w->rested_us;
}

/* Reads in one transaction, until its time or the room for replies is used up. */
static void read_some(struct worker *w)
{
    if (w->reading_count == 0 || must_rest(w))
        return;
    int64_t now_us = clock_monotonic_us();
    int64_t until_us = now_us + (w->committing != 0 ? READING_BESIDE_US : READING_US);
    guard(w);
    reader_hold(w->reader);
    do {
        read_next(w);
        now_us = clock_monotonic_us();
    } while (w->reading_count > 0 && w->ready_bytes <= READY_MAX_BYTES &&
             now_us < until_us);
    reader_release(w->reader);
    leave_if_outdated(w);
    w->rested_us = now_us + REST_US;
    /* other processes that wait for the core have shorter work to do, and come first: it
     * halves the 99th percentile */
    (void)sched_yield();
}

static void answer_without_memory(struct worker *w, size_t place)
{
    fastcgi_answer(w->fastcgi, place, response_last_resort(ERROR_INTERNAL, false), "");
}

/* Answers at once a request that could not be answered in time. */
static void refuse(struct worker *w, size_t place)
{
    struct exchange *x = &w->exchanges[place];

    if (!prepare(w, x, place)) {
        answer_without_memory(w, place);
        return;
    }
    if (request_read(x, w->settings, w->fastcgi) == STATUS_OK)
        pipeline_refuse(w->pipeline, x, fastcgi_retry_after_s(w->fastcgi));
    else
        call_refuse(NULL, &x->reply, ERROR_INTERNAL);
    finish(w, x);
    answer(w, x);
}

static void begin(struct worker *w, size_t place)
{
    struct exchange *x = &w->exchanges[place];

    if (!prepare(w, x, place)) {
        answer_without_memory(w, place);
        return;
    }
    guard(w);
    if (request_read(x, w->settings, w->fastcgi) == STATUS_OK)
        pipeline_begin(w->pipeline, x);
    else
        call_refuse(NULL, &x->reply, ERROR_INTERNAL);
    if (x->committing && x->commit.done)
        (void)pipeline_look(w->pipeline, x);
    if (x->to_read)
        w->reading[(w->first_reading + w->reading_count++) % FASTCGI_PLACES] =
            (uint8_t)place;
    else if (x->committing)
        w->committing |= UINT64_C(1) << place;
    else
        note_ready(w, x);
    leave_if_outdated(w);
}

static void look_after_commits(struct worker *w)
{
    for (uint64_t left = w->committing; left != 0; left &= left - 1) {
        uint64_t place = left & -left;
        if (!pipeline_look(w->pipeline, &w->exchanges[__builtin_ctzll(left)]))
            continue;
        w->committing &= ~place;
        w->ready |= place;
    }
}

/* Without a master, nobody replaces a writer that has died, and another master can only
 * start when nobody listens any more. */
static void hurry(struct worker *w)
{
    if (w->orphan_since_ms == 0) {
        w->orphan_since_ms = clock_monotonic_ms();
        listener_close(w->listening, pool_master_gone_fd(w->self));
    }
    for (size_t i = 0; i < FASTCGI_PLACES; i++)
        if (w->exchanges[i].committing)
            committer_hurry(&w->exchanges[i].commit, w->orphan_since_ms + ORPHAN_COMMIT_MS);
}

static bool must_leave(const struct worker *w)
{
    return w->orphan_since_ms != 0 &&
           clock_monotonic_ms() - w->orphan_since_ms >= ORPHAN_MS;
}

static void obey(struct worker *w)
{
    w->looked_ms = clock_monotonic_ms();
    guard(w);
    switch (pool_order(w->self)) {
    case POOL_GO_ON:
        break;
    case POOL_FINISH:
        fastcgi_finish(w->fastcgi);
        if (pool_is_orphan(w->self))
            hurry(w);
        break;
    case POOL_HAND_OVER:
        fastcgi_hand_over(w->fastcgi);
        break;
    }
}

/* While there is something to do, events are only asked for. */
static int waiting_ms(const struct worker *w)
{
    if (w->ready != 0)
        return 0;
    if (w->reading_count > 0)
        return must_rest(w) ? REST_US / 1000 : 0;
    if (w->committing != 0 || log_is_waiting() || w->orphan_since_ms != 0)
        return LOOK_MS;
    return w->writes ? GUARD_MS : -1;
}

/* One turn of the loop. */
static enum fastcgi_event turn(struct worker *w)
{
    size_t place = 0;

    pool_idle(w->self);
    enum fastcgi_event event = fastcgi_wait(w->fastcgi, waiting_ms(w), &place);
    /* a busy worker never gets FASTCGI_WOKEN */
    bool is_time = pool_busy(w->self) - w->looked_ms >= LOOK_MS;
    if (event == FASTCGI_REQUEST)
        begin(w, place);
    if (event == FASTCGI_SURPLUS)
        refuse(w, place);
    if (event == FASTCGI_NEWS || is_time)
        look_after_commits(w);
    if (event == FASTCGI_WOKEN || is_time)
        obey(w);
    /* a commit in this process takes as long as many requests, so no answer waits for
     * another one's */
    if (w->writes || is_time || w->ready_bytes > READY_MAX_BYTES ||
        !fastcgi_has_more(w->fastcgi)) {
        answer_ready(w);
        read_some(w);
        answer_ready(w);
    }
    return event;
}

static int loop(struct worker *w)
{
    for (;;) {
        enum fastcgi_event event = turn(w);
        if (event == FASTCGI_BROKEN)
            return EX_OSERR;
        if (event == FASTCGI_DONE || must_leave(w)) {
            while (w->reading_count > 0)
                read_next(w); /* each in a transaction of its own */
            answer_ready(w);
            return EXIT_SUCCESS;
        }
    }
}

static struct committer *make_committer(const struct worker *w,
                                        const struct worker_context *context)
{
    if (context->boxes == NULL)
        return committer_create_direct(context->settings->database, call_command_kinds(),
                                       w->meter);
    return committer_create_mailbox(context->boxes, (size_t)pool_slot(w->self),
                                    call_command_kinds());
}

static enum status open_worker(struct worker *w, const struct worker_context *context)
{
    const struct fastcgi_descriptors fds = {
        .listening = context->listening,
        .wake = pool_master_gone_fd(w->self),
        .news = context->boxes == NULL
                    ? -1
                    : mailboxes_client_fd(context->boxes, (size_t)pool_slot(w->self)),
        .give = context->give,
        .take = context->take,
    };

    const struct fastcgi_limits limits = {
        .request_ms = (int)context->settings->request_timeout * 1000,
        .idle_ms = (int)context->settings->idle_timeout * 1000,
        .max_body_bytes = (size_t)context->settings->max_body_bytes,
    };

    w->listening = context->listening;
    w->outdated = context->outdated;
    w->reader = reader_create(context->settings, context->key, context->outdated);
    w->committer = make_committer(w, context);
    w->writes = context->boxes == NULL;
    w->pipeline = pipeline_create(context->settings, context->key, context->caller_cache,
                                  context->throttle, w->reader, w->committer);
    if (w->pipeline == NULL)
        return STATUS_NO_MEMORY;
    return fastcgi_create(&w->fastcgi, &fds, &limits);
}

static void close_worker(struct worker *w)
{
    fastcgi_free(w->fastcgi);
    pipeline_free(w->pipeline);
    for (int i = 0; i < w->arena_count; i++)
        arena_free(w->arenas[i]);
    free(w);
}

/* Answers of a mebibyte come in bursts, and malloc raises both limits with the first of
 * them: then it would keep the memory of the largest burst. */
static void return_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, TRIM_BYTES);
}

int worker_run(const struct worker_context *context, struct pool_worker *self)
{
    struct worker *w = calloc(1, sizeof *w);
    int exit_status = EX_OSERR;

    if (w == NULL)
        return exit_status;
    w->settings = context->settings;
    w->self = self;
    w->meter = meter_of_worker(context->counters, (size_t)pool_slot(self));
    return_memory();
    enum status status = open_worker(w, context);
    if (status == STATUS_OK) {
        db_read_as_memory();
        reader_open(w->reader); /* before the first request needs it */
        (void)reader_was_renewed(w->reader);
        pool_ready(self);
        exit_status = loop(w);
    } else {
        LOG(LEVEL_ERROR, "worker_start_failed", LOG_TEXT("status", status_name(status)));
    }
    close_worker(w);
    return exit_status;
}
