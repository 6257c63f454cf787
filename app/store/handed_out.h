/*
 * API keys that fetchIdentifiers hands out with a developer key. Of these, and of no
 * others, the text is kept, sealed with the key file (app/rules/credentials.h).
 */
#ifndef APP_STORE_HANDED_OUT_H
#define APP_STORE_HANDED_OUT_H

#include "lib/db.h"
#include "lib/secret.h"
#include "lib/uuid.h"

/* Finds the live API key of an active member of the organization by its hash.
 * STATUS_NOT_FOUND: there is none. */
enum status handed_out_find(struct db *db, struct uuid *api_key_id,
                            const struct uuid *org_id, const struct secret_hash *hash);

/* Lets a developer key that hands out none hand out the API key with this text. */
enum status handed_out_add(struct db *db, const struct uuid *developer_key_id,
                           const struct uuid *api_key_id, const struct sealed *text);

/* Replaces the text of an API key that was rotated, where it is handed out. */
enum status handed_out_renew(struct db *db, const struct uuid *api_key_id,
                             const struct sealed *text);

/* Forgets the text of a key of either kind that was revoked. */
enum status handed_out_forget(struct db *db, const struct uuid *key_id);

/* Reads the text of the API key that the developer key hands out; out->len is 0 where there
 * is none, or the member of the key is inactive. */
enum status handed_out_read(struct sealed *out, struct db *db,
                            const struct uuid *developer_key_id);

#endif
