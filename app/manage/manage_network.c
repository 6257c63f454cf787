#include "app/manage/manage_network.h"

#include "app/manage/manage.h"
#include "app/store/network.h"

static enum status keep_key(void *arg, const struct key *key)
{
    struct key *kept = arg;

    *kept = *key;
    kept->name = (struct span){NULL, 0}; /* valid during this call only */
    return STATUS_OK;
}

static enum status find_key(struct key *out, struct db *db, const struct uuid *id,
                            struct problem *why)
{
    enum status status = key_find(db, CREDENTIAL_DEVELOPER_SECRET, id, keep_key, out);

    return manage_missing(status, "developer key", id, why);
}

enum status manage_network_add(bool *changed, struct change *change, const struct key *key,
                               const struct named_blocks *blocks, struct problem *why)
{
    enum status status =
        key_rules_may_allow(blocks->list, blocks->count, blocks->any_address, why);

    *changed = false;
    for (size_t i = 0; status == STATUS_OK && i < blocks->count; i++) {
        bool added = false;
        status = network_add(change->db, &added, &key->id, &key->org_id, &blocks->list[i],
                             change->now_ms);
        *changed = *changed || added;
    }
    return status;
}

enum status manage_network_allow(struct change *change, const struct uuid *key_id,
                                 const struct named_blocks *blocks, struct problem *why)
{
    struct key key;
    bool changed = false;
    enum status status = find_key(&key, change->db, key_id, why);

    if (status == STATUS_OK)
        status = manage_network_add(&changed, change, &key, blocks, why);
    if (status == STATUS_OK && changed)
        change_made(change, "allow add", &key.org_id, &key.id);
    return status;
}

static enum status remove_block(struct db *db, const struct uuid *key_id,
                                const struct cidr *block, struct problem *why)
{
    char text[CIDR_TEXT_BYTES];
    enum status status = network_remove(db, key_id, block);

    if (status != STATUS_NOT_FOUND)
        return status;
    cidr_format(block, text);
    return problem_set(why, STATUS_REFUSED, "the key has no block %s: nothing was removed",
                       text);
}

enum status manage_network_remove(struct change *change, const struct uuid *key_id,
                                  const struct named_blocks *blocks, struct problem *why)
{
    struct key key;
    enum status status = find_key(&key, change->db, key_id, why);

    for (size_t i = 0; status == STATUS_OK && i < blocks->count; i++)
        status = remove_block(change->db, &key.id, &blocks->list[i], why);
    if (status == STATUS_OK && blocks->count > 0)
        change_made(change, "allow remove", &key.org_id, &key.id);
    return status;
}
