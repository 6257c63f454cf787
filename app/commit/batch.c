#include "app/commit/batch.h"

#include <stdlib.h>
#include <string.h>

#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/log.h"

struct batch {
    struct command_kinds kinds;
    struct meter meter;
    char *path;
    struct db *db;      /* NULL: not open */
    int64_t checked_ms; /* when its schema was checked; monotonic */
};

struct batch *batch_create(const char *database_path, const struct command_kinds *kinds,
                           struct meter meter)
{
    struct batch *batch = calloc(1, sizeof *batch);

    if (batch == NULL)
        return NULL;
    batch->kinds = *kinds;
    batch->meter = meter;
    batch->path = strdup(database_path);
    if (batch->path == NULL) {
        free(batch);
        return NULL;
    }
    return batch;
}

void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    if (batch->db != NULL)
        db_finish(batch->db);
    db_close(batch->db);
    free(batch->path);
    free(batch);
}

bool batch_is_open(const struct batch *batch)
{
    return batch->db != NULL;
}

static enum status open_database(struct batch *batch)
{
    struct problem why = {""};

    if (batch->db != NULL)
        return STATUS_OK;
    enum status status = schema_open(&batch->db, batch->path, DB_WRITE, &why);
    if (status != STATUS_OK)
        LOG(LEVEL_ERROR, "database_unavailable", LOG_TEXT("message", why.text));
    else
        db_trust_references(batch->db);
    batch->checked_ms = clock_monotonic_ms();
    return status == STATUS_OK ? STATUS_OK : STATUS_UNAVAILABLE;
}

/* A connection that failed is not used again. */
static void close_database(struct batch *batch)
{
    db_close(batch->db);
    batch->db = NULL;
}

void batch_open(struct batch *batch)
{
    (void)open_database(batch);
}

static void check_schema(struct batch *batch)
{
    struct problem why = {""};

    if (schema_check(batch->db, &batch->checked_ms, &why) == STATUS_OK)
        return;
    LOG(LEVEL_ERROR, "database_unavailable", LOG_TEXT("message", why.text));
    close_database(batch);
}

bool batch_guard(struct batch *batch)
{
    if (batch->db == NULL)
        return false;
    enum status status = db_guard(batch->db);
    if (status == STATUS_OK) {
        check_schema(batch);
    } else if (status != STATUS_BUSY) {
        LOG(LEVEL_ERROR, "database_moved", LOG_TEXT("message", db_message(batch->db)));
        close_database(batch);
    }
    return batch->db != NULL;
}

static void set_all(struct batch_item *items, size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++)
        items[i].status = status;
}

/* The commit failed. Items that were applied get its status. A refusal may rest on what one
 * of them had changed, so it counts no more; what was refused is certainly not stored. */
static void settle_failed(struct batch_item *items, size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++)
        items[i].status = items[i].status == STATUS_OK ? status : STATUS_UNAVAILABLE;
}

static bool is_fault(enum status status)
{
    return status != STATUS_OK && status != STATUS_REFUSED;
}

/* A refusal has written nothing, because a command is judged before anything is written. A
 * fault may have written a part of a command, so it ends the transaction. */
static enum status apply(struct batch *batch, struct batch_item *item)
{
    const struct command_kind *kind = command_kind_of(&batch->kinds, item->command);

    item->status = command_apply(&item->result, kind, batch->db, item->command);
    if (!is_fault(item->status))
        return STATUS_OK;
    LOG(LEVEL_ERROR, "write_failed", LOG_TEXT("request_id", item->command->request_id),
        LOG_TEXT("status", status_name(item->status)),
        LOG_TEXT("message", db_message(batch->db)));
    return item->status;
}

static enum status apply_all(struct batch *batch, struct batch_item *items, size_t count)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = apply(batch, &items[i]);
    return status;
}

/* Returns the status of the transaction; with STATUS_OK each item has its own. */
static enum status run_transaction(struct batch *batch, struct batch_item *items,
                                   size_t count, int timeout_ms)
{
    enum status status = db_write_begin(batch->db, timeout_ms);

    if (status != STATUS_OK)
        return status;
    status = apply_all(batch, items, count);
    if (status != STATUS_OK) {
        db_write_rollback(batch->db);
        return status;
    }
    status = db_write_commit(batch->db);
    if (status == STATUS_OK)
        return STATUS_OK;
    LOG(LEVEL_ERROR, "commit_failed", LOG_TEXT("status", status_name(status)),
        LOG_TEXT("message", db_message(batch->db)), LOG_NUMBER("commands", (int64_t)count));
    settle_failed(items, count, status);
    return STATUS_OK;
}

static bool any_has(const struct batch_item *items, size_t count, bool (*test)(enum status))
{
    for (size_t i = 0; i < count; i++)
        if (test(items[i].status))
            return true;
    return false;
}

static bool is_unknown(enum status status)
{
    return status == STATUS_UNKNOWN;
}

static void count_stored(const struct batch *batch, const struct batch_item *item)
{
    const struct command_kind *kind = command_kind_of(&batch->kinds, item->command);

    if (item->status == STATUS_OK && !item->result.replayed && kind->counted_as != NULL)
        meter_count(&batch->meter, (enum meter_number)kind->counted_as(item->command));
}

/* Counts a transaction that has ended, and what it has stored. */
static void count_transaction(const struct batch *batch, const struct batch_item *items,
                              size_t count, int64_t began_us)
{
    meter_commit(&batch->meter, count, clock_monotonic_us() - began_us);
    if (any_has(items, count, is_unknown))
        meter_count(&batch->meter, METER_COMMITS_UNKNOWN);
    else if (any_has(items, count, is_fault))
        meter_count(&batch->meter, METER_COMMITS_UNAVAILABLE);
    for (size_t i = 0; i < count; i++)
        count_stored(batch, &items[i]);
}

/* A transaction with all items. */
static void commit_items(struct batch *batch, struct batch_item *items, size_t count,
                         int timeout_ms)
{
    enum status status = open_database(batch);

    set_all(items, count, status);
    if (status != STATUS_OK)
        return;
    status = run_transaction(batch, items, count, timeout_ms);
    if (status != STATUS_OK) {
        LOG(LEVEL_ERROR, "transaction_failed", LOG_TEXT("status", status_name(status)),
            LOG_TEXT("message", db_message(batch->db)));
        set_all(items, count, status);
    }
    if (status != STATUS_BUSY && any_has(items, count, is_fault))
        close_database(batch);
}

static void commit_once(struct batch *batch, struct batch_item *items, size_t count,
                        int timeout_ms)
{
    int64_t began_us = clock_monotonic_us();

    commit_items(batch, items, count, timeout_ms);
    count_transaction(batch, items, count, began_us);
}

static bool may_go_better_alone(enum status status)
{
    return status != STATUS_OK && status != STATUS_REFUSED && status != STATUS_BUSY &&
           status != STATUS_UNKNOWN;
}

static int left_ms(int64_t until_ms)
{
    int64_t left_ms = until_ms - clock_monotonic_ms();

    return left_ms > 0 ? (int)left_ms : 0;
}

void batch_commit(struct batch *batch, struct batch_item *items, size_t count,
                  int timeout_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;

    commit_once(batch, items, count, timeout_ms);
    if (count == 1 || !any_has(items, count, may_go_better_alone))
        return;
    /* one item may have made the transaction fail: try each again, alone, until the
     * deadline */
    for (size_t i = 0; i < count; i++)
        if (may_go_better_alone(items[i].status) && left_ms(until_ms) > 0)
            commit_once(batch, &items[i], 1, left_ms(until_ms));
}

/* Writing the same stamp once more changes a page, and so takes the way of any commit. */
static enum status write_stamp(struct db *db, int timeout_ms)
{
    struct db_stamp stamp;
    enum status status = db_write_begin(db, timeout_ms);

    if (status != STATUS_OK)
        return status;
    status = db_stamp_read(db, &stamp);
    if (status == STATUS_OK)
        status = db_stamp_write(db, stamp.application, stamp.version);
    if (status == STATUS_OK)
        return db_write_commit(db);
    db_write_rollback(db);
    return status;
}

enum status batch_probe(struct batch *batch, int timeout_ms)
{
    enum status status = open_database(batch);

    if (status == STATUS_OK)
        status = write_stamp(batch->db, timeout_ms);
    if (status == STATUS_OK || status == STATUS_BUSY)
        return status;
    if (batch->db != NULL) {
        LOG(LEVEL_ERROR, "probe_failed", LOG_TEXT("status", status_name(status)),
            LOG_TEXT("message", db_message(batch->db)));
        close_database(batch);
    }
    return status;
}

void batch_tidy(struct batch *batch)
{
    enum db_upkeep done = batch->db != NULL ? db_tidy(batch->db) : DB_UPKEEP_NONE;

    if (done == DB_UPKEEP_COMPLETE)
        meter_set(&batch->meter, METER_CHECKPOINT_MS, clock_now_ms());
    if (done != DB_UPKEEP_NONE)
        meter_count(&batch->meter, done == DB_UPKEEP_COMPLETE ? METER_CHECKPOINTS_COMPLETE
                                                              : METER_CHECKPOINTS_PARTIAL);
}
