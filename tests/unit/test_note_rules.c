/* Checks 9 to 13 of docs/api.md, without any database. */
#include "app/rules/note_rules.h"

#include "tests/unit/unit.h"

static const struct uuid org = {{1}}, other_org = {{2}}, ann = {{3}}, bob = {{4}},
                         contact = {{5}}, note = {{6}}, new_note = {{7}};

static struct given_id given(const struct uuid *id)
{
    return (struct given_id){.given = true, .is_uuid = true, .uuid = *id};
}

/* Ann adds a note to her contact. */
static struct note_command command_of_ann(void)
{
    return (struct note_command){
        .common.new_id = new_note,
        .org_id = given(&org),
        .member_id = given(&ann),
        .contact_id = given(&contact),
        .editable = FLAG_NOT_SENT,
        .visible = FLAG_NOT_SENT,
    };
}

static struct note_command update_of_ann(void)
{
    struct note_command command = command_of_ann();

    command.note_id = given(&note);
    return command;
}

static const struct caller caller = {.org_id = {{1}}};

static struct note_facts good_facts(void)
{
    return (struct note_facts){
        .contact_found = true, .org_id = org, .owner_id = ann, .owner_active = true};
}

static struct note_facts facts_of_note(const struct uuid *author, int visible, int editable)
{
    struct note_facts facts = good_facts();

    facts.note_found = true;
    facts.author_id = *author;
    facts.visible = (uint8_t)visible;
    facts.editable = (uint8_t)editable;
    return facts;
}

static void the_owner_of_a_contact_may_add_notes(void **state)
{
    const struct note_command command = command_of_ann();
    const struct note_facts facts = good_facts();

    (void)state;
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_NONE);
}

static void without_facts_the_contact_does_not_exist(void **state)
{
    const struct note_command commands[] = {command_of_ann(), update_of_ann()};
    const struct note_facts none = {.contact_found = false};

    (void)state;
    for (size_t i = 0; i < COUNT(commands); i++)
        assert_int_equal(note_judge(&none, &caller, &commands[i]), ERROR_NOT_FOUND);
}

/* Both the organization that is written and that of the API key have to be the contact's. */
static void all_three_organizations_have_to_be_one(void **state)
{
    const struct caller stranger = {.org_id = other_org};
    struct note_command command = command_of_ann();
    struct note_facts facts = good_facts();

    (void)state;
    assert_int_equal(note_judge(&facts, &stranger, &command), ERROR_WRONG_ORG);
    facts.org_id = other_org;
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_WRONG_ORG);
    facts.org_id = org;
    command.org_id = given(&other_org);
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_WRONG_ORG);
    command.org_id = (struct given_id){.given = true, .is_uuid = false, .uuid = org};
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_WRONG_ORG);
    facts.owner_id = bob; /* check 10 comes before check 11 */
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_WRONG_ORG);
}

static void others_than_an_active_owner_are_not_owners(void **state)
{
    struct note_command command = update_of_ann();
    struct note_facts facts = good_facts();

    (void)state;
    facts.owner_id = bob;
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_NOT_OWNER);
    facts = good_facts();
    facts.owner_active = false;
    assert_int_equal(note_judge(&facts, &caller, &command), ERROR_NOT_OWNER);
}

static void a_note_of_another_author_needs_both_flags(void **state)
{
    static const struct {
        bool own;
        int visible, editable;
        enum error expected;
    } cases[] = {
        {true, 0, 0, ERROR_NONE},
        {true, 1, 0, ERROR_NONE},
        {false, 0, 0, ERROR_NOTE_NOT_FOUND},
        {false, 0, 1, ERROR_NOTE_NOT_FOUND},
        {false, 1, 0, ERROR_NOTE_NOT_EDITABLE},
        {false, 1, 1, ERROR_NONE},
    };
    const struct note_command command = update_of_ann();
    const struct note_facts no_note = good_facts();

    (void)state;
    assert_int_equal(note_judge(&no_note, &caller, &command), ERROR_NOTE_NOT_FOUND);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct note_facts facts =
            facts_of_note(cases[i].own ? &ann : &bob, cases[i].visible, cases[i].editable);
        assert_int_equal(note_judge(&facts, &caller, &command), cases[i].expected);
    }
}

static void flags_that_are_not_sent_are_0_on_a_new_note_and_stay_on_another(void **state)
{
    const struct note_facts facts = facts_of_note(&ann, 1, 1);
    struct note_command create = command_of_ann(), update = update_of_ann();
    struct note_result result = note_outcome(&facts, &create);

    (void)state;
    assert_true(uuid_equals(&result.note_id, &new_note));
    assert_int_equal(result.visible * 10 + result.editable, 0);
    result = note_outcome(&facts, &update);
    assert_true(uuid_equals(&result.note_id, &note));
    assert_int_equal(result.visible * 10 + result.editable, 11);
    update.visible = FLAG_OFF;
    create.editable = FLAG_ON;
    assert_int_equal(note_outcome(&facts, &update).visible, 0);
    assert_int_equal(note_outcome(&facts, &update).editable, 1);
    assert_int_equal(note_outcome(&facts, &create).editable, 1);
    assert_int_equal(note_outcome(&facts, &create).visible, 0);
}

static bool same_fingerprint(const struct note_command *a, const struct note_command *b)
{
    struct secret_hash first, second;

    note_fingerprint(&first, a);
    note_fingerprint(&second, b);
    return memcmp(&first, &second, sizeof first) == 0;
}

static void a_fingerprint_tells_fields_apart_and_not_their_forms(void **state)
{
    static const struct uuid nothing;
    struct note_command a = command_of_ann(), b = command_of_ann();

    (void)state;
    assert_true(same_fingerprint(&a, &b));
    b.visible = FLAG_OFF; /* what a new note has without it */
    b.common.new_id = note;
    b.common.now_ms = 7;
    assert_true(same_fingerprint(&a, &b));
    b.visible = FLAG_ON;
    assert_false(same_fingerprint(&a, &b));
    b = a;
    b.content = span_of("x");
    assert_false(same_fingerprint(&a, &b));
    b = a;
    b.note_id = given(&note);
    assert_false(same_fingerprint(&a, &b));
    a.editable = a.visible = FLAG_OFF;
    b = a;
    b.note_id = given(&nothing); /* an update of a note that cannot exist */
    assert_false(same_fingerprint(&a, &b));
    b = a;
    b.member_id = given(&bob);
    assert_false(same_fingerprint(&a, &b));
    b = a;
    b.contact_id = given(&bob);
    assert_false(same_fingerprint(&a, &b));
    b = a;
    b.org_id = given(&bob);
    assert_false(same_fingerprint(&a, &b));
    b = a;
    b.editable = FLAG_ON;
    assert_false(same_fingerprint(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_of_a_contact_may_add_notes),
        cmocka_unit_test(without_facts_the_contact_does_not_exist),
        cmocka_unit_test(all_three_organizations_have_to_be_one),
        cmocka_unit_test(others_than_an_active_owner_are_not_owners),
        cmocka_unit_test(a_note_of_another_author_needs_both_flags),
        cmocka_unit_test(flags_that_are_not_sent_are_0_on_a_new_note_and_stay_on_another),
        cmocka_unit_test(a_fingerprint_tells_fields_apart_and_not_their_forms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
