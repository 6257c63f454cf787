/*
 * Rules about API keys and developer keys: whether one is live, how long its former secrets
 * work after a rotation, and which networks a developer key may have.
 *
 * Pure functions over facts that the caller has read. Times are milliseconds since 1970.
 */
#ifndef APP_RULES_KEY_RULES_H
#define APP_RULES_KEY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/status.h"

/* The times at which a key or one of its secrets ends. */
struct key_life {
    int64_t expires_at_ms;   /* 0: never; API keys never do */
    int64_t revoked_at_ms;   /* 0: not revoked */
    int64_t former_until_ms; /* when the last former secret ends or ended; 0: none */
};

enum key_state {
    KEY_LIVE,
    KEY_REVOKED,
    KEY_EXPIRED, /* also of a key that was revoked before */
};

enum key_state key_rules_state(const struct key_life *life, int64_t now_ms);

/* "live", "revoked" or "expired". */
const char *key_rules_state_word(enum key_state state);

/* Only a live key may be rotated: STATUS_REFUSED with the state in why for any other. */
enum status key_rules_may_rotate(const struct key_life *life, int64_t now_ms,
                                 struct problem *why);

/*
 * Until when the present secret works once it is replaced: for the grace time, but not
 * longer than the key. 0: no more from now on, for a grace time of 0.
 */
int64_t key_rules_former_until(const struct key_life *life, int64_t now_ms,
                               int64_t grace_ms);

/*
 * Until when the secrets of earlier rotations work after another rotation whose former
 * secret works until until_ms: they keep their time, but end with until_ms at the latest.
 * -1: there are none that still work; 0: they end at once.
 */
int64_t key_rules_older_until(const struct key_life *life, int64_t now_ms,
                              int64_t until_ms);

/* The end of the last former secret, if one works now; 0: none does. */
int64_t key_rules_former_now(const struct key_life *life, int64_t now_ms);

/* STATUS_REFUSED, with the block in why, when one of the blocks holds every address of its
 * family and any_address, the operator's consent to that, is false. */
enum status key_rules_may_allow(const struct cidr *blocks, size_t count, bool any_address,
                                struct problem *why);

#endif
