/*
 * What the service tells of itself: asked of its monitor or, where there is none, read from
 * the files in which its processes count.
 */
#ifndef APP_CTL_SERVICE_H
#define APP_CTL_SERVICE_H

#include <stddef.h>
#include <stdio.h>

#include "app/ctl/ctl.h"
#include "app/monitor/view.h"

/* What is asked for, from either source. */
struct service_document {
    const char *path; /* of the monitor */
    void (*write)(FILE *out, const struct view *view);
};

/* *text is from malloc. STATUS_UNAVAILABLE with ctl->why: no service tells anything. */
enum status service_ask(char **text, size_t *len, struct ctl *ctl,
                        const struct service_document *document);

/* Writes to standard output. STATUS_OK also where the reader has closed the pipe: then
 * ctl->nobody_reads is set. */
enum status service_print(struct ctl *ctl, const char *text, size_t len);

#endif
