/*
 * The results of functions, and their reasons in a sentence for a person.
 *
 * Every function that can fail returns an enum status. Where a person will read the reason
 * (command line, configuration, start-up), a struct problem comes with it: one sentence
 * that says what is wrong and what to do. Library code never prints.
 */
#ifndef LIB_STATUS_H
#define LIB_STATUS_H

#include <stdarg.h>
#include <stddef.h>

enum status {
    STATUS_OK = 0,
    STATUS_NOT_FOUND,   /* what was asked for does not exist, or no more rows */
    STATUS_INVALID,     /* the input breaks a rule */
    STATUS_EXISTS,      /* what should be new is there already */
    STATUS_TOO_LARGE,   /* over a documented limit */
    STATUS_REFUSED,     /* well formed, but not allowed; another value says why */
    STATUS_BUSY,        /* nothing was changed; try again later */
    STATUS_UNKNOWN,     /* a commit failed: the change may be there or not */
    STATUS_UNAVAILABLE, /* the database or a file cannot be used */
    STATUS_CANT_CREATE, /* a file could not be made */
    STATUS_IO,          /* reading or writing failed */
    STATUS_SCHEMA,      /* the database has another schema than this program */
    STATUS_CONFIG,      /* the configuration is wrong */
    STATUS_NO_MEMORY,
    STATUS_INTERNAL, /* a fault of this program */
    STATUS_COUNT,
};

enum {
    PROBLEM_MAX_BYTES = 1024, /* with the closing NUL */
};

/* One sentence for a person, or the empty text. */
struct problem {
    char text[PROBLEM_MAX_BYTES];
};

/* The name of a status in lower case, as it stands in log lines. Never NULL. */
const char *status_name(enum status status);

/*
 * Writes the sentence into why (NULL is allowed, then nothing is written), cut to fit,
 * and returns status, so that a caller can `return problem_set(why, STATUS_INVALID, …)`.
 */
enum status problem_set(struct problem *why, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Puts "prefix: " before the sentence in why (NULL allowed). An empty one becomes the
 * prefix alone.
 */
void problem_prefix(struct problem *why, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
