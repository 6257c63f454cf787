#include "app/store/contact_index.h"

#include "tests/unit/stage.h"

/* The names of the contacts that are found, in their order. */
static char names[512];

static enum status add_name(void *arg, const struct contact *contact)
{
    const struct span name = contact->texts[CONTACT_NAME];
    size_t used = strlen(names);

    (void)arg;
    (void)snprintf(names + used, sizeof names - used, "%s%.*s", used > 0 ? " " : "",
                   (int)name.len, name.data);
    return STATUS_OK;
}

static const char *found(const char *org, const char *text)
{
    const struct uuid org_id = stage_id(org);

    names[0] = '\0';
    assert_int_equal(db_read_begin(stage_db), STATUS_OK);
    assert_int_equal(contact_index_search(stage_db, &org_id, span_of(text), add_name, NULL),
                     STATUS_OK);
    db_read_end(stage_db);
    return names;
}

static struct contact contact_of(const char *org, const char *owner, const char *name)
{
    return (struct contact){
        .id = stage_id(name),
        .org_id = stage_id(org),
        .owner_id = stage_id(owner),
        .texts[CONTACT_NAME] = span_of(name),
    };
}

static void add(struct contact *contact)
{
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(contact_add(stage_db, contact), STATUS_OK);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

static void update(struct contact *contact, const struct contact *before)
{
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    assert_int_equal(contact_update(stage_db, contact, before), STATUS_OK);
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

static void add_some(void)
{
    struct contact a = contact_of("acme", "ann", "Ada"),
                   b = contact_of("acme", "ann", "Bo"),
                   c = contact_of("other", "eve", "Ada");

    a.texts[CONTACT_PRIMARY_EMAIL] = span_of("ADA@example.org");
    a.texts[CONTACT_PRIMARY_PHONE] = span_of("+49 (30) 12-34");
    b.texts[CONTACT_ROLE_LABEL] = span_of("Head of adamant");
    b.texts[CONTACT_SECONDARY_EMAIL] = span_of("bo@ada");
    c.id = stage_id("c");
    add(&a);
    add(&b);
    add(&c);
}

static void a_contact_is_found_by_parts_and_wholes(void **state)
{
    (void)state;
    add_some();
    assert_string_equal(found("acme", "ada@EXAMPLE.org"), "Ada");
    assert_string_equal(found("acme", "493012"), "Ada");
    assert_string_equal(found("acme", "(30) 1234"), "Ada");
    assert_string_equal(found("acme", "ADA"), "Ada Bo");
    assert_string_equal(found("acme", "AMAN"), "Bo");
    assert_string_equal(found("acme", " bo "), "Bo");
    assert_string_equal(found("acme", "ad"), "");
    assert_string_equal(found("acme", "x\"y AND z"), "");
    assert_string_equal(found("other", "ada"), "Ada");
    assert_string_equal(found("none", "ada"), "");
}

static void the_one_changed_last_comes_first(void **state)
{
    struct contact one = contact_of("acme", "ann", "One"),
                   two = contact_of("acme", "ann", "Two");
    const struct span role = span_of("tester");

    (void)state;
    one.texts[CONTACT_ROLE_LABEL] = two.texts[CONTACT_ROLE_LABEL] = role;
    add(&one);
    add(&two);
    assert_string_equal(found("acme", "este"), "Two One");
    const struct contact before = one;
    one.texts[CONTACT_PRIMARY_EMAIL] = span_of("one@example.org");
    update(&one, &before);
    assert_string_equal(found("acme", "este"), "One Two");
    assert_string_equal(found("acme", "one@example.org"), "One");
    const struct contact again = one;
    one.texts[CONTACT_PRIMARY_EMAIL] = span_of("uno@example.org");
    update(&one, &again);
    assert_string_equal(found("acme", "one@example.org"), "");
    assert_string_equal(stage_ask("SELECT count(*) FROM contact_words"), "2");
    assert_string_equal(stage_ask("SELECT count(*) FROM contact_keys"), "3");
}

enum {
    MANY = 2500, /* of which a block of the index has 1,024 */
    STOP_AT = 100,
};

/* The contacts are found from the one that was added last on. */
static enum status follow(void *arg, const struct contact *contact)
{
    int *next = arg;
    const struct span name = contact->texts[CONTACT_NAME];
    char expected[16];

    (void)snprintf(expected, sizeof expected, "N%d", *next);
    assert_int_equal(name.len, strlen(expected));
    assert_memory_equal(name.data, expected, name.len);
    --*next;
    return *next == STOP_AT ? STATUS_NOT_FOUND : STATUS_OK;
}

static void add_many(int count)
{
    assert_int_equal(db_write_begin(stage_db, STAGE_LOCK_MS), STATUS_OK);
    for (int i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "N%d", i);
        struct contact contact = contact_of("acme", "ann", name);
        contact.texts[CONTACT_ROLE_LABEL] = span_of("tester");
        assert_int_equal(contact_add(stage_db, &contact), STATUS_OK);
    }
    assert_int_equal(db_write_commit(stage_db), STATUS_OK);
}

static void the_order_holds_for_more_than_a_block_of_places(void **state)
{
    const struct uuid acme = stage_id("acme");
    int next = MANY - 1;

    (void)state;
    add_many(MANY);
    assert_int_equal(db_read_begin(stage_db), STATUS_OK);
    assert_int_equal(contact_index_search(stage_db, &acme, span_of("este"), follow, &next),
                     STATUS_OK);
    db_read_end(stage_db);
    assert_int_equal(next, STOP_AT); /* and none after it has said that it wants no more */
}

static void a_text_is_found_whatever_its_letters(void **state)
{
    struct contact contact = contact_of("acme", "ann", "new");

    (void)state;
    contact.texts[CONTACT_NAME] = span_of("Ærø Straße ΟΔΥΣΣΕΥΣ");
    add(&contact);
    assert_string_equal(found("acme", "STRASSE"), "Ærø Straße ΟΔΥΣΣΕΥΣ");
    assert_string_equal(found("acme", "οδυσσευς"), "Ærø Straße ΟΔΥΣΣΕΥΣ");
    assert_string_equal(found("acme", "ÆRØ"), "Ærø Straße ΟΔΥΣΣΕΥΣ");
    assert_string_equal(found("acme", "ÆRO"), "");
}

static int make_former_schema(void **state)
{
    struct migrations some = schema_ours();

    if (scratch_make(state) != 0)
        return -1;
    (void)snprintf(stage_path, sizeof stage_path, "%s/db", scratch_directory);
    if (db_open(&stage_db, stage_path, DB_CREATE, NULL) != STATUS_OK)
        return -1;
    some.count = 5;
    assert_int_equal(migrate_apply(stage_db, &some, NULL, NULL), STATUS_OK);
    stage_fill();
    return 0;
}

static void contacts_of_a_former_schema_are_found(void **state)
{
    const struct migrations ours = schema_ours();

    (void)state;
    stage_sql("UPDATE contacts SET email = 'Carl@Example.org', updated_at = 3"
              " WHERE contact_id = {carl}");
    assert_int_equal(migrate_apply(stage_db, &ours, NULL, NULL), STATUS_OK);
    assert_string_equal(found("acme", "carl@example.org"), "Carl");
    assert_string_equal(found("acme", "cleo"), "Cleo");
    assert_string_equal(found("other", "chad"), "Chad");
    assert_string_equal(stage_ask("SELECT group_concat(name || ifnull(primary_email, '') ||"
                                  " created_at || updated_at) FROM contacts"),
                        "CarlCarl@Example.org13,Cleo11,Chad11");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(a_contact_is_found_by_parts_and_wholes),
        on_stage(the_one_changed_last_comes_first),
        on_stage(the_order_holds_for_more_than_a_block_of_places),
        on_stage(a_text_is_found_whatever_its_letters),
        cmocka_unit_test_setup_teardown(contacts_of_a_former_schema_are_found,
                                        make_former_schema, stage_remove),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
