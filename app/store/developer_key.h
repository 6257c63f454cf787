/*
 * Developer keys: secrets of the programs' developers, each used from certain networks
 * only (app/store/network.h).
 *
 * What operators do with them. The look-up of a key by its hash is in app/store/access.h.
 */
#ifndef APP_STORE_DEVELOPER_KEY_H
#define APP_STORE_DEVELOPER_KEY_H

#include "lib/address.h"
#include "lib/db.h"
#include "lib/secret.h"
#include "lib/uuid.h"

struct developer_key {
    struct uuid id;
    struct uuid org_id;
    struct span name;
    int64_t created_at_ms;
    int64_t expires_at_ms;         /* 0: never */
    int64_t last_used_at_ms;       /* to the minute; 0: never */
    struct address last_used_from; /* of the client then; ADDRESS_NONE: not known */
    int64_t former_until_ms;       /* when the last former secret ends or ended; 0: none */
    int64_t revoked_at_ms;         /* 0: not revoked */
};

/* As org_each in app/store/org.h. */
typedef enum status developer_key_each(void *arg, const struct developer_key *key);

/* STATUS_EXISTS when a key has that hash already, or had it, revoked or not. */
enum status developer_key_add(struct db *db, const struct developer_key *key,
                              const struct secret_hash *hash);

/* Calls each (NULL: just looks) with that key; STATUS_NOT_FOUND without a call. */
enum status developer_key_find(struct db *db, const struct uuid *id,
                               developer_key_each *each, void *arg);

/* Those of an organization by id, dead ones as well; none is STATUS_OK. */
enum status developer_key_list(struct db *db, const struct uuid *org_id,
                               developer_key_each *each, void *arg);

/* *changed is false for a key that was revoked before: its date stays. STATUS_OK where
 * there is no such key. */
enum status developer_key_revoke(struct db *db, bool *changed, const struct uuid *id,
                                 int64_t now_ms);

/*
 * Gives the key, which must exist, another secret. The present one becomes a former one and
 * works until former_until_ms, 0: no more from now on, whatever a request that is on its way
 * believes; other former ones end then at the latest. STATUS_EXISTS when a key has that hash
 * already, or had it. Roll back on anything but STATUS_OK.
 */
enum status developer_key_rotate(struct db *db, const struct uuid *id,
                                 const struct secret_hash *hash, int64_t now_ms,
                                 int64_t former_until_ms);

#endif
