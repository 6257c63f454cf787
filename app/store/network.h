/*
 * The CIDR blocks from which a developer key may be used.
 */
#ifndef APP_STORE_NETWORK_H
#define APP_STORE_NETWORK_H

#include "lib/address.h"
#include "lib/db.h"
#include "lib/uuid.h"

/*
 * The narrowest of the key's blocks that contains the address: STATUS_OK and *block (NULL
 * allowed), or STATUS_NOT_FOUND.
 *
 * Two blocks are either nested or disjoint, and the table is sorted by (network,
 * prefix_len). The search takes the greatest row that sorts at or before the address. If
 * that block contains the address, it is the answer. If not, the prefix of any block that
 * does is no longer than what the row and the address have in common, and the search
 * continues with that prefix. It takes one or two steps in practice, and at most one for
 * each bit of an address, however many blocks there are.
 */
enum status network_find(struct db *db, const struct uuid *developer_key_id,
                         const struct address *address, struct cidr *block);

/* As org_each in app/store/org.h. */
typedef enum status network_each(void *arg, const struct cidr *block);

/* A block of a key of that organization. *added is false where it was there already. */
enum status network_add(struct db *db, bool *added, const struct uuid *developer_key_id,
                        const struct uuid *org_id, const struct cidr *block,
                        int64_t now_ms);

/* STATUS_NOT_FOUND when the key has no such block. */
enum status network_remove(struct db *db, const struct uuid *developer_key_id,
                           const struct cidr *block);

/* The key's blocks, IPv4 first, in the order of their addresses; none is STATUS_OK. */
enum status network_list(struct db *db, const struct uuid *developer_key_id,
                         network_each *each, void *arg);

#endif
