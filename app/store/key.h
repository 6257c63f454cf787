/*
 * API keys and developer keys, for operators.
 *
 * An API key identifies a member, and so an organization. A developer key identifies the
 * calling program; it works from certain networks only (app/store/network.h) and may
 * expire. In all else the two kinds are the same. app/store/key_facts.h looks up the keys
 * of a request by the hash of their secrets.
 *
 * Functions that change something are called inside a writing transaction.
 */
#ifndef APP_STORE_KEY_H
#define APP_STORE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/credentials.h"
#include "app/rules/key_rules.h"
#include "lib/address.h"
#include "lib/db.h"
#include "lib/secret.h"
#include "lib/uuid.h"

struct key {
    enum credential_kind kind; /* of its secret */
    struct uuid id;
    struct uuid org_id;
    struct uuid member_id; /* of an API key only: the member whose key it is */
    struct span name;      /* for people; may be empty for an API key, whose label it is */
    int64_t created_at_ms;
    int64_t last_used_at_ms;       /* to the minute; 0: never */
    struct address last_used_from; /* of the client then; ADDRESS_NONE: not known */
    struct key_life life;          /* expires_at_ms is 0 for an API key */
};

/* As org_each in app/store/org.h. */
typedef enum status key_each(void *arg, const struct key *key);

/* Adds a key that was never used, rotated or revoked. STATUS_EXISTS when a key of this kind
 * has that hash already, or had it, revoked or not. */
enum status key_add(struct db *db, const struct key *key, const struct secret_hash *hash);

/* Calls each (NULL: just looks) with that key; STATUS_NOT_FOUND without a call. */
enum status key_find(struct db *db, enum credential_kind kind, const struct uuid *id,
                     key_each *each, void *arg);

/* Which keys are listed. */
struct key_filter {
    const struct uuid *org_id; /* NULL: those of all organizations */
    /* Not 0: of the keys that are not revoked only those that expire after the one time and
     * until the other. 0: revoked and expired ones as well. */
    int64_t expires_after_ms, expires_until_ms;
};

/* Those whose id is greater than after (NULL: all), by id; none is STATUS_OK. */
enum status key_list(struct db *db, enum credential_kind kind,
                     const struct key_filter *filter, const struct uuid *after,
                     key_each *each, void *arg);

/* *changed is false for a key that was revoked before, whose date stays, and where there is
 * no such key. */
enum status key_revoke(struct db *db, bool *changed, enum credential_kind kind,
                       const struct uuid *id, int64_t now_ms);

/* What to change of a developer key; NULL: it stays. */
struct developer_key_edit {
    const struct span *name;      /* not empty */
    const int64_t *expires_at_ms; /* 0: never */
};

/* *changed is false when it was so before, and when there is no such key. */
enum status key_update_developer(struct db *db, bool *changed, const struct uuid *id,
                                 const struct developer_key_edit *edit);

/*
 * Gives the key, which must exist, another secret. The present one becomes a former one and
 * works until former_until_ms; 0: it ends now, also for a request that was received before.
 * Other former ones end then at the latest. STATUS_EXISTS when a key of this kind has that
 * hash already, or had it. Roll back on anything but STATUS_OK.
 */
enum status key_rotate(struct db *db, enum credential_kind kind, const struct uuid *id,
                       const struct secret_hash *hash, int64_t now_ms,
                       int64_t former_until_ms);

#endif
