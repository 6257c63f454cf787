/*
 * What is known of a service without a monitor, such as one of mod_fcgid: from the file in
 * which its processes count, from the database, and from the files beside it.
 */
#ifndef APP_MONITOR_LOCAL_H
#define APP_MONITOR_LOCAL_H

#include "app/monitor/view.h"
#include "app/settings.h"

/* Fills *view, whose counters the caller frees with counters_free. STATUS_NOT_FOUND: there
 * is no such file, so no service without a monitor has counted. Other failures: why says
 * what to do. */
enum status local_view(struct view *view, const struct settings *settings,
                       struct problem *why);

#endif
