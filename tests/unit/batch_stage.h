/*
 * A batch on the stage (tests/unit/stage.h), which remembers from one command to the next.
 */
#ifndef TESTS_UNIT_BATCH_STAGE_H
#define TESTS_UNIT_BATCH_STAGE_H

#include "app/commit/batch.h"
#include "tests/unit/stage.h"

static struct batch *batch;

/* Fixtures of cmocka_unit_test_setup_teardown(). */
static inline int batch_stage_make(void **state)
{
    if (stage_make(state) != 0)
        return -1;
    batch = batch_create(stage_path, call_command_kinds(), (struct meter){NULL, 0});
    return batch != NULL ? 0 : -1;
}

static inline int batch_stage_remove(void **state)
{
    batch_free(batch);
    return stage_remove(state);
}

/* Carries out one command, which is stored or refused. */
static inline enum error submit(const struct note_command *command)
{
    struct batch_item item = {.command = &command->common};

    batch_commit(batch, &item, 1, STAGE_LOCK_MS);
    assert_true(item.status == STATUS_OK || item.status == STATUS_REFUSED);
    return item.result.refusal;
}

#endif
