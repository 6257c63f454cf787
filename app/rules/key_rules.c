#include "app/rules/key_rules.h"

enum key_state key_rules_state(const struct key_life *life, int64_t now_ms)
{
    if (life->expires_at_ms != 0 && life->expires_at_ms <= now_ms)
        return KEY_EXPIRED;
    return life->revoked_at_ms != 0 ? KEY_REVOKED : KEY_LIVE;
}

const char *key_rules_state_word(enum key_state state)
{
    static const char *const words[] = {
        [KEY_LIVE] = "live",
        [KEY_REVOKED] = "revoked",
        [KEY_EXPIRED] = "expired",
    };

    return words[state];
}

enum status key_rules_may_rotate(const struct key_life *life, int64_t now_ms,
                                 struct problem *why)
{
    enum key_state state = key_rules_state(life, now_ms);

    if (state == KEY_LIVE)
        return STATUS_OK;
    return problem_set(why, STATUS_REFUSED, "the key is %s", key_rules_state_word(state));
}

int64_t key_rules_former_until(const struct key_life *life, int64_t now_ms,
                               int64_t grace_ms)
{
    int64_t until_ms = now_ms + grace_ms;

    if (grace_ms == 0)
        return 0;
    return life->expires_at_ms != 0 && life->expires_at_ms < until_ms ? life->expires_at_ms
                                                                      : until_ms;
}

int64_t key_rules_older_until(const struct key_life *life, int64_t now_ms, int64_t until_ms)
{
    if (life->former_until_ms <= now_ms)
        return -1;
    return life->former_until_ms < until_ms ? life->former_until_ms : until_ms;
}

int64_t key_rules_former_now(const struct key_life *life, int64_t now_ms)
{
    int64_t until_ms = life->former_until_ms;

    if (life->expires_at_ms != 0 && life->expires_at_ms < until_ms)
        until_ms = life->expires_at_ms; /* which was brought forward after a rotation */
    return life->revoked_at_ms == 0 && until_ms > now_ms ? until_ms : 0;
}

enum status key_rules_may_allow(const struct cidr *blocks, size_t count, bool any_address,
                                struct problem *why)
{
    for (size_t i = 0; i < count && !any_address; i++) {
        char text[CIDR_TEXT_BYTES];

        if (blocks[i].prefix_len > 0)
            continue;
        cidr_format(&blocks[i], text);
        return problem_set(why, STATUS_REFUSED, "%s allows every address", text);
    }
    return STATUS_OK;
}
