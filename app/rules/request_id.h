/*
 * The id of a request: the caller's own X-Request-Id, or a UUID that the service makes.
 */
#ifndef APP_RULES_REQUEST_ID_H
#define APP_RULES_REQUEST_ID_H

#include <stdbool.h>

#include "lib/span.h"

/* 1 to 64 characters of A-Za-z0-9._- */
bool request_id_is_acceptable(struct span id);

#endif
