/* The rules for the words of a command line, which args.h declares. */
#include "app/ctl/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/rules/contact_words.h"
#include "app/rules/request_id.h"
#include "app/rules/text_rules.h"
#include "lib/clock.h"
#include "lib/utf8.h"

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

enum status argument_request_id(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    if (request_id_is_acceptable(word))
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "must be 1 to 64 characters of A-Za-z0-9._-");
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

enum status argument_website(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    return text_rules_website(word, why);
}

enum status argument_new_email(struct argument *out, struct span word, struct problem *why)
{
    return word.len == 0 ? STATUS_OK : argument_email(out, word, why);
}

enum status argument_new_name(struct argument *out, struct span word, struct problem *why)
{
    return word.len == 0 ? STATUS_OK : argument_name(out, word, why);
}

enum status argument_new_phone(struct argument *out, struct span word, struct problem *why)
{
    return word.len == 0 ? STATUS_OK : argument_phone(out, word, why);
}

enum status argument_new_website(struct argument *out, struct span word,
                                 struct problem *why)
{
    return word.len == 0 ? STATUS_OK : argument_website(out, word, why);
}

enum {
    DAY_S = 86400,
    GRACE_MAX_S = 365 * DAY_S,
    COUNT_MAX = 1000000000,
    URL_MAX_BYTES = 512,
};

static const int64_t distance_max_s = INT64_C(36525) * DAY_S; /* a century */

/* Reads a duration such as 90s or 30d. False: it is none; one over max_s is max_s + 1. */
static bool read_duration(int64_t *out_s, struct span word, int64_t max_s)
{
    size_t digits = strspn(word.data, "0123456789");
    int64_t number = 0;

    for (size_t i = 0; i < digits && number <= max_s; i++)
        number = number * 10 + (word.data[i] - '0');
    int64_t unit =
        digits > 0 && word.len == digits + 1 ? clock_unit_s(word.data[digits]) : 0;
    *out_s = number > max_s || number * unit > max_s ? max_s + 1 : number * unit;
    return unit != 0;
}

/* A date is its first moment, in UTC. */
static bool read_date(int64_t *out_ms, struct span word)
{
    static const char midnight[] = "T00:00:00Z";
    char text[32];

    if (word.len != strlen("2030-12-31"))
        return false;
    int len = snprintf(text, sizeof text, "%.*s%s", (int)word.len, word.data, midnight);
    return clock_parse(out_ms, (struct span){text, (size_t)len}) == STATUS_OK;
}

static bool read_moment(int64_t *out_ms, struct span word)
{
    return clock_parse(out_ms, word) == STATUS_OK || read_date(out_ms, word);
}

/* sign: 1 where a duration means a time after now, -1 before it. */
static enum status read_time(struct argument *out, struct span word, int sign,
                             struct problem *why)
{
    int64_t distance_s;

    if (read_moment(&out->time_ms, word))
        return STATUS_OK;
    if (!read_duration(&distance_s, word, distance_max_s))
        return problem_set(why, STATUS_INVALID,
                           "must be a date such as 2030-12-31, a date and time such as "
                           "2030-12-31T23:59:59Z, or a time %s now such as 90d",
                           sign > 0 ? "from" : "before");
    if (distance_s > distance_max_s)
        return problem_set(why, STATUS_INVALID, "must be at most 36525d");
    out->time_ms = clock_now_ms() + sign * distance_s * 1000;
    return STATUS_OK;
}

enum status argument_past(struct argument *out, struct span word, struct problem *why)
{
    return read_time(out, word, -1, why);
}

static enum status require_future(const struct argument *out, struct span word,
                                  struct problem *why)
{
    if (out->time_ms > clock_now_ms())
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "%.*s is over already", (int)word.len,
                       word.data);
}

enum status argument_future(struct argument *out, struct span word, struct problem *why)
{
    enum status status = read_time(out, word, 1, why);

    if (status != STATUS_OK)
        return status;
    return require_future(out, word, why);
}

enum status argument_expiry(struct argument *out, struct span word, struct problem *why)
{
    return span_equals(word, span_of("never")) ? STATUS_OK
                                               : argument_future(out, word, why);
}

/* A date becomes the distance to it, rounded up to seconds, so that the greatest distance
 * holds for both. */
static enum status read_grace(int64_t *out_s, struct argument *out, struct span word,
                              struct problem *why)
{
    bool is_bare_zero = word.len > 0 && strspn(word.data, "0") == word.len;

    if (read_moment(&out->time_ms, word)) {
        *out_s = (out->time_ms - clock_now_ms() + 999) / 1000;
        return require_future(out, word, why);
    }
    if (is_bare_zero || read_duration(out_s, word, GRACE_MAX_S))
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID,
                       "must be a time such as 90s, 30m, 24h or 7d, a date such as "
                       "2030-12-31, or 0");
}

enum status argument_grace(struct argument *out, struct span word, struct problem *why)
{
    int64_t duration_s = 0;
    enum status status = read_grace(&duration_s, out, word, why);

    if (status != STATUS_OK)
        return status;
    if (duration_s > GRACE_MAX_S)
        return problem_set(why, STATUS_INVALID, "must be at most 365d");
    out->duration_ms = duration_s * 1000;
    return STATUS_OK;
}

enum status argument_count(struct argument *out, struct span word, struct problem *why)
{
    size_t digits = strspn(word.data, "0123456789");

    out->count = 0;
    for (size_t i = 0; i < digits && out->count <= COUNT_MAX; i++)
        out->count = out->count * 10 + (word.data[i] - '0');
    if (digits == word.len && out->count >= 1 && out->count <= COUNT_MAX)
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "must be a number from 1 to %d", COUNT_MAX);
}

static enum status check_sought(struct span word, size_t max_bytes, struct problem *why)
{
    if (!utf8_valid(word))
        return problem_set(why, STATUS_INVALID, "must be UTF-8");
    if (utf8_blank(word))
        return problem_set(why, STATUS_INVALID, "must not be empty or blank");
    return word.len <= max_bytes
               ? STATUS_OK
               : problem_set(why, STATUS_INVALID, "must have at most %zu bytes, not %zu",
                             max_bytes, word.len);
}

enum status argument_query(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    return check_sought(word, CONTACT_QUERY_MAX_BYTES, why);
}

enum status argument_words(struct argument *out, struct span word, struct problem *why)
{
    if (out->word_count == ARGUMENT_WORDS_MAX)
        return problem_set(why, STATUS_INVALID, "must be at most %d words",
                           ARGUMENT_WORDS_MAX);
    out->words[out->word_count++] = word;
    return check_sought(word, ARGUMENT_WORD_MAX_BYTES, why);
}

enum status argument_address(struct argument *out, struct span word, struct problem *why)
{
    if (address_parse(&out->address, word))
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "'%.*s' is no IP address",
                       (int)(word.len < 80 ? word.len : 80), word.data);
}

enum status argument_url(struct argument *out, struct span word, struct problem *why)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789.:/[]%_~-";
    const char *host = word.data;

    (void)out;
    if (strncmp(host, "http", strlen("http")) == 0)
        host += strlen("http");
    if (*host == 's')
        host++;
    const bool begins = host > word.data && strncmp(host, "://", strlen("://")) == 0;
    if (begins && host[strlen("://")] != '\0' && strspn(host, allowed) == strlen(host) &&
        word.len <= URL_MAX_BYTES)
        return STATUS_OK;
    return problem_set(why, STATUS_INVALID,
                       "must be a URL such as https://crm.example.org, of at most %d bytes",
                       URL_MAX_BYTES);
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

static enum status add_item(struct argument *out, struct span word, struct problem *why)
{
    struct span *grown = realloc(out->items, (out->item_count + 1) * sizeof *grown);

    if (grown == NULL)
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    grown[out->item_count++] = word;
    out->items = grown;
    return STATUS_OK;
}

/* Calls add for each of the words between commas. */
static enum status add_each(struct argument *out, struct span word, argument_rule *add,
                            struct problem *why)
{
    for (;;) {
        const char *comma = word.len > 0 ? memchr(word.data, ',', word.len) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - word.data) : word.len;
        enum status status = add(out, (struct span){word.data, len}, why);

        if (status != STATUS_OK || comma == NULL)
            return status;
        word = (struct span){comma + 1, word.len - len - 1};
    }
}

enum status argument_blocks(struct argument *out, struct span word, struct problem *why)
{
    return add_each(out, word, add_block, why);
}

enum status argument_items(struct argument *out, struct span word, struct problem *why)
{
    return add_each(out, word, add_item, why);
}
