/*
 * Credentials that were accepted, as the connection that writes remembers them.
 */
#ifndef APP_STORE_ACCEPTED_H
#define APP_STORE_ACCEPTED_H

#include <stdbool.h>
#include <stdint.h>

#include "app/rules/caller_rules.h"
#include "lib/db.h"

/*
 * True when caller_judge has accepted the same credentials from the same address before and
 * neither a change of the database nor the time have ended that; fills *facts as they were
 * then. Inside a writing transaction.
 */
bool accepted_recall(struct key_facts *facts, struct db *db,
                     const struct credentials *credentials, int64_t now_ms);

/* Remembers the facts with which caller_judge has accepted both credentials. */
void accepted_remember(struct db *db, const struct credentials *credentials,
                       const struct key_facts *facts);

#endif
