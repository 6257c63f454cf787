/*
 * Counts what was answered, see app/meter.h.
 */
#ifndef APP_SERVE_TALLY_H
#define APP_SERVE_TALLY_H

#include "app/meter.h"
#include "app/serve/exchange.h"

/* Counts a request whose reply is complete. */
void tally_request(const struct meter *meter, const struct exchange *exchange,
                   int64_t duration_us);

#endif
