/* What the writer takes as a command to write a contact, whatever a worker posts. */
#include "app/api/add_contacts_full.h"
#include "app/rules/contact_rules.h"

#include "tests/unit/unit.h"

enum {
    LONG_BYTES = 300, /* longer than every text may be */
};

static struct contact_command good_command(void)
{
    struct contact_command command = {.mode = -1, .lookup_by = -1};

    command.texts[CONTACT_NAME] = (struct given_text){true, span_of("Grace Hopper")};
    command.texts[CONTACT_PRIMARY_EMAIL] =
        (struct given_text){true, span_of("g@example.org")};
    command.entity_name = (struct given_text){true, span_of("Navy")};
    return command;
}

static bool is_sound(const struct contact_command *command)
{
    return add_contacts_full_call.command->is_sound(&command->common);
}

static struct given_text *text_of(struct contact_command *command, int number)
{
    if (number < CONTACT_TEXTS)
        return &command->texts[number];
    return number == CONTACT_TEXTS ? &command->entity_name : &command->entity_website;
}

static void a_command_in_order_is_taken(void **state)
{
    struct contact_command command = good_command();

    (void)state;
    assert_true(is_sound(&command));
    command.texts[CONTACT_NAME].text.len = 0; /* it clears the name */
    assert_true(is_sound(&command));
}

static void texts_that_no_field_allows_are_refused(void **state)
{
    static const char *const bad[] = {"a\001b", "\xc3\x28"};
    char text[LONG_BYTES];

    (void)state;
    memset(text, 'x', sizeof text);
    for (int i = 0; i < CONTACT_TEXTS + 2; i++) {
        struct contact_command command = good_command();
        *text_of(&command, i) = (struct given_text){true, {text, sizeof text}};
        assert_false(is_sound(&command));
        for (size_t j = 0; j < sizeof bad / sizeof bad[0]; j++) {
            text_of(&command, i)->text = span_of(bad[j]);
            assert_false(is_sound(&command));
        }
    }
}

static void words_that_do_not_exist_are_refused(void **state)
{
    static const int bad[] = {-2, 3, 1 << 30};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct contact_command command = good_command();
        command.mode = bad[i];
        assert_false(is_sound(&command));
        command = good_command();
        command.lookup_by = bad[i];
        assert_false(is_sound(&command));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_in_order_is_taken),
        cmocka_unit_test(texts_that_no_field_allows_are_refused),
        cmocka_unit_test(words_that_do_not_exist_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
