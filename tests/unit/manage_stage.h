/*
 * A change on the stage (tests/unit/stage.h), and a look at the audit after it.
 */
#ifndef TESTS_UNIT_MANAGE_STAGE_H
#define TESTS_UNIT_MANAGE_STAGE_H

#include "tests/unit/stage.h"

#include "app/manage/change.h"

static struct change change;
static struct problem why;

/* Begins a change of operator "olga". */
static inline struct change *begin(void)
{
    change = (struct change){
        .db = stage_db,
        .now_ms = STAGE_NOW_MS,
        .actor = span_of("olga"),
        .detail = span_of("{\"asked\":1}"),
    };
    why = (struct problem){""};
    assert_int_equal(change_begin(&change), STATUS_OK);
    return &change;
}

static inline const char *count_audit(void)
{
    return stage_ask("SELECT count(*) FROM audit");
}

/* The use case must have succeeded, and left one row of the audit that describes it. */
static inline void must_have_done(enum status status, const char *action, const char *org,
                                  const struct uuid *subject)
{
    char sql[256], hex[2 * UUID_BYTES + 1], expected[128];

    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status), why.text);
    assert_string_equal(why.text, "");
    assert_string_equal(count_audit(), "0");
    assert_int_equal(change_end(&change, status), STATUS_OK);
    for (size_t i = 0; i < UUID_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", subject->bytes[i]);
    (void)snprintf(sql, sizeof sql,
                   "SELECT action || '|' || actor || '|' || at || '|' || detail"
                   " FROM audit WHERE org_id = {%s} AND subject = x'%s'",
                   org, hex);
    (void)snprintf(expected, sizeof expected, "%s|olga|1000000|{\"asked\":1}", action);
    assert_string_equal(stage_ask(sql), expected);
    assert_string_equal(count_audit(), "1");
    stage_sql("DELETE FROM audit");
}

/* The use case must have succeeded without a change, and so without a row of the audit. */
static inline void must_have_left_all(enum status status)
{
    assert_int_equal(status, STATUS_OK);
    assert_false(change.made.done);
    assert_int_equal(change_end(&change, status), STATUS_OK);
    assert_string_equal(count_audit(), "0");
}

/* The use case must have failed with this status and sentence, and changed nothing. */
static inline void must_have_failed(enum status status, enum status expected,
                                    const char *sentence)
{
    assert_int_equal(status, expected);
    assert_string_equal(why.text, sentence);
    assert_int_equal(change_end(&change, status), expected);
    assert_string_equal(count_audit(), "0");
}

/* "there is no WHAT ID" for the id of a name. */
static inline const char *no_such(const char *what, const char *name)
{
    static char sentence[128];
    const struct uuid id = stage_id(name);
    char text[UUID_TEXT_BYTES];

    uuid_format(&id, text);
    (void)snprintf(sentence, sizeof sentence, "there is no %s %s", what, text);
    return sentence;
}

#endif
