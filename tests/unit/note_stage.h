/*
 * Notes on the stage (tests/unit/stage.h): writing them, and refusals by worker and writer.
 */
#ifndef TESTS_UNIT_NOTE_STAGE_H
#define TESTS_UNIT_NOTE_STAGE_H

#include "tests/unit/stage.h"

/* In a transaction of its own, as the committer does it. */
static inline enum status write_note(struct stage_result *result,
                                     const struct note_command *command)
{
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    enum status status = stage_write(result, stage_db, command);
    if (status == STATUS_OK)
        assert_int_equal(db_write_commit(stage_db), STATUS_OK);
    else
        db_write_rollback(stage_db);
    return status;
}

static inline struct stage_result must_write(const struct note_command *command)
{
    struct stage_result result;
    enum status status = write_note(&result, command);

    if (status != STATUS_OK)
        fail_msg("%s: %s", status_name(status),
                 status == STATUS_REFUSED ? error_text(result.refusal)->code
                                          : db_message(stage_db));
    assert_int_equal(result.refusal, ERROR_NONE);
    return result;
}

static inline const char *everything_stored(void)
{
    static char text[64];
    char notes[24];

    (void)snprintf(notes, sizeof notes, "%s", stage_ask("SELECT count(*) FROM notes"));
    (void)snprintf(text, sizeof text, "%s notes, %s revisions", notes,
                   stage_ask("SELECT count(*) FROM note_revisions"));
    return text;
}

/* The worker's check and the transaction agree, and nothing is stored. */
static inline void expect_refusal(const struct note_command *command, enum error expected)
{
    struct stage_result result;
    struct caller caller;
    enum error refusal = ERROR_NONE;
    char before[64];

    (void)snprintf(before, sizeof before, "%s", everything_stored());
    enum status status = write_note(&result, command);
    if (status != STATUS_REFUSED || result.refusal != expected)
        fail_msg("%s instead of %s: %s", status_name(status), error_text(expected)->code,
                 status == STATUS_REFUSED ? error_text(result.refusal)->code : "");
    assert_string_equal(everything_stored(), before);
    if (stage_judge_caller(&caller, &refusal, stage_db, &command->common.credentials,
                           command->common.now_ms) == STATUS_OK)
        assert_int_equal(stage_judge_note(&refusal, stage_db, &caller, command),
                         STATUS_REFUSED);
    assert_int_equal(refusal, expected);
}

/* A note of Ann's on Carl. */
static inline void add_note(const char *name, enum given_flag editable,
                            enum given_flag visible)
{
    struct note_command command = stage_command(name, "first");

    command.editable = editable;
    command.visible = visible;
    (void)must_write(&command);
}

/* The present owner of Carl updates a note. */
static inline struct note_command update_of(const char *note, const char *content)
{
    struct note_command command = stage_command("unused", content);

    command.note_id = stage_given(note);
    return command;
}

static inline void bob_gets_carl(void)
{
    stage_sql("UPDATE contacts SET owner_id = {bob} WHERE contact_id = {carl}");
}

static inline struct note_command update_by_bob(const char *note, const char *content)
{
    struct note_command command = update_of(note, content);

    command.member_id = stage_given("bob");
    command.common.credentials = stage_credentials("bob-key", "dev", "192.0.2.7");
    return command;
}

#endif
