#include "app/manage/manage_contact.h"

#include "tests/unit/manage_stage.h"

/* The sentence on a member who may not own a contact. */
static const char *no_owner(const char *name)
{
    static char sentence[128];
    const struct uuid id = stage_id(name);
    char text[UUID_TEXT_BYTES];

    uuid_format(&id, text);
    (void)snprintf(sentence, sizeof sentence,
                   "%s is no active member of the contact's organization", text);
    return sentence;
}

static struct given_text given(const char *text)
{
    return (struct given_text){true, span_of(text)};
}

static struct new_contact input_of(const char *org, const char *owner)
{
    return (struct new_contact){
        .org_id = stage_id(org),
        .fields = {.owner = {.given = true, .is_uuid = true, .uuid = stage_id(owner)},
                   .texts[CONTACT_NAME] = given("New")},
    };
}

static void a_contact_is_added_with_its_owner(void **state)
{
    const struct uuid id = stage_id("new");
    struct new_contact input = input_of("acme", "ann");
    struct uuid added;

    (void)state;
    input.id = &id;
    input.fields.texts[CONTACT_PRIMARY_EMAIL] = given("n@example.com");
    input.fields.texts[CONTACT_PRIMARY_PHONE] = given("+49 30");
    must_have_done(manage_contact_add(&added, begin(), &input, &why), "contact add", "acme",
                   &id);
    assert_string_equal(
        stage_ask("SELECT name || primary_email || primary_phone || created_at ||"
                  " updated_at FROM contacts WHERE contact_id = {new}"
                  " AND org_id = {acme} AND owner_id = {ann}"),
        "Newn@example.com+49 3010000001000000");
}

static void what_is_wrong_with_a_new_contact_is_said(void **state)
{
    const struct uuid carl = stage_id("carl");
    struct new_contact rows[6] = {
        input_of("acme", "ann"), input_of("acme", "ann"), input_of("acme", "ann"),
        input_of("acme", "ann"), input_of("no", "ann"),   input_of("acme", "eve"),
    };
    const struct {
        enum status status;
        const char *sentence;
    } expected[] = {
        {STATUS_INVALID, "a contact needs a name, a first name or an e-mail address"},
        {STATUS_INVALID, "e-mail: must look like name@example.com"},
        {STATUS_INVALID, "second telephone: must not hold control characters"},
        {STATUS_EXISTS, "there is a contact with this id already"},
        {STATUS_NOT_FOUND, no_such("organization", "no")},
        {STATUS_REFUSED, no_owner("eve")},
    };
    struct uuid added;

    (void)state;
    rows[0].fields.texts[CONTACT_NAME] = given("");
    rows[1].fields.texts[CONTACT_PRIMARY_EMAIL] = given("@");
    rows[2].fields.texts[CONTACT_SECONDARY_PHONE] = given("\t1");
    rows[3].id = &carl;
    for (size_t i = 0; i < COUNT(rows); i++)
        must_have_failed(manage_contact_add(&added, begin(), &rows[i], &why),
                         expected[i].status, expected[i].sentence);
    assert_string_equal(stage_ask("SELECT count(*) FROM contacts"), "3");
}

static void an_edit_changes_what_it_gives_and_nothing_else(void **state)
{
    const struct uuid carl = stage_id("carl");
    struct contact_edit edit = {
        .texts[CONTACT_FIRST_NAME] = given("Carl"),
        .texts[CONTACT_NAME] = given(""),
        .entity_name = given("Acme"),
        .entity_website = given("https://acme.example"),
    };

    (void)state;
    must_have_done(manage_contact_edit(begin(), &carl, &edit, &why), "contact edit", "acme",
                   &carl);
    must_have_left_all(manage_contact_edit(begin(), &carl, &edit, &why));
    edit = (struct contact_edit){.texts[CONTACT_LAST_NAME] = given("Gauß")};
    must_have_done(manage_contact_edit(begin(), &carl, &edit, &why), "contact edit", "acme",
                   &carl);
    assert_string_equal(
        stage_ask("SELECT c.name || '|' || e.name || '|' || website FROM contacts AS c"
                  " JOIN entities AS e USING (entity_id) WHERE contact_id = {carl}"),
        "Carl Gauß|Acme|https://acme.example");
    edit = (struct contact_edit){.entity_name = given("")};
    must_have_done(manage_contact_edit(begin(), &carl, &edit, &why), "contact edit", "acme",
                   &carl);
    assert_string_equal(
        stage_ask("SELECT entity_id IS NULL FROM contacts WHERE contact_id = {carl}"), "1");
}

static void an_edit_leaves_a_name_and_a_company_for_the_website(void **state)
{
    const struct uuid carl = stage_id("carl"), eve = stage_id("eve");
    const struct {
        struct contact_edit edit;
        enum status status;
        const char *sentence;
    } rows[] = {
        {{.texts[CONTACT_NAME] = given("")},
         STATUS_INVALID,
         "a contact needs a name, a first name or an e-mail address"},
        {{.entity_website = given("https://acme.example")},
         STATUS_INVALID,
         "the website is that of a company, which the contact lacks"},
        {{.entity_name = given("a\tb")},
         STATUS_INVALID,
         "company: must not hold control characters"},
        {{.owner = {true, true, eve}}, STATUS_REFUSED, no_owner("eve")},
    };

    (void)state;
    stage_sql("UPDATE contacts SET primary_email = NULL");
    for (size_t i = 0; i < COUNT(rows); i++)
        must_have_failed(manage_contact_edit(begin(), &carl, &rows[i].edit, &why),
                         rows[i].status, rows[i].sentence);
}

static void a_contact_is_assigned_to_another_member(void **state)
{
    const struct uuid carl = stage_id("carl"), bob = stage_id("bob");

    (void)state;
    must_have_done(manage_contact_assign(begin(), &carl, &bob, &why), "contact assign",
                   "acme", &carl);
    assert_string_equal(stage_ask("SELECT owner_id = {bob} AND updated_at = 1000000"
                                  " AND created_at = 1"
                                  " FROM contacts WHERE contact_id = {carl}"),
                        "1");
    stage_sql("UPDATE contacts SET updated_at = 5");
    must_have_left_all(manage_contact_assign(begin(), &carl, &bob, &why));
    assert_string_equal(stage_ask("SELECT max(updated_at) FROM contacts"), "5");
}

static void only_an_active_member_of_the_organization_becomes_the_owner(void **state)
{
    const struct uuid carl = stage_id("carl"), nobody = stage_id("nobody");
    static const char *const owners[] = {"bob", "eve", "nobody"};

    (void)state;
    stage_sql("UPDATE members SET active = 0 WHERE member_id = {bob}");
    for (size_t i = 0; i < COUNT(owners); i++) {
        const struct uuid owner = stage_id(owners[i]);
        must_have_failed(manage_contact_assign(begin(), &carl, &owner, &why),
                         STATUS_REFUSED, no_owner(owners[i]));
    }
    must_have_failed(manage_contact_assign(begin(), &nobody, &carl, &why), STATUS_NOT_FOUND,
                     no_such("contact", "nobody"));
    assert_string_equal(
        stage_ask("SELECT owner_id = {ann} FROM contacts WHERE contact_id = {carl}"), "1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_contact_is_added_with_its_owner),
        on_stage(what_is_wrong_with_a_new_contact_is_said),
        on_stage(an_edit_changes_what_it_gives_and_nothing_else),
        on_stage(an_edit_leaves_a_name_and_a_company_for_the_website),
        on_stage(a_contact_is_assigned_to_another_member),
        on_stage(only_an_active_member_of_the_organization_becomes_the_owner),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
