#include "app/ctl/allowed.h"

#include <stdlib.h>

#include "app/rules/key_rules.h"
#include "app/store/network.h"

static enum status keep(void *arg, const struct cidr *block)
{
    struct allowed *allowed = arg;
    struct cidr *grown = realloc(allowed->list, (allowed->count + 1) * sizeof *grown);

    if (grown == NULL)
        return STATUS_NO_MEMORY;
    grown[allowed->count++] = *block;
    allowed->list = grown;
    return STATUS_OK;
}

enum status allowed_read(struct db *db, struct allowed *out, const struct uuid *key_id)
{
    *out = (struct allowed){.list = NULL};
    return network_list(db, key_id, keep, out);
}

struct named_blocks allowed_named(const struct ctl *ctl, const char *parameter)
{
    const struct argument *blocks = ctl_get(ctl, parameter);

    return (struct named_blocks){
        .list = blocks->blocks,
        .count = blocks->block_count,
        .any_address = ctl_get(ctl, "--allow-any")->given,
    };
}

enum status allowed_check(struct ctl *ctl, const char *parameter)
{
    struct named_blocks blocks = allowed_named(ctl, parameter);
    enum status status =
        key_rules_may_allow(blocks.list, blocks.count, blocks.any_address, &ctl->why);

    if (status == STATUS_REFUSED)
        ctl_advise(ctl, ": say --allow-any if that is wanted");
    return status;
}
