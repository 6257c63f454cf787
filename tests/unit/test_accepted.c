#include "app/serve/accepted.h"

#include "tests/unit/stage.h"

static struct accepted *memory;

static int make(void **state)
{
    (void)state;
    memory = accepted_create();
    return memory != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    accepted_free(memory);
    return 0;
}

static bool knows(const struct caller *caller, int64_t now_ms)
{
    struct access access;

    return accepted_find(memory, caller, now_ms, &access);
}

static void a_caller_is_known_for_a_time(void **state)
{
    const struct note_command command = stage_command("note", "text");
    const struct access access = {.org_id = stage_id("acme")};
    struct access found;

    (void)state;
    assert_false(knows(&command.caller, 0));
    accepted_remember(memory, &command.caller, 1000, &access);
    assert_true(accepted_find(memory, &command.caller, 1000 + ACCEPTED_FOR_MS - 1, &found));
    assert_memory_equal(&found, &access, sizeof found);
    assert_false(knows(&command.caller, 1000 + ACCEPTED_FOR_MS));
}

static void other_key(struct caller *caller)
{
    caller->api_key = stage_hash("other");
}

static void other_secret(struct caller *caller)
{
    caller->secret = stage_hash("other");
}

static void other_address(struct caller *caller)
{
    caller->address = stage_address("192.0.2.8");
}

/* 192.0.2.7 and c000:207:: begin with the same bytes. */
static void other_family(struct caller *caller)
{
    caller->address = stage_address("c000:207::");
}

static void another_caller_is_not_known(void **state)
{
    static void (*const changes[])(struct caller *) = {other_key, other_secret,
                                                       other_address, other_family};
    const struct note_command command = stage_command("note", "text");
    const struct access access = {.api_key_used_at = 0};

    (void)state;
    accepted_remember(memory, &command.caller, 0, &access);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct caller other = command.caller;
        changes[i](&other);
        assert_false(knows(&other, 0));
    }
}

static void a_caller_that_was_refused_is_forgotten(void **state)
{
    const struct note_command command = stage_command("note", "text");
    const struct access access = {.api_key_used_at = 0};
    struct caller other = command.caller;

    (void)state;
    accepted_remember(memory, &command.caller, 0, &access);
    other_address(&other);
    accepted_forget(memory, &other);
    assert_true(knows(&command.caller, 0));
    accepted_forget(memory, &command.caller);
    assert_false(knows(&command.caller, 0));
}

/* However many there are, those that came last are mostly there. */
static void many_callers_are_known_at_once(void **state)
{
    const struct access access = {.api_key_used_at = 0};
    struct caller caller = stage_command("note", "text").caller;
    int known = 0;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < ACCEPTED_MAX / 4; i++) {
            caller.address = (struct address){ADDRESS_IPV4, {10, 0, i >> 8 & 255, i & 255}};
            if (round == 0)
                accepted_remember(memory, &caller, 0, &access);
            else
                known += knows(&caller, 0);
        }
    }
    assert_true(known > ACCEPTED_MAX / 4 * 99 / 100);
}

#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(a_caller_is_known_for_a_time),
        WITH_MEMORY(another_caller_is_not_known),
        WITH_MEMORY(a_caller_that_was_refused_is_forgotten),
        WITH_MEMORY(many_callers_are_known_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
