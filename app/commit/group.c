#include "app/commit/group.h"

#include <stdlib.h>
#include <string.h>

#include "app/store/schema.h"
#include "lib/clock.h"
#include "lib/log.h"

struct group {
    char *path;
    struct db *db; /* NULL: not open */
};

struct group *group_create(const char *database_path)
{
    struct group *group = calloc(1, sizeof *group);

    if (group == NULL)
        return NULL;
    group->path = strdup(database_path);
    if (group->path == NULL) {
        free(group);
        return NULL;
    }
    return group;
}

void group_free(struct group *group)
{
    if (group == NULL)
        return;
    if (group->db != NULL)
        db_settle(group->db);
    db_close(group->db);
    free(group->path);
    free(group);
}

bool group_is_open(const struct group *group)
{
    return group->db != NULL;
}

static enum status open_database(struct group *group)
{
    struct problem why = {""};

    if (group->db != NULL)
        return STATUS_OK;
    enum status status = schema_open(&group->db, group->path, DB_WRITE, &why);
    if (status != STATUS_OK)
        LOG(LEVEL_ERROR, "database_unavailable", LOG_TEXT("message", why.text));
    return status == STATUS_OK ? STATUS_OK : STATUS_UNAVAILABLE;
}

/* A connection that failed once is not asked again. */
static void close_database(struct group *group)
{
    db_close(group->db);
    group->db = NULL;
}

static void set_all(struct group_item *items, size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++)
        items[i].status = status;
}

/* What was applied shares the fate of the commit; what was not keeps its own status. */
static void settle_applied(struct group_item *items, size_t count, enum status status)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].status == STATUS_OK)
            items[i].status = status;
}

static bool is_fault(enum status status)
{
    return status != STATUS_OK && status != STATUS_REFUSED;
}

/* A refusal has written nothing: note_write looks before it writes. A fault may have left half
 * of a note, so it is the end of the transaction. */
static enum status apply(struct db *db, struct group_item *item)
{
    item->status = note_write(&item->result, db, &item->command);
    if (!is_fault(item->status))
        return STATUS_OK;
    LOG(LEVEL_ERROR, "write_failed", LOG_TEXT("request_id", item->command.request_id),
        LOG_TEXT("status", status_name(item->status)), LOG_TEXT("message", db_message(db)));
    return item->status;
}

static enum status apply_all(struct db *db, struct group_item *items, size_t count)
{
    enum status status = STATUS_OK;

    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = apply(db, &items[i]);
    return status;
}

/* The status of the transaction; items have theirs if it is STATUS_OK. */
static enum status run_transaction(struct db *db, struct group_item *items, size_t count,
                                   int timeout_ms)
{
    enum status status = db_write_begin(db, timeout_ms);

    if (status != STATUS_OK)
        return status;
    status = apply_all(db, items, count);
    if (status != STATUS_OK) {
        db_write_rollback(db);
        return status;
    }
    status = db_write_commit(db);
    settle_applied(items, count, status);
    return STATUS_OK;
}

static bool any_has(const struct group_item *items, size_t count, bool (*test)(enum status))
{
    for (size_t i = 0; i < count; i++)
        if (test(items[i].status))
            return true;
    return false;
}

static void commit_once(struct group *group, struct group_item *items, size_t count,
                        int timeout_ms)
{
    enum status status = open_database(group);

    set_all(items, count, status);
    if (status != STATUS_OK)
        return;
    status = run_transaction(group->db, items, count, timeout_ms);
    if (status != STATUS_OK) {
        LOG(LEVEL_ERROR, "transaction_failed", LOG_TEXT("status", status_name(status)),
            LOG_TEXT("message", db_message(group->db)));
        set_all(items, count, status);
    }
    if (status != STATUS_BUSY && any_has(items, count, is_fault))
        close_database(group);
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

void group_commit(struct group *group, struct group_item *items, size_t count,
                  int timeout_ms)
{
    const int64_t until_ms = clock_monotonic_ms() + timeout_ms;

    commit_once(group, items, count, timeout_ms);
    if (count == 1 || !any_has(items, count, may_go_better_alone))
        return;
    /* one item may have spoilt it for all: each once more, alone, while there is time */
    for (size_t i = 0; i < count; i++)
        if (may_go_better_alone(items[i].status) && left_ms(until_ms) > 0)
            commit_once(group, &items[i], 1, left_ms(until_ms));
}

void group_tidy(struct group *group)
{
    if (group->db != NULL)
        db_checkpoint(group->db);
}
