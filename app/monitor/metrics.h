/*
 * The figures of a service in the text format of Prometheus
 * (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
 */
#ifndef APP_MONITOR_METRICS_H
#define APP_MONITOR_METRICS_H

#include <stdio.h>

#include "app/monitor/view.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Writes all families of which something is known. Labels have values from lists that are
 * fixed when the program is built. Whether writing failed is the stream's to say. */
void metrics_write(FILE *out, const struct view *view);

#endif
