#include "app/monitor/probe.h"

#include "app/commit/letter.h"
#include "tests/unit/unit.h"

enum {
    CLIENT = 1,
    CLIENTS = 2,
    NOW_MS = 1000000,
};

static const struct pool_count some = {.idle = 1}, none = {.idle = 0};
static struct mailboxes *boxes;
static struct probe probe;

static int make(void **state)
{
    (void)state;
    boxes = mailboxes_create(CLIENTS, 1, 8192);
    if (boxes == NULL)
        return -1;
    probe_begin(&probe, boxes, CLIENT);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    mailboxes_free(boxes);
    return 0;
}

/* Takes the probe, as the writer does. */
static size_t take(void)
{
    struct span letter = {NULL, 0};
    size_t number = 0;

    assert_true(mailboxes_take(boxes, &number, &letter));
    assert_true(letter_is_probe(letter));
    return number;
}

static void answer(size_t number, enum status status)
{
    const struct letter_answer letter = {.status = status};

    mailboxes_answer(boxes, number, &letter, sizeof letter);
}

static struct view_readiness readiness(void)
{
    return probe_readiness(&probe, &some, &some, true);
}

static void assert_unready(struct view_readiness found, const char *part)
{
    assert_false(found.is_ready);
    assert_non_null(strstr(found.reason, part));
}

static void it_is_ready_when_the_writer_could_commit(void **state)
{
    (void)state;
    assert_unready(readiness(), "not been asked");
    probe_ask(&probe, NOW_MS);
    assert_false(probe_look(&probe, NOW_MS));
    answer(take(), STATUS_OK);
    assert_true(probe_look(&probe, NOW_MS + 3));
    assert_true(readiness().is_ready);
    assert_null(readiness().reason);
}

static void an_answer_counts_for_a_second(void **state)
{
    struct span letter;
    size_t number;

    (void)state;
    probe_ask(&probe, NOW_MS);
    answer(take(), STATUS_OK);
    assert_true(probe_look(&probe, NOW_MS));
    probe_ask(&probe, NOW_MS + PROBE_FRESH_MS - 1);
    assert_false(mailboxes_take(boxes, &number, &letter));
    assert_true(probe_look(&probe, NOW_MS + PROBE_FRESH_MS - 1));
    probe_ask(&probe, NOW_MS + PROBE_FRESH_MS);
    answer(take(), STATUS_IO);
    assert_true(probe_look(&probe, NOW_MS + PROBE_FRESH_MS));
    assert_unready(readiness(), "cannot be written");
}

static void a_writer_that_does_not_answer_is_given_up(void **state)
{
    (void)state;
    probe_ask(&probe, NOW_MS);
    size_t number = take();
    assert_false(probe_look(&probe, NOW_MS + PROBE_PATIENCE_MS - 1));
    assert_true(probe_look(&probe, NOW_MS + PROBE_PATIENCE_MS));
    assert_unready(readiness(), "does not answer");
    /* it still has the letter, so it cannot be asked again */
    probe_ask(&probe, NOW_MS + 10000);
    assert_true(probe_look(&probe, NOW_MS + 10000));
    assert_unready(readiness(), "does not answer");
    answer(number, STATUS_OK); /* nobody waits for it any more */
    probe_ask(&probe, NOW_MS + 20000);
    answer(take(), STATUS_OK);
    assert_true(probe_look(&probe, NOW_MS + 20000));
    assert_true(readiness().is_ready);
}

static void a_probe_of_a_writer_that_died_is_lost(void **state)
{
    (void)state;
    probe_ask(&probe, NOW_MS);
    (void)take();
    mailboxes_recover(boxes); /* the next writer */
    assert_true(probe_look(&probe, NOW_MS + 1));
    assert_unready(readiness(), "does not answer");
}

static void the_first_obstacle_is_told(void **state)
{
    (void)state;
    probe_ask(&probe, NOW_MS);
    answer(take(), STATUS_BUSY);
    assert_true(probe_look(&probe, NOW_MS));
    assert_unready(probe_readiness(&probe, &none, &none, false), "No worker");
    assert_unready(probe_readiness(&probe, &some, &none, false), "writer is not running");
    assert_unready(probe_readiness(&probe, &some, &some, false), "cannot be read");
    assert_unready(readiness(), "lock");
}

#define with_boxes(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_boxes(it_is_ready_when_the_writer_could_commit),
        with_boxes(an_answer_counts_for_a_second),
        with_boxes(a_writer_that_does_not_answer_is_given_up),
        with_boxes(a_probe_of_a_writer_that_died_is_lost),
        with_boxes(the_first_obstacle_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
