#include "app/store/idempotency.h"

#include "tests/unit/note_stage.h"

enum {
    HOUR_MS = 60 * 60 * 1000,
};

static struct note_command command_with_key(const char *new_note, const char *key)
{
    struct note_command command = stage_command(new_note, "text");

    (void)snprintf(command.common.idempotency_key, sizeof command.common.idempotency_key,
                   "%s", key);
    note_fingerprint(&command.common.fingerprint, &command);
    return command;
}

static void assert_notes(const char *count)
{
    assert_string_equal(stage_ask("SELECT count(*) FROM notes"), count);
}

static void the_same_request_writes_one_note(void **state)
{
    struct note_command first = command_with_key("one", "k"),
                        again = command_with_key("two", "k");
    struct stage_result result;

    (void)state;
    assert_int_equal(write_note(&result, &first), STATUS_OK);
    assert_false(result.replayed);
    assert_int_equal(write_note(&result, &again), STATUS_OK);
    assert_true(result.replayed);
    assert_memory_equal(&result.note_id, &first.common.new_id, sizeof result.note_id);
    assert_notes("1");
}

static void without_a_key_every_request_writes(void **state)
{
    struct note_command first = stage_command("one", "text"),
                        second = stage_command("two", "text");
    struct stage_result result;

    (void)state;
    assert_int_equal(write_note(&result, &first), STATUS_OK);
    assert_int_equal(write_note(&result, &second), STATUS_OK);
    assert_notes("2");
}

static void forms_of_the_same_fields_count_as_one(void **state)
{
    struct note_command absent = command_with_key("one", "k"), zero = absent;

    (void)state;
    zero.editable = zero.visible = FLAG_OFF;
    note_fingerprint(&zero.common.fingerprint, &zero);
    assert_memory_equal(&absent.common.fingerprint, &zero.common.fingerprint,
                        sizeof absent.common.fingerprint);
}

static void on_an_update_a_flag_that_is_not_sent_is_another_request_than_zero(void **state)
{
    struct note_command absent = command_with_key("one", "k"), zero;

    (void)state;
    absent.note_id = stage_given("nine");
    zero = absent;
    zero.visible = FLAG_OFF;
    note_fingerprint(&absent.common.fingerprint, &absent);
    note_fingerprint(&zero.common.fingerprint, &zero);
    assert_memory_not_equal(&absent.common.fingerprint, &zero.common.fingerprint,
                            sizeof absent.common.fingerprint);
}

static void other_content(struct note_command *command)
{
    command->content = span_of("other");
}

static void other_flag(struct note_command *command)
{
    command->visible = FLAG_ON;
}

static void an_update(struct note_command *command)
{
    command->note_id = stage_given("one");
}

static void another_contact(struct note_command *command)
{
    command->contact_id = stage_given("chad");
}

static void other_fields_with_the_same_key_are_refused(void **state)
{
    static void (*const changes[])(struct note_command *) = {other_content, other_flag,
                                                             an_update, another_contact};
    struct note_command first = command_with_key("one", "k");
    struct stage_result result;

    (void)state;
    assert_int_equal(write_note(&result, &first), STATUS_OK);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct note_command other = stage_command("two", "text");
        changes[i](&other);
        (void)snprintf(other.common.idempotency_key, sizeof other.common.idempotency_key,
                       "k");
        note_fingerprint(&other.common.fingerprint, &other);
        assert_int_equal(write_note(&result, &other), STATUS_REFUSED);
        assert_int_equal(result.refusal, ERROR_IDEMPOTENCY_MISMATCH);
    }
    assert_notes("1");
}

static void developer_keys_do_not_share_idempotency_keys(void **state)
{
    struct note_command first = command_with_key("one", "k"),
                        other = command_with_key("two", "k");
    struct stage_result result;

    (void)state;
    other.common.credentials = stage_credentials("ann-key", "far", "198.51.100.1");
    assert_int_equal(write_note(&result, &first), STATUS_OK);
    assert_int_equal(write_note(&result, &other), STATUS_OK);
    assert_false(result.replayed);
    assert_notes("2");
}

/* Nothing else about it counts any more, not even who owns the contact now. */
static void a_worker_does_not_judge_again_what_was_answered(void **state)
{
    struct note_command command = command_with_key("one", "k"), other;
    struct stage_result result;
    struct caller caller;
    enum error refusal = ERROR_NONE;

    (void)state;
    assert_int_equal(write_note(&result, &command), STATUS_OK);
    bob_gets_carl();
    assert_int_equal(stage_judge_caller(&caller, &refusal, stage_db,
                                        &command.common.credentials, STAGE_NOW_MS),
                     STATUS_OK);
    assert_int_equal(stage_judge_note(&refusal, stage_db, &caller, &command), STATUS_OK);
    other = command_with_key("two", "k");
    other.common.fingerprint.bytes[0] ^= 1;
    assert_int_equal(stage_judge_note(&refusal, stage_db, &caller, &other), STATUS_REFUSED);
    assert_int_equal(refusal, ERROR_IDEMPOTENCY_MISMATCH);
    other = command_with_key("two", "new");
    assert_int_equal(stage_judge_note(&refusal, stage_db, &caller, &other), STATUS_REFUSED);
    assert_int_equal(refusal, ERROR_NOT_OWNER);
}

/* Such as the answer of another kind of command. */
static void an_answer_of_another_length_is_none_for_this_request(void **state)
{
    struct note_command command = command_with_key("one", "k");
    struct stage_result result;

    (void)state;
    assert_int_equal(write_note(&result, &command), STATUS_OK);
    stage_sql("UPDATE idempotency_keys SET answer = substr(answer, 1, length(answer) - 1)");
    assert_int_equal(write_note(&result, &command), STATUS_REFUSED);
    assert_int_equal(result.refusal, ERROR_IDEMPOTENCY_MISMATCH);
}

static void a_refused_request_keeps_nothing(void **state)
{
    struct note_command refused = command_with_key("one", "k"), good;
    struct stage_result result;

    (void)state;
    refused.member_id = stage_given("bob");
    note_fingerprint(&refused.common.fingerprint, &refused);
    assert_int_equal(write_note(&result, &refused), STATUS_REFUSED);
    good = command_with_key("one", "k");
    assert_int_equal(write_note(&result, &good), STATUS_OK);
    assert_false(result.replayed);
}

static void who_has_lost_access_gets_no_replay(void **state)
{
    struct note_command command = command_with_key("one", "k");
    struct stage_result result;

    (void)state;
    assert_int_equal(write_note(&result, &command), STATUS_OK);
    stage_sql("UPDATE developer_keys SET revoked_at = 1");
    assert_int_equal(write_note(&result, &command), STATUS_REFUSED);
    assert_int_equal(result.refusal, ERROR_IP_NOT_WHITELISTED);
}

static void an_answer_is_kept_for_a_day_and_then_forgotten(void **state)
{
    struct note_command first = command_with_key("one", "old"), later;
    struct stage_result result;

    (void)state;
    assert_int_equal(write_note(&result, &first), STATUS_OK);
    later = command_with_key("two", "later");
    later.common.now_ms += 24 * HOUR_MS;
    assert_int_equal(write_note(&result, &later), STATUS_OK);
    assert_string_equal(stage_ask("SELECT count(*) FROM idempotency_keys"), "2");
    later = command_with_key("three", "much later");
    later.common.now_ms += 26 * HOUR_MS;
    assert_int_equal(write_note(&result, &later), STATUS_OK);
    assert_string_equal(stage_ask("SELECT count(*) FROM idempotency_keys"), "2");
    assert_string_equal(stage_ask("SELECT count(*) FROM idempotency_keys"
                                  " WHERE idempotency_key = 'old'"),
                        "0");
}

/* Makes the stage's database anew with the schema before migration 0004, and a request whose
 * answer, the note "old" with both flags, is kept there. */
static void make_former_schema(const struct note_command *command)
{
    struct migrations former = schema_ours();
    static const char note[] =
        "INSERT INTO notes (note_id, org_id, contact_id, author_id, created_at, version,"
        " content, editable, visible, written_by, written_at, developer_key_id, request_id)"
        " VALUES ({old}, {acme}, {carl}, {ann}, 1, 1, 'text', 1, 1, {ann}, 1, {dev}, 'r')";
    static const char answer[] =
        "INSERT INTO idempotency_keys (developer_key_id, idempotency_key, org_id,"
        " fingerprint, note_id, editable, visible, created_at)"
        " VALUES (?1, 'k', ?2, ?3, ?4, 1, 1, ?5)";
    const struct uuid dev = stage_id("dev"), acme = stage_id("acme"), old = stage_id("old");

    former.count = 3;
    db_close(stage_db);
    (void)snprintf(stage_path, sizeof stage_path, "%s/former", scratch_directory);
    assert_int_equal(db_open(&stage_db, stage_path, DB_CREATE, NULL), STATUS_OK);
    assert_int_equal(migrate_apply(stage_db, &former, NULL, NULL), STATUS_OK);
    stage_fill();
    stage_sql(note);
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(DB_RUN(stage_db, NULL, answer, DB_BLOB(dev.bytes, UUID_BYTES),
                            DB_BLOB(acme.bytes, UUID_BYTES),
                            DB_BLOB(command->common.fingerprint.bytes, SECRET_HASH_BYTES),
                            DB_BLOB(old.bytes, UUID_BYTES), DB_INT(STAGE_NOW_MS)),
                     STATUS_OK);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

static void an_answer_from_before_migration_4_is_given_again(void **state)
{
    const struct note_command again = command_with_key("new", "k");
    const struct migrations ours = schema_ours();
    const struct uuid old = stage_id("old");
    struct stage_result result;
    int applied = 0;

    (void)state;
    make_former_schema(&again);
    assert_int_equal(migrate_apply(stage_db, &ours, &applied, NULL), STATUS_OK);
    assert_int_equal(applied, (int)ours.count - 3);
    assert_int_equal(write_note(&result, &again), STATUS_OK);
    assert_true(result.replayed);
    assert_true(uuid_equals(&result.note_id, &old));
    assert_int_equal(result.visible * 10 + result.editable, 11);
    assert_notes("1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(the_same_request_writes_one_note),
        on_stage(without_a_key_every_request_writes),
        on_stage(forms_of_the_same_fields_count_as_one),
        on_stage(on_an_update_a_flag_that_is_not_sent_is_another_request_than_zero),
        on_stage(other_fields_with_the_same_key_are_refused),
        on_stage(developer_keys_do_not_share_idempotency_keys),
        on_stage(a_worker_does_not_judge_again_what_was_answered),
        on_stage(an_answer_of_another_length_is_none_for_this_request),
        on_stage(a_refused_request_keeps_nothing),
        on_stage(who_has_lost_access_gets_no_replay),
        on_stage(an_answer_is_kept_for_a_day_and_then_forgotten),
        on_stage(an_answer_from_before_migration_4_is_given_again),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
