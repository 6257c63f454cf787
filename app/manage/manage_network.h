/*
 * The use cases for the networks from which a developer key may be used.
 */
#ifndef APP_MANAGE_MANAGE_NETWORK_H
#define APP_MANAGE_MANAGE_NETWORK_H

#include "app/manage/change.h"
#include "app/store/key.h"
#include "lib/address.h"

/* Blocks that an operator names. */
struct named_blocks {
    const struct cidr *list; /* borrowed */
    size_t count;
    bool any_address; /* a block that holds every address is allowed: 0.0.0.0/0 or ::/0 */
};

/* Allows a developer key to be used from further blocks. STATUS_NOT_FOUND when there is no
 * such key, STATUS_REFUSED for a block that holds every address without any_address. */
enum status manage_network_allow(struct change *change, const struct uuid *key_id,
                                 const struct named_blocks *blocks, struct problem *why);

/* Takes blocks away from a developer key. STATUS_NOT_FOUND when there is no such key.
 * STATUS_REFUSED when it lacks one of these blocks; then the transaction must be rolled
 * back. */
enum status manage_network_remove(struct change *change, const struct uuid *key_id,
                                  const struct named_blocks *blocks, struct problem *why);

/* For a use case that gives a key its first blocks: adds them. *changed tells whether one
 * of them is new. */
enum status manage_network_add(bool *changed, struct change *change, const struct key *key,
                               const struct named_blocks *blocks, struct problem *why);

#endif
