/* The rules for the words of a command line, which args.h declares. */
#include "app/ctl/args.h"

#include <stdlib.h>
#include <string.h>

#include "app/rules/text_rules.h"
#include "lib/clock.h"

enum status argument_any(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    return word.len > 0 ? STATUS_OK : problem_set(why, STATUS_INVALID, "must not be empty");
}

enum status argument_uuid(struct argument *out, struct span word, struct problem *why)
{
    if (uuid_parse(&out->uuid, word))
        return STATUS_OK;
    return problem_set(
        why, STATUS_INVALID,
        "'%.*s' is no id: one looks like 01890a5d-ac96-774b-bcce-b302099a8057",
        (int)(word.len < 80 ? word.len : 80), word.data);
}

enum status argument_name(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    return text_rules_name(word, why);
}

enum status argument_phone(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    return text_rules_phone(word, why);
}

enum status argument_email(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    return text_rules_email(word, why);
}

enum status argument_time(struct argument *out, struct span word, struct problem *why)
{
    if (clock_parse(&out->time_ms, word) == STATUS_OK)
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID,
                       "must be a date and time such as 2030-12-31T23:59:59Z");
}

enum status argument_future(struct argument *out, struct span word, struct problem *why)
{
    enum status status = argument_time(out, word, why);

    if (status != STATUS_OK)
        return status;
    if (out->time_ms <= clock_now_ms())
        return problem_set(why, STATUS_INVALID, "%.*s is over already", (int)word.len,
                           word.data);
    return STATUS_OK;
}

enum status argument_duration(struct argument *out, struct span word, struct problem *why)
{
    static const int64_t max_seconds = INT64_C(365) * 86400;
    size_t digits = strspn(word.data, "0123456789");
    int64_t number = 0;

    for (size_t i = 0; i < digits && number <= max_seconds; i++)
        number = number * 10 + (word.data[i] - '0');
    int64_t unit = word.len == digits + 1 ? clock_unit_s(word.data[digits]) : 0;
    bool is_bare_zero = word.len == digits && number == 0;
    if (digits == 0 || (unit == 0 && !is_bare_zero))
        return problem_set(why, STATUS_INVALID,
                           "must be a time such as 90s, 30m, 24h or 7d, or 0");
    if (number * unit > max_seconds)
        return problem_set(why, STATUS_INVALID, "must be at most 365d");
    out->duration_ms = number * unit * 1000;
    return STATUS_OK;
}

enum status argument_address(struct argument *out, struct span word, struct problem *why)
{
    if (address_parse(&out->address, word))
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "'%.*s' is no IP address",
                       (int)(word.len < 80 ? word.len : 80), word.data);
}

static enum status add_block(struct argument *out, struct span word, struct problem *why)
{
    struct cidr block;
    enum status status = cidr_parse(&block, word, why);

    if (status != STATUS_OK)
        return status;
    struct cidr *grown = realloc(out->blocks, (out->block_count + 1) * sizeof *grown);
    if (grown == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    grown[out->block_count++] = block;
    out->blocks = grown;
    return STATUS_OK;
}

enum status argument_blocks(struct argument *out, struct span word, struct problem *why)
{
    for (;;) {
        const char *comma = word.len > 0 ? memchr(word.data, ',', word.len) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - word.data) : word.len;
        enum status status = add_block(out, (struct span){word.data, len}, why);

        if (status != STATUS_OK || comma == NULL)
            return status;
        word = (struct span){comma + 1, word.len - len - 1};
    }
}
