#include "app/manage/manage_network.h"

#include "tests/unit/manage_stage.h"

static struct cidr parsed[4];

/* Blocks of texts; ends with NULL. Good until the next call. */
static struct named_blocks blocks_of(const char *const *texts)
{
    struct named_blocks blocks = {.list = parsed};

    for (; texts[blocks.count] != NULL; blocks.count++)
        assert_int_equal(
            cidr_parse(&parsed[blocks.count], span_of(texts[blocks.count]), NULL),
            STATUS_OK);
    return blocks;
}

#define BLOCKS(...) blocks_of((const char *const[]){__VA_ARGS__, NULL})

static const char *count_blocks(void)
{
    return stage_ask("SELECT count(*) FROM developer_key_networks"
                     " WHERE developer_key_id = {dev} AND org_id = {acme}");
}

static void blocks_are_allowed_once(void **state)
{
    const struct uuid dev = stage_id("dev");
    struct named_blocks blocks = BLOCKS("192.0.2.0/24", "10.0.0.0/8");

    (void)state;
    must_have_done(manage_network_allow(begin(), &dev, &blocks, &why), "allow add", "acme",
                   &dev);
    assert_string_equal(count_blocks(), "3");
    must_have_left_all(manage_network_allow(begin(), &dev, &blocks, &why));
    assert_string_equal(count_blocks(), "3");
}

static void every_address_needs_consent(void **state)
{
    const struct uuid dev = stage_id("dev");
    struct named_blocks blocks = BLOCKS("10.0.0.0/8", "0.0.0.0/0");

    (void)state;
    must_have_failed(manage_network_allow(begin(), &dev, &blocks, &why), STATUS_REFUSED,
                     "0.0.0.0/0 allows every address");
    assert_string_equal(count_blocks(), "2");
    blocks.any_address = true;
    must_have_done(manage_network_allow(begin(), &dev, &blocks, &why), "allow add", "acme",
                   &dev);
    assert_string_equal(count_blocks(), "4");
}

static void blocks_are_removed_all_or_none(void **state)
{
    const struct uuid dev = stage_id("dev");
    struct named_blocks wrong = BLOCKS("192.0.2.0/24", "10.0.0.0/8");

    (void)state;
    must_have_failed(manage_network_remove(begin(), &dev, &wrong, &why), STATUS_REFUSED,
                     "the key has no block 10.0.0.0/8: nothing was removed");
    assert_string_equal(count_blocks(), "2");
    struct named_blocks right = BLOCKS("192.0.2.0/24", "2001:db8::/32");
    must_have_done(manage_network_remove(begin(), &dev, &right, &why), "allow remove",
                   "acme", &dev);
    assert_string_equal(count_blocks(), "0");
    assert_string_equal(stage_ask("SELECT count(*) FROM developer_key_networks"), "2");
}

/* An API key has no networks, so its id does not count. */
static void the_key_must_be_a_developer_key(void **state)
{
    static const char *const names[] = {"nobody", "ann-key"};
    struct named_blocks blocks = BLOCKS("10.0.0.0/8");

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct uuid id = stage_id(names[i]);
        must_have_failed(manage_network_allow(begin(), &id, &blocks, &why),
                         STATUS_NOT_FOUND, no_such("developer key", names[i]));
        must_have_failed(manage_network_remove(begin(), &id, &blocks, &why),
                         STATUS_NOT_FOUND, no_such("developer key", names[i]));
    }
}

static void no_blocks_are_no_change(void **state)
{
    const struct uuid dev = stage_id("dev");
    const struct named_blocks none = {.list = NULL};

    (void)state;
    must_have_left_all(manage_network_allow(begin(), &dev, &none, &why));
    must_have_left_all(manage_network_remove(begin(), &dev, &none, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_stage(blocks_are_allowed_once),        on_stage(every_address_needs_consent),
        on_stage(blocks_are_removed_all_or_none), on_stage(the_key_must_be_a_developer_key),
        on_stage(no_blocks_are_no_change),
    };

    return cmocka_run_group_tests(tests, stage_start_libraries, NULL);
}
