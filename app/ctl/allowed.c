#include "app/ctl/allowed.h"

#include <stdlib.h>
#include <string.h>

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

enum status allowed_add(struct ctl *ctl, bool *changed, const struct key *key,
                        const struct argument *blocks)
{
    enum status status = STATUS_OK;

    *changed = false;
    for (size_t i = 0; status == STATUS_OK && i < blocks->block_count; i++) {
        bool added = false;
        status = network_add(ctl->db, &added, &key->id, &key->org_id, &blocks->blocks[i],
                             ctl->now_ms);
        *changed = *changed || added;
    }
    return status;
}

enum status allowed_check_any(struct ctl *ctl, const struct argument *blocks)
{
    size_t used;
    enum status status = key_rules_may_allow(blocks->blocks, blocks->block_count,
                                             ctl_get(ctl, "--allow-any")->given, &ctl->why);

    if (status == STATUS_OK)
        return STATUS_OK;
    used = strlen(ctl->why.text);
    (void)snprintf(ctl->why.text + used, sizeof ctl->why.text - used,
                   ": say --allow-any if that is wanted");
    return status;
}
