/*
 * The allowed blocks of a developer key, used by the nouns devkey and allow.
 */
#ifndef APP_CTL_ALLOWED_H
#define APP_CTL_ALLOWED_H

#include "app/ctl/ctl.h"
#include "app/manage/manage_network.h"

/* A list of blocks that was read; free() list. */
struct allowed {
    struct cidr *list;
    size_t count;
};

/* Reads the blocks of a key. */
enum status allowed_read(struct db *db, struct allowed *out, const struct uuid *key_id);

/* The blocks that were given for a parameter; the verb has --allow-any. */
struct named_blocks allowed_named(const struct ctl *ctl, const char *parameter);

/* STATUS_REFUSED when a block holds all addresses and --allow-any is not given. The use
 * case checks it again; this is for before the transaction. */
enum status allowed_check(struct ctl *ctl, const char *parameter);

#endif
