/*
 * Finds out why a request was refused, for the log.
 *
 * It reads what the refusal does not need, and only then, so a request that is accepted
 * pays nothing for it. The answer is settled before, and nothing of it depends on this.
 */
#ifndef APP_SERVE_EXPLAIN_H
#define APP_SERVE_EXPLAIN_H

#include "app/serve/exchange.h"
#include "app/settings.h"
#include "lib/db.h"

/* After a refusal, inside a reading transaction: sets exchange->reason where it can be
 * found out, and the ids of keys that were refused. */
void explain_refusal(struct exchange *exchange, const struct settings *settings,
                     struct db *db);

/* After a failure that is no refusal. */
void explain_failure(struct exchange *exchange, enum status status);

#endif
