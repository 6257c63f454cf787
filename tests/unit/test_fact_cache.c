#include "lib/fact_cache.h"

#include <stdint.h>
#include <string.h>

#include "tests/unit/unit.h"

enum {
    PLACES = 64,
};

static const struct fact_kind kind = {.key_bytes = 16, .value_bytes = 12, .count = PLACES};

struct key {
    uint64_t words[2];
};

struct value {
    uint32_t words[3];
};

static struct fact_cache *cache;

static int make(void **state)
{
    (void)state;
    cache = fact_cache_create(&kind);
    return cache != NULL ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    fact_cache_free(cache);
    return 0;
}

/* Keys that differ in their first or in their last bytes only. */
static struct key key_of(uint32_t number)
{
    return (struct key){{number % 2 == 0 ? number : 0, number % 2 == 0 ? 0 : number}};
}

static void put(uint32_t number, uint32_t what)
{
    const struct key key = key_of(number);
    const struct value value = {{number, what, ~number}};

    fact_cache_put(cache, &key, &value);
}

/* What was put for it; -1: it is not known. */
static int64_t find(uint32_t number)
{
    const struct key key = key_of(number);
    struct value value;

    if (!fact_cache_find(cache, &key, &value))
        return -1;
    assert_int_equal(value.words[0], number);
    assert_int_equal(value.words[2], ~number);
    return value.words[1];
}

static void facts_are_found_by_their_keys(void **state)
{
    (void)state;
    assert_int_equal(find(1), -1);
    for (uint32_t i = 1; i <= 4; i++)
        put(i, 10 * i);
    for (uint32_t i = 1; i <= 4; i++)
        assert_int_equal(find(i), 10 * i);
    assert_int_equal(find(5), -1);
    assert_ptr_equal(fact_cache_kind(cache), &kind);
}

static void a_new_value_replaces_the_old_one(void **state)
{
    (void)state;
    put(1, 10);
    put(1, 11);
    assert_int_equal(find(1), 11);
}

static void all_are_forgotten_at_once(void **state)
{
    (void)state;
    put(1, 10);
    put(2, 20);
    fact_cache_forget(cache);
    assert_int_equal(find(1), -1);
    assert_int_equal(find(2), -1);
    put(2, 21);
    assert_int_equal(find(1), -1);
    assert_int_equal(find(2), 21);
}

/* More keys than there are places: the newest is always there, and no value is mixed up. */
static void new_facts_replace_old_ones(void **state)
{
    int known = 0;

    (void)state;
    for (uint32_t i = 0; i < 10 * PLACES; i++) {
        put(i, i + 7);
        assert_int_equal(find(i), i + 7);
    }
    for (uint32_t i = 0; i < 10 * PLACES; i++) {
        int64_t what = find(i);

        assert_true(what == -1 || what == i + 7);
        known += what != -1;
    }
    assert_true(known > PLACES / 2 && known <= PLACES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(facts_are_found_by_their_keys, make, unmake),
        cmocka_unit_test_setup_teardown(a_new_value_replaces_the_old_one, make, unmake),
        cmocka_unit_test_setup_teardown(all_are_forgotten_at_once, make, unmake),
        cmocka_unit_test_setup_teardown(new_facts_replace_old_ones, make, unmake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
