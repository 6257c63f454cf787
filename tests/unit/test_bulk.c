#include "app/manage/bulk.h"

#include "lib/clock.h"
#include "lib/db_alone.h"
#include "tests/unit/stage.h"

static struct bulk begin(void)
{
    struct bulk bulk = {.db = stage_db, .database = stage_path};

    assert_int_equal(bulk_begin(&bulk), STATUS_OK);
    return bulk;
}

/* How many changes a transaction has time for, each of which takes so long. */
static int count_changes(struct bulk *bulk, int change_ms, int most)
{
    int count = 1;

    while (count < most && bulk_has_time(bulk)) {
        const int64_t until_ms = clock_monotonic_ms() + change_ms;
        while (clock_monotonic_ms() < until_ms)
            continue;
        count++;
    }
    return count;
}

static void without_a_service_a_transaction_has_time(void **state)
{
    struct bulk bulk = begin();

    (void)state;
    assert_false(bulk.is_shared);
    assert_int_equal(count_changes(&bulk, 5, 40), 40);
    assert_int_equal(count_changes(&bulk, 0, 2 * BULK_ALONE_ROWS), BULK_ALONE_ROWS - 39);
    assert_int_equal(bulk_end(&bulk, STATUS_OK), STATUS_OK);
}

static void beside_a_service_it_ends_soon(void **state)
{
    struct lock *service;
    struct problem why;

    (void)state;
    assert_int_equal(db_use(&service, stage_path, &why), STATUS_OK);
    struct bulk bulk = begin();
    assert_true(bulk.is_shared);
    /* changes of 4 to 5 ms */
    assert_in_range(count_changes(&bulk, 5, 1000), 1, BULK_SHARED_US / 4000 + 2);
    assert_int_equal(bulk_end(&bulk, STATUS_OK), STATUS_OK);
    assert_true(bulk.held_us > 0 && bulk.held_max_us == bulk.held_us);
    lock_close(service);
}

static void it_knows_whether_others_write(void **state)
{
    struct db *other;
    struct problem why;
    struct bulk bulk = begin();

    (void)state;
    assert_int_equal(db_open(&other, stage_path, DB_WRITE, &why), STATUS_OK);
    assert_int_equal(db_script(stage_db, "UPDATE orgs SET name = 'A'"), STATUS_OK);
    assert_int_equal(bulk_end(&bulk, STATUS_OK), STATUS_OK);
    assert_int_equal(bulk_begin(&bulk), STATUS_OK);
    assert_false(bulk.others_write);
    assert_int_equal(bulk_end(&bulk, STATUS_OK), STATUS_OK);
    assert_int_equal(db_write_begin(other, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(db_script(other, "UPDATE orgs SET name = 'B'"), STATUS_OK);
    assert_int_equal(db_write_commit(other), STATUS_OK);
    assert_int_equal(bulk_begin(&bulk), STATUS_OK);
    assert_true(bulk.others_write);
    assert_int_equal(bulk_end(&bulk, STATUS_OK), STATUS_OK);
    db_close(other);
}

static void what_fails_is_rolled_back(void **state)
{
    struct bulk bulk = begin();

    (void)state;
    assert_int_equal(db_script(stage_db, "UPDATE orgs SET name = 'gone'"), STATUS_OK);
    assert_int_equal(bulk_end(&bulk, STATUS_EXISTS), STATUS_EXISTS);
    assert_string_equal(stage_ask("SELECT count(*) FROM orgs WHERE name = 'gone'"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(without_a_service_a_transaction_has_time),
        on_stage(beside_a_service_it_ends_soon),
        on_stage(it_knows_whether_others_write),
        on_stage(what_fails_is_rolled_back),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
