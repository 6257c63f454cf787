/*
 * The use cases for API keys and developer keys: issue, edit, rotate, revoke.
 *
 * The secret is made before the transaction (app/manage/key_secret.h), because a person may
 * take long to enter one. Issuing and rotating refuse with STATUS_CONFIG a secret that was
 * hashed with another key file than the database's keys, and with STATUS_EXISTS one that a
 * key of this kind has or had.
 */
#ifndef APP_MANAGE_MANAGE_KEY_H
#define APP_MANAGE_MANAGE_KEY_H

#include "app/manage/change.h"
#include "app/manage/key_secret.h"
#include "app/manage/manage_network.h"
#include "app/store/key.h"

struct new_api_key {
    struct uuid member_id; /* the member whose key it is */
    struct span label;     /* empty: none */
};

struct new_developer_key {
    struct uuid org_id;
    struct span name;
    int64_t expires_at_ms; /* 0: never */
    struct named_blocks allow;
    const struct key_secret *hands_out; /* the API key that fetchIdentifiers hands out with
                                           it; NULL: none */
    const struct uuid *hands_out_id;    /* which API key that must be */
};

/* A key that was issued or rotated. */
struct key_result {
    struct key key;          /* issued: as it is now, with the input's spans; rotated:
                                 * as it was before, without its name */
    bool member_is_inactive; /* an API key: does not work until the member is activated */
    int64_t former_until_ms; /* rotated: until when the secret before works; 0: ended */
    int64_t older_until_ms;  /* rotated: as key_rules_older_until() */
};

/* STATUS_NOT_FOUND when there is no such member. An inactive one may get a key. */
enum status manage_key_issue_api(struct key_result *out, struct change *change,
                                 const struct key_secret *secret,
                                 const struct new_api_key *input, struct problem *why);

/* STATUS_NOT_FOUND when there is no such organization, or no such API key to hand out;
 * STATUS_REFUSED as manage_network_allow(). */
enum status manage_key_issue_developer(struct key_result *out, struct change *change,
                                       const struct key_secret *secret,
                                       const struct new_developer_key *input,
                                       struct problem *why);

/* Changes what edit names, whether the key is live or not. STATUS_NOT_FOUND when there is
 * no such key, STATUS_INVALID for a name that is no acceptable text. */
enum status manage_key_edit_developer(struct change *change, const struct uuid *id,
                                      const struct developer_key_edit *edit,
                                      struct problem *why);

/*
 * Gives a live key of the secret's kind that secret; STATUS_NOT_FOUND when there is none,
 * STATUS_REFUSED when it is revoked or expired. The former secret works for grace_ms more.
 * Secrets of earlier rotations keep their time, unless that of this one ends before. So
 * programs that still use an older secret lose nothing by another rotation, and a grace
 * time of 0 ends all secrets but the new one.
 */
enum status manage_key_rotate(struct key_result *out, struct change *change,
                              const struct key_secret *secret, const struct uuid *id,
                              int64_t grace_ms, struct problem *why);

/* Revokes a key for good. STATUS_NOT_FOUND when there is no such key. */
enum status manage_key_revoke(struct change *change, enum credential_kind kind,
                              const struct uuid *id, struct problem *why);

#endif
