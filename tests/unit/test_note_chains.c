/*
 * The chains by which the notes of a contact and the versions of a note are found: as they
 * are written, as a migration makes them, and what a check says when they are broken.
 */
#include "app/store/note.h"
#include "app/store/note_check.h"
#include "tests/unit/batch_stage.h"

static void add(const char *note, const char *contact)
{
    struct note_command command = stage_command(note, note);

    if (strcmp(contact, "cleo") == 0) {
        command.common.credentials = stage_credentials("bob-key", "dev", "192.0.2.7");
        command.member_id = stage_given("bob");
    }
    command.contact_id = stage_given(contact);
    assert_int_equal(submit(&command), ERROR_NONE);
}

static void update(const char *note, const char *content)
{
    struct note_command command = stage_command("unused", content);

    command.note_id = stage_given(note);
    assert_int_equal(submit(&command), ERROR_NONE);
}

/* ---- What is found ---- */

static char found[256];

static enum status append(void *arg, const struct note *note)
{
    size_t used = strlen(found);

    (void)arg;
    (void)snprintf(found + used, sizeof found - used, "%s%.*s", used > 0 ? " " : "",
                   (int)note->content.len, note->content.data);
    return STATUS_OK;
}

static const char *notes_after(const char *contact, const struct uuid *after)
{
    const struct uuid id = stage_id(contact);

    found[0] = '\0';
    assert_int_equal(note_list(stage_db, &id, &note_operator, after, append, NULL),
                     STATUS_OK);
    return found;
}

static const char *notes_of(const char *contact)
{
    return notes_after(contact, NULL);
}

static const char *versions_of(const char *note)
{
    const struct uuid id = stage_id(note);

    found[0] = '\0';
    assert_int_equal(note_history(stage_db, &id, &note_operator, append, NULL), STATUS_OK);
    return found;
}

static const char *written_by(const char *request_id, const struct note_range *range)
{
    found[0] = '\0';
    assert_int_equal(
        note_written_by(stage_db, span_of(request_id), range, &note_operator, append, NULL),
        STATUS_OK);
    return found;
}

static void assert_sound(void)
{
    struct problem why = {""};

    if (note_check(stage_db, &why) != STATUS_OK)
        fail_msg("%s", why.text);
}

static void notes_are_found_by_their_contact(void **state)
{
    (void)state;
    assert_string_equal(notes_of("carl"), "");
    assert_sound();
    add("n1", "carl");
    add("n2", "cleo");
    add("n3", "carl");
    add("n4", "cleo");
    add("n5", "carl");
    assert_string_equal(notes_of("carl"), "n1 n3 n5");
    assert_string_equal(notes_of("cleo"), "n2 n4");
    assert_string_equal(notes_of("chad"), "");
    assert_sound();
}

static void notes_are_found_from_one_on(void **state)
{
    static const char *const contacts[] = {"carl", "cleo", "carl", "carl", "cleo"};
    static const char *const after[] = {"n3 n4", "n3 n4", "n4", "", ""};
    const struct uuid carl = stage_id("carl"), nothing = stage_id("nothing");

    (void)state;
    for (size_t i = 0; i < COUNT(contacts); i++)
        add((char[]){'n', (char)('1' + i), '\0'}, contacts[i]);
    for (size_t i = 0; i < COUNT(after); i++) {
        const struct uuid id = stage_id((char[]){'n', (char)('1' + i), '\0'});
        assert_string_equal(notes_after("carl", &id), after[i]);
    }
    assert_int_equal(note_list(stage_db, &carl, &note_operator, &nothing, append, NULL),
                     STATUS_NOT_FOUND);
}

static void versions_are_found_by_their_note(void **state)
{
    const struct note_range range = {stage_id("n1"), stage_id("n1")};

    (void)state;
    add("n1", "carl");
    update("n1", "second");
    update("n1", "third");
    assert_string_equal(written_by("request-1", NULL), "n1 second third");
    assert_string_equal(written_by("request-1", &range), "n1 second third");
    assert_string_equal(written_by("request-2", NULL), "");
    assert_string_equal(written_by("request-2", &range), "");
    add("n2", "carl");
    update("n2", "other");
    assert_string_equal(versions_of("n1"), "n1 second third");
    assert_string_equal(versions_of("n2"), "n2 other");
    assert_string_equal(notes_of("carl"), "third other");
    assert_sound();
}

/* Many in one transaction, and none of what is rolled back. */
static void chains_hold_in_batches(void **state)
{
    struct note_command commands[] = {
        stage_command("n1", "n1"),
        stage_command("n2", "n2"),
        stage_command("n1", "n1 again"), /* fails, so that all are tried again alone */
        stage_command("n3", "n3"),
    };
    struct batch_item items[COUNT(commands)] = {{0}};

    (void)state;
    add("n0", "carl");
    for (size_t i = 0; i < COUNT(items); i++)
        items[i].command = &commands[i].common;
    batch_commit(batch, items, COUNT(items), STAGE_LOCK_MS);
    assert_int_equal(items[2].status, STATUS_EXISTS);
    add("n4", "carl");
    assert_string_equal(notes_of("carl"), "n0 n1 n2 n3 n4");
    assert_sound();
}

/* A copy of note 1 with another id, as another program would store it. */
#define COPY_OF_NOTE_1(number, note, previous)                                             \
    "INSERT INTO notes (number, note_id, org_id, contact_id, author_id, created_at,"       \
    " previous, version, editable, visible, content, written_by, written_at,"              \
    " developer_key_id, request_id)"                                                       \
    " SELECT " number ", {" note "}, org_id, contact_id, author_id, created_at, " previous \
    ", 1, editable, visible, '" note "', written_by, written_at, developer_key_id,"        \
    " request_id FROM notes WHERE number = 1;"

/* What another program has added meanwhile is not lost from the chain. */
static void chains_go_on_behind_the_notes_of_others(void **state)
{
    (void)state;
    add("n1", "carl");
    stage_sql(COPY_OF_NOTE_1("100", "n2", "1") "UPDATE last_notes SET note = 100");
    add("n3", "carl");
    assert_string_equal(notes_of("carl"), "n1 n2 n3");
    assert_sound();
}

/* ---- What a check says ---- */

static void assert_complaint(const char *change, const char *complaint)
{
    struct problem why = {""};

    add("n1", "carl");
    add("n2", "carl");
    update("n2", "second");
    update("n2", "third");
    add("n3", "cleo");
    assert_sound();
    stage_sql(change);
    assert_int_equal(note_check(stage_db, &why), STATUS_INVALID);
    if (strstr(why.text, complaint) == NULL)
        fail_msg("'%s' instead of '%s'", why.text, complaint);
}

static void note_behind_one_of_another_contact(void **state)
{
    (void)state;
    assert_complaint("UPDATE notes SET previous = 1 WHERE note_id = {n3}",
                     "the note before note 6e330000");
}

static void note_behind_a_later_one(void **state)
{
    (void)state;
    assert_complaint("UPDATE notes SET previous = 2 WHERE note_id = {n1}",
                     "not every note is in the chain of its contact");
    assert_string_equal(notes_of("carl"), "n1 third"); /* the walk ends */
}

static void note_behind_itself(void **state)
{
    (void)state;
    assert_complaint("UPDATE notes SET previous = 1 WHERE note_id = {n1};"
                     "UPDATE notes SET previous = 0 WHERE note_id = {n2}",
                     "the chains of notes do not lead to every note (1 are missing)");
}

static void last_note_of_another_contact(void **state)
{
    (void)state;
    assert_complaint("UPDATE last_notes SET note = 3 WHERE note = 2",
                     "the last note of contact 6361726c");
}

static void note_in_no_chain(void **state)
{
    (void)state;
    assert_complaint("UPDATE notes SET previous = 0 WHERE note_id = {n2}",
                     "not every note is in the chain of its contact (1 are missing)");
}

static void note_in_two_places(void **state)
{
    (void)state;
    assert_complaint(COPY_OF_NOTE_1("100", "n4", "1"),
                     "not every note is in the chain of its contact");
}

static void version_of_another_note(void **state)
{
    (void)state;
    assert_complaint("UPDATE note_revisions SET note_id = {n1} WHERE version = 2",
                     "former versions of note 6e320000");
}

static void version_that_is_missing(void **state)
{
    (void)state;
    assert_complaint("DELETE FROM note_revisions WHERE version = 1",
                     "former versions of note 6e320000");
}

static void version_in_no_chain(void **state)
{
    (void)state;
    assert_complaint(
        "UPDATE notes SET version = 1, former = 0 WHERE note_id = {n2}",
        "not every former version is in the chain of its note (2 are missing)");
}

/* ---- From the schema before ---- */

static void migrate(size_t count)
{
    struct migrations some = schema_ours();

    some.count = count;
    assert_int_equal(migrate_apply(stage_db, &some, NULL, NULL), STATUS_OK);
}

static int make_former_schema(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    (void)snprintf(stage_path, sizeof stage_path, "%s/db", scratch_directory);
    if (db_open(&stage_db, stage_path, DB_CREATE, NULL) != STATUS_OK)
        return -1;
    migrate(4);
    stage_fill();
    return 0;
}

#define FORMER_NOTE(note, contact, version, content)                                       \
    "INSERT INTO notes VALUES ({" note "}, {acme}, {" contact "}, {ann}, 1, " version      \
    ", '" content "', 0, 1, {ann}, 1, {dev}, 'request-1', NULL, NULL, NULL, NULL);"
#define FORMER_VERSION(note, version, content)                                             \
    "INSERT INTO note_revisions VALUES ({" note "}, " version ", {acme}, '" content        \
    "', 0, 1, {ann}, 1, {dev}, 'request-1', NULL, NULL, NULL, NULL);"

static void a_migration_makes_the_chains(void **state)
{
    struct problem why = {""};

    (void)state;
    stage_sql(FORMER_NOTE("n3", "carl", "1", "n3") FORMER_NOTE("n1", "carl", "3", "third")
                  FORMER_NOTE("n2", "cleo", "1", "n2") FORMER_NOTE(
                      "n4", "carl", "2", "fourth") FORMER_VERSION("n1", "2", "second")
                      FORMER_VERSION("n4", "1", "n4") FORMER_VERSION("n1", "1", "n1"));
    migrate(schema_ours().count);
    assert_sound();
    assert_string_equal(notes_of("carl"), "third n3 fourth");
    assert_string_equal(notes_of("cleo"), "n2");
    assert_string_equal(versions_of("n1"), "n1 second third");
    assert_string_equal(versions_of("n4"), "n4 fourth");
    assert_string_equal(stage_ask("SELECT group_concat(name) FROM contacts"),
                        "Carl,Cleo,Chad");
    assert_int_equal(db_check(stage_db, &why), STATUS_OK);
    assert_string_equal(stage_ask("SELECT count(*) FROM sqlite_schema WHERE sql LIKE"
                                  " '%new\\_%' ESCAPE '\\' OR type = 'trigger'"),
                        "0");
    batch = batch_create(stage_path, call_command_kinds(), (struct meter){NULL, 0});
    add("n5", "carl");
    update("n5", "fifth");
    update("n1", "another");
    batch_free(batch);
    assert_string_equal(notes_of("carl"), "another n3 fourth fifth");
    assert_string_equal(versions_of("n1"), "n1 second third another");
    assert_sound();
}

#define with_batch(test)                                                                   \
    cmocka_unit_test_setup_teardown(test, batch_stage_make, batch_stage_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_batch(notes_are_found_by_their_contact),
        with_batch(notes_are_found_from_one_on),
        with_batch(versions_are_found_by_their_note),
        with_batch(chains_hold_in_batches),
        with_batch(chains_go_on_behind_the_notes_of_others),
        with_batch(note_behind_one_of_another_contact),
        with_batch(note_behind_a_later_one),
        with_batch(note_behind_itself),
        with_batch(last_note_of_another_contact),
        with_batch(note_in_no_chain),
        with_batch(note_in_two_places),
        with_batch(version_of_another_note),
        with_batch(version_that_is_missing),
        with_batch(version_in_no_chain),
        cmocka_unit_test_setup_teardown(a_migration_makes_the_chains, make_former_schema,
                                        stage_remove),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
