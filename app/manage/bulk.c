#include "app/manage/bulk.h"

#include <time.h>

#include "lib/clock.h"
#include "lib/db_alone.h"

enum {
    WRITE_TIMEOUT_MS = 30000,
    CHANGE_MIN_US = 2000, /* for changes, however long commits take */
    TURN_US = 200,        /* in which a program that waits for the lock gets it */
};

static void pause_us(int64_t us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};

    (void)nanosleep(&time, NULL);
}

/* So that changes, and a commit that takes as long as the last one, have the time of a
 * transaction. */
static int64_t time_for_changes(const struct bulk *bulk)
{
    const int64_t all_us = bulk->is_shared ? BULK_SHARED_US : BULK_ALONE_US;
    const int64_t rest_us = all_us - bulk->commit_us;

    return rest_us > CHANGE_MIN_US ? rest_us : CHANGE_MIN_US;
}

enum status bulk_begin(struct bulk *bulk)
{
    bulk->is_shared = db_is_used(bulk->database);
    db_write_much(bulk->db, !bulk->is_shared);
    if (bulk->is_shared)
        pause_us(bulk->others_write ? bulk->held_us : TURN_US);
    enum status status = db_write_begin(bulk->db, WRITE_TIMEOUT_MS);
    bulk->began_us = clock_monotonic_us();
    bulk->rows = 0;
    bulk->changes_us = time_for_changes(bulk);
    bulk->others_write = status == STATUS_OK && db_others_wrote(bulk->db);
    return status;
}

bool bulk_has_time(struct bulk *bulk)
{
    return ++bulk->rows < BULK_ALONE_ROWS &&
           clock_monotonic_us() - bulk->began_us < bulk->changes_us;
}

enum status bulk_end(struct bulk *bulk, enum status status)
{
    const int64_t ending_us = clock_monotonic_us();

    if (status != STATUS_OK) {
        db_write_rollback(bulk->db);
        return status;
    }
    status = db_write_commit(bulk->db);
    const int64_t end_us = clock_monotonic_us();
    bulk->commit_us = end_us - ending_us;
    bulk->held_us = end_us - bulk->began_us;
    if (bulk->held_us > bulk->held_max_us)
        bulk->held_max_us = bulk->held_us;
    db_tidy(bulk->db);
    return status;
}
