#include "lib/status.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char *const names[STATUS_COUNT] = {
    [STATUS_OK] = "ok",
    [STATUS_NOT_FOUND] = "not_found",
    [STATUS_INVALID] = "invalid",
    [STATUS_EXISTS] = "exists",
    [STATUS_TOO_LARGE] = "too_large",
    [STATUS_REFUSED] = "refused",
    [STATUS_BUSY] = "busy",
    [STATUS_UNKNOWN] = "unknown",
    [STATUS_UNAVAILABLE] = "unavailable",
    [STATUS_CANT_CREATE] = "cant_create",
    [STATUS_IO] = "io",
    [STATUS_SCHEMA] = "schema",
    [STATUS_CONFIG] = "config",
    [STATUS_NO_MEMORY] = "no_memory",
    [STATUS_INTERNAL] = "internal",
};

const char *status_name(enum status status)
{
    assert((unsigned)status < STATUS_COUNT);
    return names[status];
}

enum status problem_set(struct problem *why, enum status status, const char *format, ...)
{
    if (why != NULL) {
        va_list args;

        va_start(args, format);
        (void)vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
    }
    return status;
}

void problem_prefix(struct problem *why, const char *format, ...)
{
    if (why == NULL)
        return;
    struct problem was = *why;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    if (was.text[0] == '\0')
        return;
    size_t used = strlen(why->text);
    (void)snprintf(why->text + used, sizeof why->text - used, ": %s", was.text);
}
