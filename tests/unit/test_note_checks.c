/* Checks 9 to 13 in docs/api.md, on a database: facts and rules together. */
#include "app/store/note_facts.h"

#include "tests/unit/note_stage.h"

static void contact_organization_and_owner_are_checked_in_this_order(void **state)
{
    static const struct {
        const char *contact, *org, *member;
        enum error error;
    } rows[] = {
        {"nobody", "acme", "ann", ERROR_NOT_FOUND},
        {"?", "acme", "ann", ERROR_NOT_FOUND},
        {"nobody", "other", "?", ERROR_NOT_FOUND},
        {"ann", "acme", "ann", ERROR_NOT_FOUND},
        {"carl", "other", "ann", ERROR_WRONG_ORG},
        {"carl", "?", "ann", ERROR_WRONG_ORG},
        {"carl", "nobody", "eve", ERROR_WRONG_ORG},
        {"chad", "acme", "ann", ERROR_WRONG_ORG},
        {"chad", "other", "eve", ERROR_WRONG_ORG}, /* agree, but not with the key */
        {"carl", "acme", "bob", ERROR_NOT_OWNER},
        {"carl", "acme", "nobody", ERROR_NOT_OWNER},
        {"carl", "acme", "?", ERROR_NOT_OWNER},
        {"carl", "acme", "eve", ERROR_NOT_OWNER},
        {"cleo", "acme", "ann", ERROR_NOT_OWNER},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note_command command = stage_command("note", "x");
        command.contact_id = stage_given(rows[i].contact);
        command.org_id = stage_given(rows[i].org);
        command.member_id = stage_given(rows[i].member);
        expect_refusal(&command, rows[i].error);
        command.note_id = stage_given("nothing"); /* checks 12 and 13 come later */
        expect_refusal(&command, rows[i].error);
    }
}

/* All combinations of a named organization and a contact: with uniform errors the two lines
 * that tell foreign contacts from unknown ones become one. */
static void uniform_errors_hide_contacts_of_other_organizations(void **state)
{
    static const char *const orgs[] = {"acme", "other", "nobody", "?"};
    static const struct {
        const char *contact, *member;
        enum error with_own_org, otherwise, uniform_with_own_org, uniform_otherwise;
    } rows[] = {
        {"carl", "ann", ERROR_NONE, ERROR_WRONG_ORG, ERROR_NONE, ERROR_WRONG_ORG},
        {"carl", "bob", ERROR_NOT_OWNER, ERROR_WRONG_ORG, ERROR_NOT_OWNER, ERROR_WRONG_ORG},
        {"chad", "ann", ERROR_WRONG_ORG, ERROR_WRONG_ORG, ERROR_NOT_FOUND, ERROR_NOT_FOUND},
        {"chad", "eve", ERROR_WRONG_ORG, ERROR_WRONG_ORG, ERROR_NOT_FOUND, ERROR_NOT_FOUND},
        {"lost", "ann", ERROR_NOT_FOUND, ERROR_NOT_FOUND, ERROR_NOT_FOUND, ERROR_NOT_FOUND},
        {"?", "ann", ERROR_NOT_FOUND, ERROR_NOT_FOUND, ERROR_NOT_FOUND, ERROR_NOT_FOUND},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows) * COUNT(orgs) * 2; i++) {
        size_t row = i / 2 / COUNT(orgs), org = i / 2 % COUNT(orgs);
        bool uniform = i % 2 != 0;
        const enum error expected[] = {rows[row].otherwise, rows[row].with_own_org,
                                       rows[row].uniform_otherwise,
                                       rows[row].uniform_with_own_org};
        char name[8];

        (void)snprintf(name, sizeof name, "n%zu", i);
        struct note_command command = stage_command(name, "x");
        command.common.uniform_errors = uniform;
        command.contact_id = stage_given(rows[row].contact);
        command.member_id = stage_given(rows[row].member);
        command.org_id = stage_given(orgs[org]);
        enum error error = expected[uniform * 2 + (org == 0)];
        if (error == ERROR_NONE) {
            (void)must_write(&command);
            continue;
        }
        expect_refusal(&command, error);
        command.note_id = stage_given("nothing"); /* nor can notes be found out */
        expect_refusal(&command, error);
    }
}

static void any_key_of_the_organization_serves_for_any_owner(void **state)
{
    struct note_command command = stage_command("note", "x");

    (void)state;
    command.contact_id = stage_given("cleo");
    command.member_id = stage_given("bob");
    (void)must_write(&command);
    assert_string_equal(stage_ask("SELECT author_id = {bob} FROM notes"), "1");
}

static void an_owner_who_is_not_active_counts_as_absent(void **state)
{
    struct note_command command = stage_command("note", "x");

    (void)state;
    command.common.credentials = stage_credentials("bob-key", "dev", "192.0.2.7");
    (void)must_write(&command);
    stage_sql("UPDATE members SET active = 0 WHERE member_id = {ann}");
    command.common.new_id = stage_id("later");
    expect_refusal(&command, ERROR_NOT_OWNER);
}

/* Bob's note on Cleo and Ann's own note on Cleo are not on Carl. */
static void a_note_that_is_not_there_cannot_be_updated(void **state)
{
    static const char *const notes[] = {"nothing", "?", "carl", "bobs", "own"};
    struct note_command other = stage_command("bobs", "x");

    (void)state;
    other.contact_id = stage_given("cleo");
    other.member_id = stage_given("bob");
    (void)must_write(&other);
    stage_sql("UPDATE contacts SET owner_id = {ann} WHERE contact_id = {cleo}");
    other.common.new_id = stage_id("own");
    other.member_id = stage_given("ann");
    (void)must_write(&other);
    for (size_t i = 0; i < COUNT(notes); i++) {
        struct note_command command = update_of(notes[i], "x");
        expect_refusal(&command, ERROR_NOTE_NOT_FOUND);
    }
}

/* Checks 12 and 13, for a note of another author. */
static void flags_say_what_a_later_owner_may_do(void **state)
{
    static const struct {
        enum given_flag editable, visible;
        enum error error;
    } rows[] = {
        {FLAG_OFF, FLAG_OFF, ERROR_NOTE_NOT_FOUND},
        {FLAG_ON, FLAG_OFF, ERROR_NOTE_NOT_FOUND},
        {FLAG_OFF, FLAG_ON, ERROR_NOTE_NOT_EDITABLE},
    };
    char name[8];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(name, sizeof name, "n%zu", i);
        add_note(name, rows[i].editable, rows[i].visible);
    }
    bob_gets_carl();
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(name, sizeof name, "n%zu", i);
        struct note_command command = update_by_bob(name, "by bob");
        command.editable = command.visible = FLAG_ON;
        expect_refusal(&command, rows[i].error);
    }
}

static void an_author_may_always_update_the_own_note(void **state)
{
    (void)state;
    add_note("note", FLAG_OFF, FLAG_OFF);
    struct note_command command = update_of("note", "second");
    (void)must_write(&command);
    /* an edit by another member does not change the author */
    stage_sql("UPDATE notes SET editable = 1, visible = 1");
    bob_gets_carl();
    command = update_by_bob("note", "third");
    command.editable = command.visible = FLAG_OFF;
    (void)must_write(&command);
    command.content = span_of("fourth");
    expect_refusal(&command, ERROR_NOTE_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(contact_organization_and_owner_are_checked_in_this_order),
        on_stage(uniform_errors_hide_contacts_of_other_organizations),
        on_stage(any_key_of_the_organization_serves_for_any_owner),
        on_stage(an_owner_who_is_not_active_counts_as_absent),
        on_stage(a_note_that_is_not_there_cannot_be_updated),
        on_stage(flags_say_what_a_later_owner_may_do),
        on_stage(an_author_may_always_update_the_own_note),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
