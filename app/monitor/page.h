/*
 * The state of a service for people: a page that loads itself anew every few seconds. It
 * needs no script and loads nothing else.
 */
#ifndef APP_MONITOR_PAGE_H
#define APP_MONITOR_PAGE_H

#include <stdio.h>

#include "app/monitor/view.h"

#define PAGE_POLICY                                                                        \
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; "              \
    "base-uri 'none'; form-action 'none'"

/* Writes the page as HTML. Whether writing failed is the stream's to say. */
void page_write(FILE *out, const struct view *view);

#endif
