/*
 * The allowed blocks of a developer key, as its commands share them.
 */
#ifndef APP_CTL_ALLOWED_H
#define APP_CTL_ALLOWED_H

#include "app/ctl/ctl.h"
#include "app/store/key.h"

/* A list of blocks that was read; free() list.list. */
struct allowed {
    struct cidr *list;
    size_t count;
};

/* Reads the blocks of a key. */
enum status allowed_read(struct db *db, struct allowed *out, const struct uuid *key_id);

/* Adds those of an argument to a key; *changed tells whether one of them is new. */
enum status allowed_add(struct ctl *ctl, bool *changed, const struct key *key,
                        const struct argument *blocks);

/* STATUS_REFUSED when a block holds all addresses and --allow-any is not given. */
enum status allowed_check_any(struct ctl *ctl, const struct argument *blocks);

#endif
