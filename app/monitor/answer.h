/*
 * The monitor's answers, by the last part of a request's path.
 */
#ifndef APP_MONITOR_ANSWER_H
#define APP_MONITOR_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "app/monitor/view.h"
#include "lib/fastcgi.h"

/* Whether the request in this place asks, among other things, whether the service is
 * ready. */
bool answer_tells_readiness(const struct fastcgi *fastcgi, size_t place);

/* Answers the request in this place. */
void answer_send(struct fastcgi *fastcgi, size_t place, const struct view *view);

#endif
