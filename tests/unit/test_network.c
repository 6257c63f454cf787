#include "app/store/network.h"

#include "app/store/key.h"
#include "app/store/org.h"
#include "app/store/schema.h"
#include "lib/clock.h"
#include "tests/unit/scratch.h"

enum {
    BLOCKS = 10000,
    ADDRESSES = 6000,
    TIMEOUT_MS = 1000,
};

static struct db *db;
static struct uuid org_id, key_id, other_key_id;

static struct cidr block_of(const char *text)
{
    struct cidr block;
    struct problem why = {""};

    if (cidr_parse(&block, span_of(text), &why) != STATUS_OK)
        fail_msg("%s", why.text);
    return block;
}

static struct address address_of(const char *text)
{
    struct address address;

    if (!address_parse(&address, span_of(text)))
        fail_msg("'%s' is no address", text);
    return address;
}

static void must_add(const struct uuid *key, const struct cidr *block)
{
    bool added;

    assert_int_equal(network_add(db, &added, key, &org_id, block, 1), STATUS_OK);
}

static void add_blocks(const struct uuid *key, const char *const *texts)
{
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    for (size_t i = 0; texts[i] != NULL; i++) {
        struct cidr block = block_of(texts[i]);
        must_add(key, &block);
    }
    assert_int_equal(db_write_commit(db), STATUS_OK);
}

/* The block that network_find names, as text; "" for none. */
static const char *found(const struct uuid *key, const char *address_text)
{
    static char text[CIDR_TEXT_BYTES];
    struct address address = address_of(address_text);
    struct cidr block;
    enum status status = network_find(db, key, &address, &block);

    text[0] = '\0';
    if (status == STATUS_OK)
        cidr_format(&block, text);
    else
        assert_int_equal(status, STATUS_NOT_FOUND);
    assert_int_equal(network_find(db, key, &address, NULL), status);
    return text;
}

static void make_key(struct uuid *id, uint8_t hash_byte)
{
    struct secret_hash hash = {{hash_byte}};
    struct key key = {.kind = CREDENTIAL_DEVELOPER_SECRET,
                      .org_id = org_id,
                      .name = span_of("key"),
                      .created_at_ms = 1};

    uuid_make(&key.id, clock_now_ms());
    *id = key.id;
    assert_int_equal(key_add(db, &key, &hash), STATUS_OK);
}

static int set_up(void **state)
{
    struct migrations ours = schema_ours();
    struct problem why = {""};
    struct org org = {.name = span_of("org"), .created_at_ms = 1};

    if (scratch_make(state) != 0)
        return -1;
    if (db_open(&db, scratch_path("db"), DB_CREATE, &why) != STATUS_OK ||
        migrate_apply(db, &ours, NULL, &why) != STATUS_OK)
        fail_msg("%s", why.text);
    uuid_make(&org.id, clock_now_ms());
    org_id = org.id;
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    assert_int_equal(org_add(db, &org), STATUS_OK);
    make_key(&key_id, 1);
    make_key(&other_key_id, 2);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    return 0;
}

static int tear_down(void **state)
{
    db_close(db);
    return scratch_remove(state);
}

static void key_without_blocks_finds_nothing(void **state)
{
    (void)state;
    assert_string_equal(found(&key_id, "10.0.0.1"), "");
    assert_string_equal(found(&key_id, "::1"), "");
}

static void narrowest_block_is_found(void **state)
{
    static const struct {
        const char *address;
        const char *block;
    } rows[] = {
        {"10.1.2.3", "10.1.2.3/32"},
        {"10.1.2.4", "10.1.2.0/24"},
        {"10.1.2.0", "10.1.2.0/24"},
        {"10.1.2.255", "10.1.2.0/24"},
        {"10.1.3.0", "10.0.0.0/8"},
        {"10.255.255.255", "10.0.0.0/8"},
        {"11.0.0.0", ""},
        {"9.255.255.255", ""},
        {"192.0.2.0", "192.0.2.0/31"},
        {"192.0.2.1", "192.0.2.0/31"},
        {"192.0.2.2", ""},
        {"255.255.255.255", "255.255.255.255/32"},
        {"0.0.0.0", ""},
        {"2001:db8::1", "2001:db8::/64"},
        {"2001:db8:0:1::", "2001:db8::/32"},
        {"2001:db9::", ""},
        {"::ffff:10.1.2.3", "10.1.2.3/32"},
    };

    (void)state;
    add_blocks(&key_id, (const char *const[]){"10.0.0.0/8", "10.1.2.0/24", "10.1.2.3",
                                              "192.0.2.0/31", "255.255.255.255",
                                              "2001:db8::/32", "2001:db8::/64", NULL});
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(found(&key_id, rows[i].address), rows[i].block);
}

static void everything_of_one_family_is_not_everything_of_the_other(void **state)
{
    (void)state;
    add_blocks(&key_id, (const char *const[]){"0.0.0.0/0", NULL});
    add_blocks(&other_key_id, (const char *const[]){"::/0", NULL});
    assert_string_equal(found(&key_id, "255.1.2.3"), "0.0.0.0/0");
    assert_string_equal(found(&key_id, "0.0.0.0"), "0.0.0.0/0");
    assert_string_equal(found(&key_id, "::1"), "");
    assert_string_equal(found(&other_key_id, "ffff::1"), "::/0");
    assert_string_equal(found(&other_key_id, "10.0.0.1"), "");
}

static void no_address_is_in_no_block(void **state)
{
    struct address none = {.family = ADDRESS_NONE};

    (void)state;
    add_blocks(&key_id, (const char *const[]){"0.0.0.0/0", "::/0", NULL});
    assert_int_equal(network_find(db, &key_id, &none, NULL), STATUS_NOT_FOUND);
}

/* Each step can only shorten the common prefix by one bit: the longest possible search. */
static void siblings_at_every_depth_lead_to_the_block_around_them(void **state)
{
    (void)state;
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    struct address all_ones = address_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    for (unsigned bits = 2; bits <= 128; bits++) {
        struct cidr sibling = {address_truncate(&all_ones, bits), (uint8_t)bits};
        sibling.network.bytes[(bits - 1) / 8] ^= (uint8_t)(0x80 >> (bits - 1) % 8);
        must_add(&key_id, &sibling);
    }
    struct cidr around = block_of("8000::/1");
    must_add(&key_id, &around);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_string_equal(found(&key_id, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                        "8000::/1");
    assert_string_equal(found(&key_id, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"),
                        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/128");
}

static void keys_do_not_share_blocks(void **state)
{
    (void)state;
    add_blocks(&key_id, (const char *const[]){"10.0.0.0/8", NULL});
    add_blocks(&other_key_id, (const char *const[]){"10.1.0.0/16", "192.0.2.0/24", NULL});
    assert_string_equal(found(&key_id, "10.1.1.1"), "10.0.0.0/8");
    assert_string_equal(found(&key_id, "192.0.2.1"), "");
    assert_string_equal(found(&other_key_id, "10.2.1.1"), "");
}

static uint64_t random_state = UINT64_C(0x9E3779B97F4A7C15);

static unsigned random_below(unsigned limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state >> 33) % limit;
}

/* An address near earlier ones, so that blocks nest and touch. */
static struct address random_address(const struct cidr *blocks, size_t count)
{
    struct address address = {.family = random_below(2) == 0 ? ADDRESS_IPV4 : ADDRESS_IPV6};

    if (count > 0 && random_below(4) > 0)
        address = blocks[random_below((unsigned)count)].network;
    unsigned bits = (unsigned)address_bytes(&address) * 8;
    unsigned from = random_below(bits);
    for (unsigned bit = from; bit < bits; bit++)
        if (random_below(2) == 0)
            address.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    return address;
}

static struct cidr random_block(const struct cidr *blocks, size_t count)
{
    struct address address = random_address(blocks, count);
    unsigned bits = (unsigned)address_bytes(&address) * 8;
    unsigned prefix_len = bits == 32 ? 6 + random_below(27) : 12 + random_below(117);

    return (struct cidr){address_truncate(&address, prefix_len), (uint8_t)prefix_len};
}

static const struct cidr *narrowest_by_brute_force(const struct cidr *blocks, size_t count,
                                                   const struct address *address)
{
    const struct cidr *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (cidr_contains(&blocks[i], address) &&
            (best == NULL || blocks[i].prefix_len > best->prefix_len))
            best = &blocks[i];
    return best;
}

static void random_blocks_agree_with_brute_force(void **state)
{
    struct cidr *blocks = calloc(BLOCKS, sizeof *blocks);
    unsigned hits = 0;

    (void)state;
    assert_non_null(blocks);
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = random_block(blocks, i);
        must_add(&key_id, &blocks[i]);
    }
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_int_equal(db_read_begin(db), STATUS_OK);
    for (size_t i = 0; i < ADDRESSES; i++) {
        struct address address = random_address(blocks, BLOCKS);
        const struct cidr *wanted = narrowest_by_brute_force(blocks, BLOCKS, &address);
        struct cidr block;
        enum status status = network_find(db, &key_id, &address, &block);
        assert_int_equal(status, wanted != NULL ? STATUS_OK : STATUS_NOT_FOUND);
        if (wanted == NULL)
            continue;
        hits++;
        assert_int_equal(block.prefix_len, wanted->prefix_len);
        assert_true(address_equals(&block.network, &wanted->network));
    }
    db_read_end(db);
    assert_true(hits > ADDRESSES / 10 && ADDRESSES - hits > ADDRESSES / 50);
    free(blocks);
}

static void block_is_added_once(void **state)
{
    struct cidr block = block_of("10.0.0.0/8");
    bool added = false;

    (void)state;
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    assert_int_equal(network_add(db, &added, &key_id, &org_id, &block, 1), STATUS_OK);
    assert_true(added);
    assert_int_equal(network_add(db, &added, &key_id, &org_id, &block, 2), STATUS_OK);
    assert_false(added);
    assert_int_equal(db_write_commit(db), STATUS_OK);
}

static void block_is_removed_exactly(void **state)
{
    struct cidr wider = block_of("10.0.0.0/8"), narrower = block_of("10.0.0.0/16");

    (void)state;
    add_blocks(&key_id, (const char *const[]){"10.0.0.0/8", "10.1.0.0/16", NULL});
    assert_int_equal(db_write_begin(db, TIMEOUT_MS), STATUS_OK);
    assert_int_equal(network_remove(db, &key_id, &narrower), STATUS_NOT_FOUND);
    assert_int_equal(network_remove(db, &other_key_id, &wider), STATUS_NOT_FOUND);
    assert_int_equal(network_remove(db, &key_id, &wider), STATUS_OK);
    assert_int_equal(network_remove(db, &key_id, &wider), STATUS_NOT_FOUND);
    assert_int_equal(db_write_commit(db), STATUS_OK);
    assert_string_equal(found(&key_id, "10.0.0.1"), "");
    assert_string_equal(found(&key_id, "10.1.0.1"), "10.1.0.0/16");
}

static enum status append(void *arg, const struct cidr *block)
{
    char *text = arg, one[CIDR_TEXT_BYTES];

    cidr_format(block, one);
    (void)strncat(text, one, 511 - strlen(text));
    (void)strncat(text, " ", 511 - strlen(text));
    return STATUS_OK;
}

static enum status stop(void *arg, const struct cidr *block)
{
    (void)block;
    ++*(int *)arg;
    return STATUS_IO;
}

static void list_is_ordered_and_ends_when_told(void **state)
{
    char text[512] = "";
    int calls = 0;

    (void)state;
    add_blocks(&key_id, (const char *const[]){"2001:db8::/32", "192.0.2.1", "10.0.0.0/16",
                                              "10.0.0.0/8", "::1", "9.0.0.0/8", NULL});
    assert_int_equal(network_list(db, &key_id, append, text), STATUS_OK);
    assert_string_equal(
        text, "9.0.0.0/8 10.0.0.0/8 10.0.0.0/16 192.0.2.1/32 ::1/128 2001:db8::/32 ");
    assert_int_equal(network_list(db, &key_id, stop, &calls), STATUS_IO);
    assert_int_equal(calls, 1);
    assert_int_equal(network_list(db, &other_key_id, stop, &calls), STATUS_OK);
    assert_int_equal(calls, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key_without_blocks_finds_nothing),
        TEST(narrowest_block_is_found),
        TEST(everything_of_one_family_is_not_everything_of_the_other),
        TEST(no_address_is_in_no_block),
        TEST(siblings_at_every_depth_lead_to_the_block_around_them),
        TEST(keys_do_not_share_blocks),
        TEST(random_blocks_agree_with_brute_force),
        TEST(block_is_added_once),
        TEST(block_is_removed_exactly),
        TEST(list_is_ordered_and_ends_when_told),
    };

    if (secret_init() != STATUS_OK || db_init(NULL) != STATUS_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
