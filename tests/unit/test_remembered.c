/*
 * What a connection that writes remembers, from db_recall up to command_apply: it must be
 * right whatever another connection, the time, or a failure has changed since.
 */
#include "tests/unit/batch_stage.h"
#include "tests/unit/failing_sync.h"

/* ---- Facts of a connection ---- */

static const struct fact_kind numbers = {.key_bytes = 8, .value_bytes = 4, .count = 8};
static const uint64_t key = 5;

static struct db *writer;

static int open_writer(void **state)
{
    if (stage_make(state) != 0)
        return -1;
    return db_open(&writer, stage_path, DB_WRITE, NULL) == STATUS_OK ? 0 : -1;
}

static int close_writer(void **state)
{
    db_close(writer);
    writer = NULL;
    return stage_remove(state);
}

static void begin(void)
{
    assert_int_equal(db_write_begin(writer, STAGE_LOCK_MS), STATUS_OK);
}

static void commit(void)
{
    assert_int_equal(db_write_commit(writer), STATUS_OK);
}

static void remember(int number)
{
    db_remember(writer, &numbers, &key, &number);
}

/* -1: nothing. */
static int recall(void)
{
    int number = -1;

    return db_recall(writer, &numbers, &key, &number) ? number : -1;
}

/* In a transaction of its own. */
static int recall_later(void)
{
    begin();
    int number = recall();
    commit();
    return number;
}

static void change_something(struct db *db)
{
    assert_int_equal(db_script(db, "UPDATE contacts SET updated_at = updated_at + 1"),
                     STATUS_OK);
}

static void only_who_asked_for_it_remembers(void **state)
{
    (void)state;
    begin();
    remember(1);
    assert_int_equal(recall(), -1);
    commit();
    db_trust_references(writer);
    begin();
    remember(1);
    assert_int_equal(recall(), 1);
    commit();
}

static void own_commits_change_nothing(void **state)
{
    (void)state;
    db_trust_references(writer);
    begin();
    remember(1);
    change_something(writer);
    commit();
    assert_int_equal(recall_later(), 1);
    begin();
    change_something(writer);
    commit();
    assert_int_equal(recall_later(), 1);
}

static void what_others_commit_is_noticed(void **state)
{
    (void)state;
    db_trust_references(writer);
    begin();
    remember(1);
    commit();
    stage_sql("UPDATE contacts SET updated_at = 9");
    assert_int_equal(recall_later(), -1);
}

static void after_a_rollback_nothing_is_known(void **state)
{
    (void)state;
    db_trust_references(writer);
    begin();
    change_something(writer);
    commit();
    begin();
    remember(1);
    db_write_rollback(writer);
    assert_int_equal(recall_later(), -1);
}

static void after_a_failed_commit_nothing_is_known(void **state)
{
    (void)state;
    db_trust_references(writer);
    begin();
    remember(1);
    change_something(writer);
    next_sync_fails = true;
    assert_int_not_equal(db_write_commit(writer), STATUS_OK);
    assert_int_equal(recall_later(), -1);
}

static void it_can_be_made_to_forget(void **state)
{
    (void)state;
    db_trust_references(writer);
    begin();
    remember(1);
    db_forget(writer);
    assert_int_equal(recall(), -1);
    commit();
}

/* ---- Commands ---- */

static int notes; /* written */

static int make_batch(void **state)
{
    notes = 0;
    return batch_stage_make(state);
}

static struct note_command command_at(int64_t now_ms)
{
    char name[17];

    (void)snprintf(name, sizeof name, "note %d", ++notes);
    struct note_command command = stage_command(name, "text");
    command.common.now_ms = now_ms;
    return command;
}

static enum error write_at(int64_t now_ms)
{
    const struct note_command command = command_at(now_ms);

    return submit(&command);
}

/* A program is accepted twice, then an operator changes something. */
static void assert_noticed(const char *change, enum error expected)
{
    assert_int_equal(write_at(STAGE_NOW_MS), ERROR_NONE);
    assert_int_equal(write_at(STAGE_NOW_MS), ERROR_NONE);
    stage_sql(change);
    assert_int_equal(write_at(STAGE_NOW_MS), expected);
    assert_int_equal(write_at(STAGE_NOW_MS), expected);
}

/* So that the address stays allowed when dev is not live any more. */
static void let_far_come_from_there(void)
{
    stage_sql("INSERT INTO developer_key_networks VALUES"
              " ({far}, 4, x'c0000200', 24, {acme}, 1)");
}

static void a_revoked_key_is_noticed(void **state)
{
    (void)state;
    assert_noticed("UPDATE api_keys SET revoked_at = 2 WHERE api_key_id = {ann-key}",
                   ERROR_INVALID_API_KEY);
}

static void a_revoked_developer_key_is_noticed(void **state)
{
    (void)state;
    let_far_come_from_there();
    assert_noticed(
        "UPDATE developer_keys SET revoked_at = 2 WHERE developer_key_id = {dev}",
        ERROR_INVALID_DEVELOPER_SECRET);
}

static void a_network_that_was_taken_away_is_noticed(void **state)
{
    (void)state;
    assert_noticed("DELETE FROM developer_key_networks WHERE developer_key_id = {dev}",
                   ERROR_IP_NOT_WHITELISTED);
}

static void another_owner_is_noticed(void **state)
{
    (void)state;
    assert_noticed("UPDATE contacts SET owner_id = {bob} WHERE contact_id = {carl}",
                   ERROR_NOT_OWNER);
}

static void a_deactivated_owner_is_noticed(void **state)
{
    (void)state;
    assert_noticed("UPDATE members SET active = 0 WHERE member_id = {ann};"
                   "UPDATE api_keys SET member_id = {bob} WHERE api_key_id = {ann-key}",
                   ERROR_NOT_OWNER);
}

static void another_address_is_judged_by_itself(void **state)
{
    struct note_command command = command_at(STAGE_NOW_MS);

    (void)state;
    assert_int_equal(submit(&command), ERROR_NONE);
    command = command_at(STAGE_NOW_MS);
    command.common.credentials.address = stage_address("203.0.113.1");
    assert_int_equal(submit(&command), ERROR_IP_NOT_WHITELISTED);
    command = command_at(STAGE_NOW_MS);
    command.common.credentials.address = stage_address("198.51.100.7");
    assert_int_equal(submit(&command), ERROR_IP_NOT_WHITELISTED);
    command = command_at(STAGE_NOW_MS);
    command.common.credentials.address = stage_address("2001:db8::7");
    assert_int_equal(submit(&command), ERROR_NONE);
}

static void credentials_that_are_missing_are_not_found(void **state)
{
    struct note_command command = command_at(STAGE_NOW_MS);

    (void)state;
    assert_int_equal(submit(&command), ERROR_NONE);
    command = command_at(STAGE_NOW_MS);
    command.common.credentials.has_secret = false;
    assert_int_equal(submit(&command), ERROR_MISSING_DEVELOPER_SECRET);
    command = command_at(STAGE_NOW_MS);
    command.common.credentials.has_api_key = false;
    assert_int_equal(submit(&command), ERROR_MISSING_API_KEY);
}

static void a_key_expires_in_time(void **state)
{
    (void)state;
    let_far_come_from_there();
    stage_sql(
        "UPDATE developer_keys SET expires_at = 1000100 WHERE developer_key_id = {dev}");
    assert_int_equal(write_at(1000000), ERROR_NONE);
    assert_int_equal(write_at(1000099), ERROR_NONE);
    assert_int_equal(write_at(1000100), ERROR_INVALID_DEVELOPER_SECRET);
    assert_int_equal(write_at(1000099), ERROR_NONE); /* the clock was set back */
}

/* Both keys were replaced, and their former texts work for a while. */
static void a_former_key_ends_in_time(void **state)
{
    (void)state;
    stage_sql("UPDATE api_keys SET hash = [new-key] WHERE api_key_id = {ann-key};"
              "INSERT INTO former_api_keys VALUES"
              " ([ann-key], {ann-key}, {acme}, 1000000, 1000100);");
    assert_int_equal(write_at(1000000), ERROR_NONE);
    assert_int_equal(write_at(1000099), ERROR_NONE);
    assert_int_equal(write_at(1000100), ERROR_INVALID_API_KEY);
}

static void a_former_secret_ends_in_time(void **state)
{
    (void)state;
    stage_sql("UPDATE developer_keys SET hash = [new] WHERE developer_key_id = {dev};"
              "INSERT INTO former_developer_secrets VALUES"
              " ([dev], {dev}, {acme}, 1000000, 1000100);");
    assert_int_equal(write_at(1000000), ERROR_NONE);
    assert_int_equal(write_at(1000099), ERROR_NONE);
    assert_int_equal(write_at(1000100), ERROR_INVALID_DEVELOPER_SECRET);
}

static const char *used_at(void)
{
    return stage_ask("SELECT (SELECT last_used_at FROM api_keys WHERE hash = [ann-key])"
                     " || ' ' ||"
                     " (SELECT last_used_at FROM developer_keys WHERE hash = [dev])");
}

static void uses_are_stored_once_a_minute(void **state)
{
    (void)state;
    assert_int_equal(write_at(1000000), ERROR_NONE);
    assert_string_equal(used_at(), "1000000 1000000");
    assert_int_equal(write_at(1059999), ERROR_NONE);
    assert_string_equal(used_at(), "1000000 1000000");
    assert_int_equal(write_at(1060000), ERROR_NONE);
    assert_string_equal(used_at(), "1060000 1060000");
    assert_int_equal(write_at(1060001), ERROR_NONE);
    assert_string_equal(used_at(), "1060000 1060000");
}

/* An update reads the note, whatever is known of its contact. */
static void the_note_of_an_update_is_read(void **state)
{
    struct note_command first = command_at(STAGE_NOW_MS);
    struct note_command update = command_at(STAGE_NOW_MS);

    (void)state;
    first.visible = FLAG_ON;
    first.editable = FLAG_ON;
    assert_int_equal(submit(&first), ERROR_NONE);
    update.note_id = stage_given("note 1");
    assert_int_equal(submit(&update), ERROR_NONE);
    update.note_id = stage_given("note 9");
    assert_int_equal(submit(&update), ERROR_NOTE_NOT_FOUND);
    update.note_id = stage_given("note 1");
    update.contact_id = stage_given("cleo");
    update.member_id = stage_given("bob");
    assert_int_equal(submit(&update), ERROR_NOTE_NOT_FOUND); /* of another contact */
    assert_int_equal(submit(&update), ERROR_NOTE_NOT_FOUND);
}

static void a_contact_of_others_stays_hidden(void **state)
{
    struct note_command theirs = command_at(STAGE_NOW_MS), ours = command_at(STAGE_NOW_MS);

    (void)state;
    theirs.common.credentials = stage_credentials("eve-key", "eve-dev", "203.0.113.1");
    theirs.org_id = stage_given("other");
    theirs.member_id = stage_given("eve");
    theirs.contact_id = stage_given("chad");
    assert_int_equal(submit(&theirs), ERROR_NONE); /* now it is known */
    ours.contact_id = stage_given("chad");
    assert_int_equal(submit(&ours), ERROR_WRONG_ORG);
    ours.common.uniform_errors = true;
    assert_int_equal(submit(&ours), ERROR_NOT_FOUND);
}

#define with_writer(test) cmocka_unit_test_setup_teardown(test, open_writer, close_writer)
#define with_batch(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, make_batch, batch_stage_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_writer(only_who_asked_for_it_remembers),
        with_writer(own_commits_change_nothing),
        with_writer(what_others_commit_is_noticed),
        with_writer(after_a_rollback_nothing_is_known),
        with_writer(after_a_failed_commit_nothing_is_known),
        with_writer(it_can_be_made_to_forget),
        with_batch(a_revoked_key_is_noticed),
        with_batch(a_revoked_developer_key_is_noticed),
        with_batch(a_network_that_was_taken_away_is_noticed),
        with_batch(another_owner_is_noticed),
        with_batch(a_deactivated_owner_is_noticed),
        with_batch(another_address_is_judged_by_itself),
        with_batch(credentials_that_are_missing_are_not_found),
        with_batch(a_key_expires_in_time),
        with_batch(a_former_key_ends_in_time),
        with_batch(a_former_secret_ends_in_time),
        with_batch(uses_are_stored_once_a_minute),
        with_batch(the_note_of_an_update_is_read),
        with_batch(a_contact_of_others_stays_hidden),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
