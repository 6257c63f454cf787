#include "app/commit/committer.h"

#include <poll.h>
#include <sys/stat.h>

#include "app/commit/letter.h"
#include "tests/unit/clock_ahead.h"
#include "tests/unit/stage.h"

enum {
    TIMEOUT_MS = 60 * 1000, /* by a clock that the test sets ahead */
    LOCK_MS = 200,
    CLIENTS = 2,
    BOXES = 4,
};

static struct committer *committer;

static struct note_result result_of(const struct commit *commit)
{
    struct note_result result;

    memcpy(&result, commit->result.value, sizeof result);
    return result;
}

/* ---- In this process ---- */

static int make_direct(void **state)
{
    if (stage_make(state) != 0)
        return -1;
    committer =
        committer_create_direct(stage_path, call_command_kinds(), (struct meter){NULL, 0});
    return committer != NULL ? 0 : -1;
}

static int free_direct(void **state)
{
    committer_free(committer);
    return stage_remove(state);
}

static struct commit commit_for(const struct note_command *command, int timeout_ms)
{
    struct commit commit;

    committer_start(committer, 0, &command->common, timeout_ms, &commit);
    assert_true(commit.done);
    committer_look(committer, 0, &commit);
    return commit;
}

static void expect_commit(const char *note, enum status expected)
{
    struct note_command command = stage_command(note, note);
    struct commit commit = commit_for(&command, TIMEOUT_MS);

    if (commit.status != expected)
        fail_msg("%s instead of %s", status_name(commit.status), status_name(expected));
}

static const char *notes_stored(void)
{
    return stage_ask("SELECT group_concat(content, ' ')"
                     " FROM (SELECT content FROM notes ORDER BY content)");
}

static void a_note_is_on_the_disk_when_it_is_done(void **state)
{
    struct note_command command = stage_command("note", "note");
    struct uuid id = stage_id("note");

    (void)state;
    command.visible = FLAG_ON;
    struct commit commit = commit_for(&command, TIMEOUT_MS);
    assert_int_equal(commit.status, STATUS_OK);
    struct note_result result = result_of(&commit);
    assert_true(uuid_equals(&result.note_id, &id));
    assert_int_equal(result.visible, 1);
    assert_string_equal(notes_stored(), "note");
}

static void what_is_refused_is_not_stored(void **state)
{
    struct note_command command = stage_command("note", "note");

    (void)state;
    stage_sql("UPDATE api_keys SET revoked_at = 1");
    struct commit commit = commit_for(&command, TIMEOUT_MS);
    assert_int_equal(commit.status, STATUS_REFUSED);
    assert_int_equal(commit.result.refusal, ERROR_INVALID_API_KEY);
    assert_string_equal(notes_stored(), "NULL");
}

/* Holds the write lock until it is killed. */
static int hold_the_lock(int to_parent)
{
    struct db *db = NULL;

    if (db_open(&db, stage_path, DB_WRITE, NULL) != STATUS_OK ||
        db_write_begin(db, TIMEOUT_MS) != STATUS_OK)
        return 1;
    child_tell(to_parent);
    for (;;)
        (void)poll(NULL, 0, 1000);
}

static void another_writer_is_waited_for_within_the_time_limit(void **state)
{
    struct note_command command = stage_command("note", "note");

    (void)state;
    db_close(stage_db); /* not to be carried across fork */
    stage_db = NULL;
    struct child holder = child_start(hold_the_lock);
    child_wait_told(&holder);
    int64_t began_ms = clock_monotonic_ms();
    assert_int_equal(commit_for(&command, LOCK_MS).status, STATUS_BUSY);
    assert_true(clock_monotonic_ms() - began_ms >= LOCK_MS);
    assert_int_equal(commit_for(&command, 0).status, STATUS_BUSY);
    assert_string_equal(notes_stored(), "NULL");
    assert_int_equal(kill(holder.id, SIGKILL), 0);
    assert_int_equal(child_end(&holder), 128 + SIGKILL);
    expect_commit("note", STATUS_OK);
}

static void without_database_nothing_is_stored_until_it_is_back(void **state)
{
    char away[128];

    (void)state;
    (void)snprintf(away, sizeof away, "%s.away", stage_path);
    db_close(stage_db);
    stage_db = NULL;
    assert_int_equal(rename(stage_path, away), 0);
    expect_commit("one", STATUS_UNAVAILABLE);
    assert_int_equal(access(stage_path, F_OK), -1);
    assert_int_equal(rename(away, stage_path), 0);
    expect_commit("two", STATUS_OK);
    assert_string_equal(notes_stored(), "two");
}

static void what_is_no_database_of_ours_is_not_written_to(void **state)
{
    static const char garbage[] = "this is no database, but it is long enough to be one: "
                                  "0123456789 0123456789 0123456789 0123456789";
    char away[128];

    (void)state;
    (void)snprintf(away, sizeof away, "%s.away", stage_path);
    /* a WAL could hold what is missing in the file */
    assert_int_equal(db_script(stage_db, "PRAGMA wal_checkpoint(TRUNCATE)"), STATUS_OK);
    db_close(stage_db);
    stage_db = NULL;
    assert_int_equal(rename(stage_path, away), 0);
    scratch_write("db", garbage);
    expect_commit("one", STATUS_UNAVAILABLE);
    scratch_write("db", "");
    expect_commit("two", STATUS_UNAVAILABLE);
    assert_int_equal(unlink(stage_path), 0);
    assert_int_equal(mkdir(stage_path, 0700), 0);
    expect_commit("three", STATUS_UNAVAILABLE);
    assert_int_equal(rmdir(stage_path), 0);
    assert_int_equal(rename(away, stage_path), 0);
    expect_commit("four", STATUS_OK);
}

/* Notes that were written to a file without a name would be lost. */
static void a_database_that_was_taken_away_in_use_gets_no_notes(void **state)
{
    char away[128];

    (void)state;
    (void)snprintf(away, sizeof away, "%s.away", stage_path);
    expect_commit("one", STATUS_OK);
    assert_int_equal(rename(stage_path, away), 0);
    expect_commit("two", STATUS_UNAVAILABLE);
    assert_int_equal(rename(away, stage_path), 0);
    expect_commit("three", STATUS_OK);
    assert_string_equal(notes_stored(), "one three");
}

/* As when a backup is put in its place. */
static void a_database_that_was_replaced_in_use_gets_the_notes(void **state)
{
    char copy[128], wal[128], shm[128];

    (void)state;
    (void)snprintf(copy, sizeof copy, "%s.copy", stage_path);
    (void)snprintf(wal, sizeof wal, "%s-wal", stage_path);
    (void)snprintf(shm, sizeof shm, "%s-shm", stage_path);
    expect_commit("one", STATUS_OK);
    assert_int_equal(db_backup(stage_db, copy, NULL, NULL), STATUS_OK);
    expect_commit("two", STATUS_OK);
    db_close(stage_db);
    stage_db = NULL;
    assert_int_equal(unlink(wal), 0);
    assert_int_equal(unlink(shm), 0);
    assert_int_equal(rename(copy, stage_path), 0);
    struct db *db = NULL; /* a backup is not in WAL mode */
    assert_int_equal(db_open(&db, stage_path, DB_CREATE, NULL), STATUS_OK);
    db_close(db);
    struct note_command command = stage_command("three", "three");
    enum status first = commit_for(&command, TIMEOUT_MS).status;
    assert_true(first == STATUS_OK || first == STATUS_UNAVAILABLE);
    expect_commit("four", STATUS_OK);
    assert_string_equal(notes_stored(), first == STATUS_OK ? "four one three" : "four one");
}

/* ---- By the writer, which the test plays here ---- */

static struct mailboxes *boxes;

static int make_boxes(void **state)
{
    (void)state;
    boxes = mailboxes_create(CLIENTS, BOXES, letter_max_bytes(1000));
    committer =
        boxes != NULL ? committer_create_mailbox(boxes, 1, call_command_kinds()) : NULL;
    return committer != NULL ? 0 : -1;
}

static int free_boxes(void **state)
{
    (void)state;
    committer_free(committer);
    mailboxes_free(boxes);
    return 0;
}

static struct commit post(size_t place, const char *content, int timeout_ms)
{
    struct note_command command = stage_command("note", content);
    struct commit commit;

    committer_start(committer, place, &command.common, timeout_ms, &commit);
    return commit;
}

static size_t must_take(const char *content)
{
    union {
        struct note_command note;
        char bytes[COMMAND_MAX_BYTES];
    } command;
    struct span letter;
    size_t number = 0;

    assert_true(mailboxes_take(boxes, &number, &letter));
    assert_int_equal(letter_read(&command.note.common, call_command_kinds(), letter, 1000),
                     STATUS_OK);
    assert_true(span_equals(command.note.content, span_of(content)));
    assert_string_equal(command.note.common.request_id, "request-1");
    return number;
}

static void answer(size_t number, enum status status)
{
    const struct note_result result = {.note_id = stage_id("made"), .editable = 1};
    struct letter_answer letter = {.status = status};

    memcpy(letter.result.value, &result, sizeof result);

    mailboxes_answer(boxes, number, &letter, sizeof letter);
    mailboxes_tell(boxes);
}

static bool is_done(size_t place, struct commit *commit)
{
    committer_look(committer, place, commit);
    return commit->done;
}

static void let_time_out(void)
{
    clock_ahead_s += TIMEOUT_MS / 1000;
}

static void the_writers_word_is_handed_on(void **state)
{
    static const enum status words[] = {STATUS_OK, STATUS_REFUSED, STATUS_BUSY,
                                        STATUS_UNKNOWN, STATUS_UNAVAILABLE};
    struct uuid made = stage_id("made");

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++) {
        struct commit commit = post(2, "x", TIMEOUT_MS);
        assert_false(is_done(2, &commit));
        size_t number = must_take("x");
        assert_false(is_done(2, &commit));
        answer(number, words[i]);
        assert_true(is_done(2, &commit));
        assert_int_equal(commit.status, words[i]);
        struct note_result result = result_of(&commit);
        assert_true(uuid_equals(&result.note_id, &made));
        assert_int_equal(result.editable, 1);
        assert_true(is_done(2, &commit));
    }
}

static void an_answer_that_is_cut_off_says_nothing(void **state)
{
    const struct letter_answer letter = {.status = STATUS_OK};
    struct commit commit = post(0, "x", TIMEOUT_MS);

    (void)state;
    mailboxes_answer(boxes, must_take("x"), &letter, sizeof letter - 1);
    assert_true(is_done(0, &commit));
    assert_int_equal(commit.status, STATUS_UNKNOWN);
}

/* A process that was taken over can write into the mailboxes of others. */
static void an_answer_that_no_writer_gives_says_nothing(void **state)
{
    const struct letter_answer letters[] = {
        {.status = (enum status)STATUS_COUNT},
        {.status = (enum status) - 1},
        {.status = STATUS_REFUSED, .result = {.refusal = (enum error)ERROR_COUNT}},
        {.status = STATUS_REFUSED, .result = {.refusal = (enum error) - 1}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++) {
        struct commit commit = post(0, "x", TIMEOUT_MS);
        mailboxes_answer(boxes, must_take("x"), &letters[i], sizeof letters[i]);
        assert_true(is_done(0, &commit));
        assert_int_equal(commit.status, STATUS_UNKNOWN);
        assert_int_equal(commit.result.refusal, ERROR_NONE);
    }
}

static void many_are_on_their_way_at_once(void **state)
{
    static const char *const contents[BOXES] = {"a", "bb", "", "dddd"};
    struct commit commits[BOXES];
    size_t numbers[BOXES];

    (void)state;
    for (size_t i = 0; i < BOXES; i++)
        commits[i] = post(i, contents[i], TIMEOUT_MS);
    for (size_t i = 0; i < BOXES; i++)
        numbers[i] = must_take(contents[i]);
    for (size_t i = BOXES; i-- > 0;) {
        assert_false(is_done(i, &commits[i]));
        answer(numbers[i], i % 2 ? STATUS_OK : STATUS_BUSY);
        assert_true(is_done(i, &commits[i]));
        assert_int_equal(commits[i].status, i % 2 ? STATUS_OK : STATUS_BUSY);
    }
}

static void what_nobody_took_in_time_is_certainly_not_stored(void **state)
{
    struct span letter;
    size_t number;
    struct commit commit = post(0, "x", TIMEOUT_MS);

    (void)state;
    assert_false(is_done(0, &commit));
    let_time_out();
    assert_true(is_done(0, &commit));
    assert_int_equal(commit.status, STATUS_BUSY);
    assert_false(mailboxes_take(boxes, &number, &letter));
}

static void what_was_taken_and_not_answered_is_unknown(void **state)
{
    struct commit commit = post(0, "x", TIMEOUT_MS);

    (void)state;
    size_t number = must_take("x");
    let_time_out();
    assert_false(is_done(0, &commit));
    let_time_out();
    assert_true(is_done(0, &commit));
    assert_int_equal(commit.status, STATUS_UNKNOWN);
    commit = post(0, "y", TIMEOUT_MS); /* its box is still in use */
    assert_true(is_done(0, &commit));
    assert_int_equal(commit.status, STATUS_BUSY);
    answer(number, STATUS_OK);
    commit = post(0, "z", TIMEOUT_MS);
    assert_false(is_done(0, &commit)); /* the late answer is that of another letter */
    answer(must_take("z"), STATUS_OK);
    assert_true(is_done(0, &commit));
}

static void a_writer_that_died_leaves_it_unknown_and_takes_nothing_else_along(void **state)
{
    struct commit taken = post(0, "taken", TIMEOUT_MS);

    (void)state;
    (void)must_take("taken");
    struct commit waiting = post(1, "waiting", TIMEOUT_MS);
    mailboxes_recover(boxes);
    assert_true(is_done(0, &taken));
    assert_int_equal(taken.status, STATUS_UNKNOWN);
    assert_false(is_done(1, &waiting));
    answer(must_take("waiting"), STATUS_OK);
    assert_true(is_done(1, &waiting));
    assert_int_equal(waiting.status, STATUS_OK);
}

static void a_note_that_is_too_long_for_a_letter_is_not_stored(void **state)
{
    static char content[100000];

    (void)state;
    memset(content, 'x', sizeof content - 1);
    struct commit commit = post(0, content, TIMEOUT_MS);
    assert_true(is_done(0, &commit));
    assert_int_equal(commit.status, STATUS_TOO_LARGE);
}

#define directly(test)  cmocka_unit_test_setup_teardown(test, make_direct, free_direct)
#define by_writer(test) cmocka_unit_test_setup_teardown(test, make_boxes, free_boxes)

int main(void)
{
    const struct CMUnitTest tests[] = {
        directly(a_note_is_on_the_disk_when_it_is_done),
        directly(what_is_refused_is_not_stored),
        directly(another_writer_is_waited_for_within_the_time_limit),
        directly(without_database_nothing_is_stored_until_it_is_back),
        directly(what_is_no_database_of_ours_is_not_written_to),
        directly(a_database_that_was_taken_away_in_use_gets_no_notes),
        directly(a_database_that_was_replaced_in_use_gets_the_notes),
        by_writer(the_writers_word_is_handed_on),
        by_writer(an_answer_that_is_cut_off_says_nothing),
        by_writer(an_answer_that_no_writer_gives_says_nothing),
        by_writer(many_are_on_their_way_at_once),
        by_writer(what_nobody_took_in_time_is_certainly_not_stored),
        by_writer(what_was_taken_and_not_answered_is_unknown),
        by_writer(a_writer_that_died_leaves_it_unknown_and_takes_nothing_else_along),
        by_writer(a_note_that_is_too_long_for_a_letter_is_not_stored),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
