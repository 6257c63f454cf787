/*
 * Facts about the credentials of a request.
 */
#ifndef APP_STORE_KEY_FACTS_H
#define APP_STORE_KEY_FACTS_H

#include <stdint.h>

#include "app/rules/caller_rules.h"
#include "app/rules/refusal_rules.h"
#include "lib/db.h"

/*
 * Reads the facts for caller_judge: of live keys only (not revoked, not expired at now_ms,
 * of an active member), found by their present secret or by a former one that still works
 * at now_ms. STATUS_OK, or the failure of the database.
 */
enum status key_facts_read(struct key_facts *out, struct db *db,
                           const struct credentials *credentials,
                           enum credentials_needed needed, int64_t now_ms);

/*
 * Reads the facts for caller_reason after this refusal: of keys that are not live, too.
 * Takes a few look-ups by index, whatever the request holds. STATUS_OK, or the failure of
 * the database.
 */
enum status key_records_read(struct credential_records *out, struct db *db,
                             enum error refusal, const struct credentials *credentials,
                             const struct uuid *org_id, int64_t now_ms);

/* Stores when both keys were used, to the minute, and from which address; *caller gets the
 * times that are stored then, and *touched whether one has changed. Inside a writing
 * transaction. */
enum status key_touch(bool *touched, struct db *db, struct caller *caller,
                      const struct address *from, int64_t now_ms);

#endif
