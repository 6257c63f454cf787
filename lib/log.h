/*
 * The log: one JSON object a line.
 *
 * It goes to standard error, to syslog, or to a file that can be opened anew after it was
 * rotated. Where standard error is the null device (spawn-fcgi makes it so), syslog takes
 * its place. Where it is the journal (JOURNAL_STREAM of systemd.exec(5)), each line begins
 * with its priority, "<3>", "<4>" or "<6>". Before log_open everything goes to standard
 * error. A line stays below LOG_LINE_BYTES, so that lines of several processes never mix;
 * long text is cut.
 *
 * A process never waits for the reader of its log. Lines for which there is no room are
 * queued up to a fixed size, then dropped and counted; an event `log_lines_lost` with their
 * `count` follows when lines are taken again. The queue belongs to one process: log_flush
 * tries it again, log_finish comes before the process ends, log_after_fork in a child.
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

struct address;
struct uuid;

enum log_type {
    LOG_TYPE_NUMBER,
    LOG_TYPE_TEXT,
    LOG_TYPE_UUID,
    LOG_TYPE_ADDRESS,
    LOG_TYPE_TIME
};

/* Empty text, a UUID of zeros and no address are left out. */
struct log_field {
    struct span name;
    enum log_type type;
    union {
        int64_t number;   /* of LOG_TYPE_TIME: milliseconds since 1970, UTC */
        struct span text; /* invalid UTF-8 is replaced */
        const struct uuid *uuid;
        const struct address *address;
    };
};

#define LOG_NUMBER(key, value)                                                             \
    ((struct log_field){.name = span_of(key), .type = LOG_TYPE_NUMBER, .number = (value)})
#define LOG_SPAN(key, value)                                                               \
    ((struct log_field){.name = span_of(key), .type = LOG_TYPE_TEXT, .text = (value)})
#define LOG_TEXT(key, value) LOG_SPAN(key, span_of(value))
#define LOG_UUID(key, value)                                                               \
    ((struct log_field){.name = span_of(key), .type = LOG_TYPE_UUID, .uuid = (value)})
#define LOG_ADDRESS(key, value)                                                            \
    ((struct log_field){.name = span_of(key), .type = LOG_TYPE_ADDRESS, .address = (value)})
#define LOG_TIME(key, value)                                                               \
    ((struct log_field){.name = span_of(key), .type = LOG_TYPE_TIME, .number = (value)})

/* where: "stderr", "syslog", or the absolute path of a file, but of no FIFO. ident is the
 * program's name. On failure the log stays where it was. */
enum status log_open(const char *where, const char *ident, struct problem *why);

/* Whether log_open could do it; makes nothing. */
enum status log_check(const char *where, struct problem *why);

/* Whether lines go to syslog now. */
bool log_is_syslog(void);

/* Opens a log file anew under its name; no effect on the other targets. */
enum status log_reopen(struct problem *why);

/* Writes {"ts":…,"level":…,"event":event,"pid":…,fields…}. */
void log_event(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

/* Until log_release, lines are gathered and written together, up to LOG_LINE_BYTES at once.
 * To be used for a moment: a process that is killed loses what it has gathered. */
void log_gather(void);

/* Writes what was gathered. */
void log_release(void);

/* Whether lines are queued. A process that is about to wait for something else should limit
 * that wait while this is true. */
bool log_is_waiting(void);

/* Writes what is gathered or queued, as far as there is room. */
void log_flush(void);

/* The same, but waits up to timeout_ms for a reader. */
void log_finish(int timeout_ms);

/* Empties the queue in a child after fork, as the parent will write it. */
void log_after_fork(void);

#define LOG(level, event, ...)                                                             \
    log_event((level), (event), (const struct log_field[]){__VA_ARGS__},                   \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
