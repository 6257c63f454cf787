/*
 * The log: one JSON object a line.
 *
 * It goes to standard error, to syslog, or to a file that can be opened anew after it was
 * rotated. Where standard error is the null device (spawn-fcgi makes it so), syslog takes
 * its place. Before log_open everything goes to standard error. A line stays below
 * LOG_LINE_BYTES, so that lines of several processes never mix; long text is cut.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/span.h"
#include "lib/status.h"

enum {
    LOG_LINE_BYTES = 4096,
    LOG_FIELD_BYTES = 512, /* of one text field */
};

enum log_level { LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR };

struct log_field {
    const char *name;
    enum { LOG_FIELD_INT, LOG_FIELD_TEXT } type;
    int64_t number;
    struct span text; /* what is no valid UTF-8 is replaced; empty text is left out */
};

#define LOG_NUMBER(key, value)                                                             \
    ((struct log_field){.name = (key), .type = LOG_FIELD_INT, .number = (value)})
#define LOG_SPAN(key, value)                                                               \
    ((struct log_field){.name = (key), .type = LOG_FIELD_TEXT, .text = (value)})
#define LOG_TEXT(key, value) LOG_SPAN(key, span_of(value))

/* target: "stderr", "syslog", or an absolute path. ident is the program's name. On
 * failure the log stays where it was. */
enum status log_open(const char *target, const char *ident, struct problem *why);

/* Whether log_open could do it; opens and makes nothing. */
enum status log_check(const char *target, struct problem *why);
/* Whether lines go to syslog now. */
bool log_is_syslog(void);

/* Opens a log file anew under its name; no effect on the other targets. */
enum status log_reopen(struct problem *why);

/* Writes {"ts":…,"level":…,"event":event,"pid":…,fields…}. */
void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);
#define LOG(level, event, ...)                                                             \
    log_event((level), (event), (const struct log_field[]){__VA_ARGS__},                   \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
