/* With its static functions, for what another process may leave in the memory. */
#include "app/serve/caller_cache.c"

#include "tests/unit/stage.h"

static struct caller_cache *memory;

static int make(void **state)
{
    (void)state;
    memory = caller_cache_create();
    return memory != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    caller_cache_free(memory);
    return 0;
}

static bool knows(const struct credentials *credentials, int64_t now_ms)
{
    struct caller caller;

    return caller_cache_find(memory, credentials, now_ms, &caller);
}

static void a_caller_is_known_for_a_time(void **state)
{
    const struct note_command command = stage_command("note", "text");
    const struct caller caller = {.org_id = stage_id("acme")};
    struct caller found;

    (void)state;
    assert_false(knows(&command.common.credentials, 0));
    caller_cache_put(memory, &command.common.credentials, 1000, &caller);
    assert_true(caller_cache_find(memory, &command.common.credentials,
                                  1000 + CALLER_CACHE_KEEP_MS - 1, &found));
    assert_memory_equal(&found, &caller, sizeof found);
    assert_false(knows(&command.common.credentials, 1000 + CALLER_CACHE_KEEP_MS));
}

static void other_key(struct credentials *credentials)
{
    credentials->api_key = stage_hash("other");
}

static void other_secret(struct credentials *credentials)
{
    credentials->secret = stage_hash("other");
}

static void other_address(struct credentials *credentials)
{
    credentials->address = stage_address("192.0.2.8");
}

/* 192.0.2.7 and c000:207:: begin with the same bytes. */
static void other_family(struct credentials *credentials)
{
    credentials->address = stage_address("c000:207::");
}

static void another_caller_is_not_known(void **state)
{
    static void (*const changes[])(struct credentials *) = {other_key, other_secret,
                                                            other_address, other_family};
    const struct note_command command = stage_command("note", "text");
    const struct caller caller = {.api_key_used_at = 0};

    (void)state;
    caller_cache_put(memory, &command.common.credentials, 0, &caller);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct credentials other = command.common.credentials;
        changes[i](&other);
        assert_false(knows(&other, 0));
    }
}

static void a_caller_that_was_refused_is_forgotten(void **state)
{
    const struct note_command command = stage_command("note", "text");
    const struct caller caller = {.api_key_used_at = 0};
    struct credentials other = command.common.credentials;

    (void)state;
    caller_cache_put(memory, &command.common.credentials, 0, &caller);
    other_address(&other);
    caller_cache_remove(memory, &other);
    assert_true(knows(&command.common.credentials, 0));
    caller_cache_remove(memory, &command.common.credentials);
    assert_false(knows(&command.common.credentials, 0));
}

/* The process that writes an entry may die, and then it never becomes whole. */
static void an_entry_that_is_being_written_is_not_used(void **state)
{
    const struct note_command command = stage_command("note", "text");
    const struct caller caller = {.api_key_used_at = 0};
    struct content found;

    (void)state;
    caller_cache_put(memory, &command.common.credentials, 0, &caller);
    struct entry *entry = find(&found, memory, fingerprint_of(&command.common.credentials));
    assert_non_null(entry);
    entry->version++;
    assert_false(knows(&command.common.credentials, 0));
    caller_cache_put(memory, &command.common.credentials, 0, &caller);
    assert_true(knows(&command.common.credentials, 0)); /* in another entry of the set */
}

/* However many there are, most of the latest ones are found. */
static void many_callers_are_known_at_once(void **state)
{
    const struct caller caller = {.api_key_used_at = 0};
    struct credentials credentials = stage_command("note", "text").common.credentials;
    int known = 0;

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < CALLER_CACHE_MAX / 4; i++) {
            credentials.address =
                (struct address){ADDRESS_IPV4, {10, 0, i >> 8 & 255, i & 255}};
            if (round == 0)
                caller_cache_put(memory, &credentials, 0, &caller);
            else
                known += knows(&credentials, 0);
        }
    }
    assert_true(known > CALLER_CACHE_MAX / 4 * 99 / 100);
}

#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_MEMORY(a_caller_is_known_for_a_time),
        WITH_MEMORY(another_caller_is_not_known),
        WITH_MEMORY(a_caller_that_was_refused_is_forgotten),
        WITH_MEMORY(an_entry_that_is_being_written_is_not_used),
        WITH_MEMORY(many_callers_are_known_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
