#include "app/store/note_write.h"

#include "tests/unit/note_stage.h"

/* ---- Creating ---- */

static void a_new_note_is_stored_with_its_origin(void **state)
{
    struct note_command command = stage_command("note", "Hello \xe2\x82\xac");
    struct uuid id = stage_id("note");

    (void)state;
    command.common.tags = (struct geo_tags){"DE", "Berlin", "AS64500 Example"};
    command.editable = FLAG_ON;
    struct stage_result result = must_write(&command);
    assert_true(uuid_equals(&result.note_id, &id));
    assert_int_equal(result.editable, 1);
    assert_int_equal(result.visible, 0);
    assert_string_equal(
        stage_ask("SELECT content || '|' || editable || visible || '|' || version || '|' ||"
                  " created_at || '|' || written_at || '|' || request_id || '|' ||"
                  " hex(address) || '|' || country || '|' || city || '|' || network"
                  " FROM notes WHERE note_id = {note} AND org_id = {acme}"
                  " AND contact_id = {carl} AND author_id = {ann} AND written_by = {ann}"
                  " AND developer_key_id = {dev}"),
        "Hello \xe2\x82\xac|10|1|1000000|1000000|request-1|C0000207|DE|Berlin|"
        "AS64500 Example");
    assert_string_equal(everything_stored(), "1 notes, 0 revisions");
}

static void flags_are_off_unless_sent(void **state)
{
    static const enum given_flag flags[] = {FLAG_NOT_SENT, FLAG_OFF, FLAG_ON};
    char name[8];

    (void)state;
    for (size_t i = 0; i < COUNT(flags) * COUNT(flags); i++) {
        (void)snprintf(name, sizeof name, "n%zu", i);
        struct note_command command = stage_command(name, "x");
        command.editable = flags[i % COUNT(flags)];
        command.visible = flags[i / COUNT(flags)];
        struct stage_result result = must_write(&command);
        assert_int_equal(result.editable, command.editable == FLAG_ON);
        assert_int_equal(result.visible, command.visible == FLAG_ON);
    }
}

static void unknown_origins_are_null(void **state)
{
    struct note_command command = stage_command("note", "x");

    (void)state;
    command.common.credentials.address = stage_address("2001:db8::1");
    (void)must_write(&command);
    assert_string_equal(stage_ask("SELECT hex(address) FROM notes"),
                        "20010DB8000000000000000000000001");
    assert_string_equal(
        stage_ask("SELECT country IS NULL AND city IS NULL AND network IS NULL"
                  " FROM notes"),
        "1");
}

static void text_is_stored_byte_by_byte(void **state)
{
    static char big[65536];
    struct note_command command = stage_command("big", "");

    (void)state;
    memset(big, '\'', sizeof big);
    command.content = (struct span){big, sizeof big};
    (void)must_write(&command);
    assert_string_equal(stage_ask("SELECT length(CAST(content AS BLOB)) FROM notes"),
                        "65536");
    command = stage_command("small", "");
    command.content = (struct span){"x\n\"\\';--\x7f\xf0\x9f\x98\x80", 13};
    (void)must_write(&command);
    assert_string_equal(stage_ask("SELECT hex(content) FROM notes WHERE note_id = {small}"),
                        "780A225C273B2D2D7FF09F9880");
}

static void keys_are_marked_as_used(void **state)
{
    struct note_command command = stage_command("note", "x");

    (void)state;
    (void)must_write(&command);
    assert_string_equal(
        stage_ask("SELECT last_used_at FROM api_keys WHERE api_key_id = {ann-key}"),
        "1000000");
    assert_string_equal(
        stage_ask("SELECT last_used_at FROM developer_keys WHERE developer_key_id = {dev}"),
        "1000000");
}

/* ---- Updating ---- */

static void an_update_replaces_the_content_and_keeps_the_former_version(void **state)
{
    (void)state;
    add_note("note", FLAG_ON, FLAG_OFF);
    struct note_command command = update_of("note", "second");
    command.common.now_ms = STAGE_NOW_MS + 5;
    (void)snprintf(command.common.request_id, sizeof command.common.request_id,
                   "request-2");
    command.common.credentials = stage_credentials("ann-key", "far", "198.51.100.9");
    struct stage_result result = must_write(&command);
    struct uuid id = stage_id("note");
    assert_true(uuid_equals(&result.note_id, &id));
    assert_string_equal(
        stage_ask(
            "SELECT content || '|' || version || '|' || created_at || '|' || written_at"
            " || '|' || request_id || '|' || hex(address) FROM notes"
            " WHERE developer_key_id = {far}"),
        "second|2|1000000|1000005|request-2|C6336409");
    assert_string_equal(
        stage_ask("SELECT content || '|' || version || '|' || written_at || '|' ||"
                  " request_id || '|' || hex(address) || editable || visible"
                  " FROM note_revisions WHERE developer_key_id = {dev}"),
        "first|1|1000000|request-1|C000020710");
    assert_string_equal(everything_stored(), "1 notes, 1 revisions");
}

static void flags_that_are_not_sent_stay(void **state)
{
    static const enum given_flag flags[] = {FLAG_NOT_SENT, FLAG_OFF, FLAG_ON};
    char name[8];

    (void)state;
    for (int i = 0; i < 36; i++) {
        enum given_flag before[] = {i % 2 ? FLAG_ON : FLAG_OFF,
                                    i / 2 % 2 ? FLAG_ON : FLAG_OFF};
        (void)snprintf(name, sizeof name, "n%d", i);
        add_note(name, before[0], before[1]);
        struct note_command command = update_of(name, "second");
        command.editable = flags[i / 4 % 3];
        command.visible = flags[i / 12];
        struct stage_result result = must_write(&command);
        assert_int_equal(result.editable, command.editable == FLAG_NOT_SENT
                                              ? (int)before[0]
                                              : (int)command.editable);
        assert_int_equal(result.visible, command.visible == FLAG_NOT_SENT
                                             ? (int)before[1]
                                             : (int)command.visible);
    }
    assert_string_equal(everything_stored(), "36 notes, 36 revisions");
}

static void every_version_is_kept(void **state)
{
    char content[16];

    (void)state;
    add_note("note", FLAG_OFF, FLAG_OFF);
    for (int i = 2; i <= 20; i++) {
        (void)snprintf(content, sizeof content, "v%d", i);
        struct note_command command = update_of("note", content);
        (void)must_write(&command);
    }
    assert_string_equal(stage_ask("SELECT content || version FROM notes"), "v2020");
    assert_string_equal(
        stage_ask("SELECT group_concat(version || content, ' ') FROM (SELECT * FROM"
                  " note_revisions WHERE note_id = {note} ORDER BY version LIMIT 3)"),
        "1first 2v2 3v3");
    assert_string_equal(everything_stored(), "1 notes, 19 revisions");
}

static void a_former_version_keeps_its_own_time(void **state)
{
    (void)state;
    add_note("note", FLAG_OFF, FLAG_OFF);
    for (int i = 1; i <= 2; i++) {
        struct note_command command = update_of("note", "later");
        command.common.now_ms = STAGE_NOW_MS + i;
        (void)must_write(&command);
    }
    assert_string_equal(
        stage_ask("SELECT group_concat(written_at, ' ')"
                  " FROM (SELECT written_at FROM note_revisions ORDER BY version)"),
        "1000000 1000001");
    assert_string_equal(stage_ask("SELECT created_at || ' ' || written_at FROM notes"),
                        "1000000 1000002");
}

static void a_former_version_keeps_its_own_place(void **state)
{
    struct note_command first = stage_command("note", "first"),
                        second = update_of("note", "second");

    (void)state;
    first.common.tags = (struct geo_tags){"DE", "Berlin", "AS64500 Example"};
    second.common.tags = (struct geo_tags){"FR", "Paris", "AS64501 Exemple"};
    (void)must_write(&first);
    (void)must_write(&second);
    assert_string_equal(stage_ask("SELECT country || city || network FROM note_revisions"),
                        "DEBerlinAS64500 Example");
    assert_string_equal(stage_ask("SELECT country || city || network FROM notes"),
                        "FRParisAS64501 Exemple");
}

static void the_author_stays_whoever_updates(void **state)
{
    (void)state;
    add_note("note", FLAG_ON, FLAG_ON);
    bob_gets_carl();
    struct note_command command = update_by_bob("note", "by bob");
    (void)must_write(&command);
    assert_string_equal(
        stage_ask("SELECT author_id = {ann} AND written_by = {bob} FROM notes"), "1");
    assert_string_equal(stage_ask("SELECT written_by = {ann} FROM note_revisions"), "1");
}

/* ---- The check in the transaction decides ---- */

/* Changes between a worker's check and the transaction. */
static void what_was_changed_since_the_check_counts(void **state)
{
    static const struct {
        const char *sql;
        enum error error;
    } rows[] = {
        {"UPDATE api_keys SET revoked_at = 1", ERROR_INVALID_API_KEY},
        {"UPDATE members SET active = 0", ERROR_INVALID_API_KEY},
        {"UPDATE developer_keys SET revoked_at = 1 WHERE developer_key_id = {dev};"
         "INSERT INTO developer_key_networks VALUES ({far}, 4, x'c0000200', 24, {acme}, 1)",
         ERROR_INVALID_DEVELOPER_SECRET},
        {"UPDATE developer_keys SET expires_at = 1000000", ERROR_IP_NOT_WHITELISTED},
        {"DELETE FROM developer_key_networks", ERROR_IP_NOT_WHITELISTED},
        {"UPDATE contacts SET owner_id = {bob} WHERE contact_id = {carl}", ERROR_NOT_OWNER},
        {"DELETE FROM contacts WHERE contact_id = {carl}", ERROR_NOT_FOUND},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note_command command = stage_command("note", "x");
        struct caller caller;
        enum error refusal;

        assert_int_equal(stage_judge_caller(&caller, &refusal, stage_db,
                                            &command.common.credentials,
                                            command.common.now_ms),
                         STATUS_OK);
        assert_int_equal(stage_judge_note(&refusal, stage_db, &caller, &command),
                         STATUS_OK);
        stage_sql(rows[i].sql);
        expect_refusal(&command, rows[i].error);
        assert_int_equal(stage_remove(state), 0);
        assert_int_equal(stage_make(state), 0);
    }
}

static void the_same_id_twice_is_an_error_and_changes_nothing(void **state)
{
    struct note_command command = stage_command("note", "second");
    struct stage_result result;

    (void)state;
    add_note("note", FLAG_OFF, FLAG_OFF);
    assert_int_equal(write_note(&result, &command), STATUS_EXISTS);
    assert_string_equal(stage_ask("SELECT content FROM notes"), "first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_new_note_is_stored_with_its_origin),
        on_stage(flags_are_off_unless_sent),
        on_stage(unknown_origins_are_null),
        on_stage(text_is_stored_byte_by_byte),
        on_stage(keys_are_marked_as_used),
        on_stage(an_update_replaces_the_content_and_keeps_the_former_version),
        on_stage(flags_that_are_not_sent_stay),
        on_stage(every_version_is_kept),
        on_stage(a_former_version_keeps_its_own_time),
        on_stage(a_former_version_keeps_its_own_place),
        on_stage(the_author_stays_whoever_updates),
        on_stage(what_was_changed_since_the_check_counts),
        on_stage(the_same_id_twice_is_an_error_and_changes_nothing),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
