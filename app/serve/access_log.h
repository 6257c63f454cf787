/*
 * The lines that the log gets for each request; see docs/operating.md.
 */
#ifndef APP_SERVE_ACCESS_LOG_H
#define APP_SERVE_ACCESS_LOG_H

#include "app/serve/exchange.h"

/* Writes the event `request`, and `former_secret_used` for each credential that is a former
 * one. bytes: of the answer; duration_us: since the request arrived. */
void access_log_write(const struct exchange *exchange, size_t bytes, int64_t duration_us);

#endif
