#include <stdlib.h>

#include "app/ctl/allowed.h"
#include "app/ctl/ctl.h"
#include "app/store/key.h"
#include "app/store/network.h"

struct allow_row {
    struct uuid devkey_id;
    struct output_blocks allow;
};

static const struct column columns[] = {
    {.member = "devkey_id",
     .heading = "DEVELOPER KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(allow_row, devkey_id)},
    {.member = "allow",
     .heading = "ALLOW",
     .type = COLUMN_BLOCKS,
     OUTPUT_FIELD(allow_row, allow)},
    {.member = NULL},
};

struct test_row {
    struct uuid devkey_id;
    struct address address;
    bool allowed;
    struct cidr block; /* that holds it, also of a dead key; ADDRESS_NONE: none does */
};

static const struct column test_columns[] = {
    {.member = "devkey_id",
     .heading = "DEVELOPER KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(test_row, devkey_id)},
    {.member = "address",
     .heading = "ADDRESS",
     .type = COLUMN_ADDRESS,
     OUTPUT_FIELD(test_row, address)},
    {.member = "allowed",
     .heading = "ALLOWED",
     .type = COLUMN_BOOL,
     OUTPUT_FIELD(test_row, allowed)},
    {.member = "block",
     .heading = "BLOCK",
     .type = COLUMN_BLOCK,
     OUTPUT_FIELD(test_row, block)},
    {.member = NULL},
};

static enum status keep_key(void *arg, const struct key *key)
{
    struct key *kept = arg;

    *kept = *key;
    kept->name = (struct span){NULL, 0}; /* valid during this call only */
    return STATUS_OK;
}

static enum status find_key(struct ctl *ctl, struct key *key)
{
    const struct uuid *id = &ctl_get(ctl, "DEVKEY")->uuid;

    return manage_missing(key_find(ctl->db, CREDENTIAL_DEVELOPER_SECRET, id, keep_key, key),
                          "developer key", id, &ctl->why);
}

/* Whether the key is live; remarks on it where it is not. */
static bool is_live(struct ctl *ctl, const struct key *key)
{
    enum key_state state = key_rules_state(&key->life, ctl->now_ms);

    if (state == KEY_LIVE)
        return true;
    (void)problem_set(&ctl->note, STATUS_OK, "the key is %s: it can be used from nowhere",
                      key_rules_state_word(state));
    return false;
}

static enum status print(struct ctl *ctl, const struct uuid *key_id)
{
    struct allowed allowed;
    enum status status = allowed_read(ctl->db, &allowed, key_id);

    if (status == STATUS_OK) {
        struct allow_row row = {*key_id, {allowed.list, allowed.count}};
        if (allowed.count == 0)
            (void)problem_set(&ctl->note, STATUS_OK,
                              "the key has no blocks: it can be used from nowhere");
        status = output_row(ctl->output, columns, &row);
    }
    free(allowed.list);
    return status;
}

static enum status list(struct ctl *ctl)
{
    struct key key;
    enum status status = find_key(ctl, &key);

    return status == STATUS_OK ? print(ctl, &key.id) : status;
}

static enum status prepare_add(struct ctl *ctl)
{
    return allowed_check(ctl, "CIDR");
}

static enum status add(struct ctl *ctl)
{
    const struct uuid *key_id = &ctl_get(ctl, "DEVKEY")->uuid;
    const struct named_blocks blocks = allowed_named(ctl, "CIDR");
    enum status status = manage_network_allow(&ctl->change, key_id, &blocks, &ctl->why);

    return status == STATUS_OK ? print(ctl, key_id) : status;
}

static enum status remove_blocks(struct ctl *ctl)
{
    const struct uuid *key_id = &ctl_get(ctl, "DEVKEY")->uuid;
    const struct argument *words = ctl_get(ctl, "CIDR");
    const struct named_blocks blocks = {.list = words->blocks, .count = words->block_count};
    enum status status = manage_network_remove(&ctl->change, key_id, &blocks, &ctl->why);

    if (status == STATUS_REFUSED)
        ctl_advise(ctl, ", see 'allow list'");
    return status == STATUS_OK ? print(ctl, key_id) : status;
}

static enum status test(struct ctl *ctl)
{
    struct key key;
    enum status status = find_key(ctl, &key);

    if (status != STATUS_OK)
        return status;
    struct test_row row = {.devkey_id = key.id,
                           .address = ctl_get(ctl, "ADDRESS")->address};
    status = network_find(ctl->db, &key.id, &row.address, &row.block);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    row.allowed = is_live(ctl, &key) && status == STATUS_OK;
    ctl->answer_is_no = !row.allowed;
    return output_row(ctl->output, test_columns, &row);
}

#define PARAMETER_DEVKEY                                                                   \
    .name = "DEVKEY", .rule = argument_uuid, .need = PARAMETER_REQUIRED,                   \
    .help = "the developer key's id"
#define PARAMETER_CIDR                                                                     \
    .name = "CIDR", .rule = argument_blocks, .need = PARAMETER_REQUIRED, .many = true,     \
    .help = "blocks such as 192.0.2.0/24 2001:db8::/32"

static const struct parameter key_and_blocks[] = {
    {PARAMETER_DEVKEY},
    {PARAMETER_CIDR},
    {.name = NULL},
};

static const struct verb verbs[] = {
    {.name = "add",
     .help = "Allow a developer key to be used from further blocks",
     .access = CTL_WRITE,
     .one = true,
     .parameters =
         (const struct parameter[]){
             {PARAMETER_DEVKEY},
             {PARAMETER_CIDR},
             {.name = "--allow-any",
              .help = "let them hold 0.0.0.0/0 or ::/0, that is, every address"},
             {.name = NULL}},
     .prepare = prepare_add,
     .run = add},
    {.name = "remove",
     .help = "Take blocks away from a developer key",
     .access = CTL_WRITE,
     .one = true,
     .parameters = key_and_blocks,
     .run = remove_blocks},
    {.name = "list",
     .help = "Show from which blocks a developer key may be used",
     .access = CTL_READ,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_DEVKEY}, {.name = NULL}},
     .run = list},
    {.name = "test",
     .help = "Ask whether an address is allowed, and by which block; exit status 0 or 1",
     .access = CTL_READ,
     .one = true,
     .parameters = (const struct parameter[]){{PARAMETER_DEVKEY},
                                              {.name = "ADDRESS",
                                               .rule = argument_address,
                                               .need = PARAMETER_REQUIRED,
                                               .help = "an IPv4 or IPv6 address"},
                                              {.name = NULL}},
     .run = test},
    {.name = NULL},
};

const struct noun noun_allow = {
    "allow", "The networks from which a developer key may be used", verbs};
