#include "lib/json_pairs.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/hex.h"
#include "lib/utf8.h"

enum {
    ESCAPE_BYTES = 2,     /* a backslash and what it escapes */
    UNICODE_BYTES = 6,    /* \uXXXX */
    PAIR_BYTES = 12,      /* two of them */
    PAIR_OFFSET = 2,      /* of the first digit */
    LOW_DIGIT_OFFSET = 8, /* of the first digit of the second half */
};

/* json_scan accepts nothing but digits here. */
static uint32_t digit(char c)
{
    return (uint32_t)hex_value(c);
}

static uint32_t hex4(const char *digits)
{
    return digit(digits[0]) << 12 | digit(digits[1]) << 8 | digit(digits[2]) << 4 |
           digit(digits[3]);
}

/* at is a backslash. json_scan accepts no lone surrogates, so the high one begins a
 * pair. */
static bool is_pair(const char *at)
{
    return at[1] == 'u' && (hex4(at + PAIR_OFFSET) & 0xfc00) == 0xd800;
}

static uint32_t pair_value(const char *at)
{
    uint32_t high = hex4(at + PAIR_OFFSET), low = hex4(at + LOW_DIGIT_OFFSET);

    return 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
}

static const char *find_backslash(const char *at, const char *end)
{
    const char *found = at < end ? memchr(at, '\\', (size_t)(end - at)) : NULL;

    return found != NULL ? found : end;
}

static const char *find_pair(const char *at, const char *end)
{
    for (at = find_backslash(at, end); at < end; at = find_backslash(at, end)) {
        if (is_pair(at))
            return at;
        at += at[1] == 'u' ? UNICODE_BYTES : ESCAPE_BYTES;
    }
    return end;
}

enum status json_pairs_resolve(struct span *text, struct arena *arena)
{
    const char *at = text->data, *end = at + text->len;
    const char *pair = find_pair(at, end);
    size_t len = 0;

    if (pair == end)
        return STATUS_OK;
    char *out = arena_alloc(arena, text->len);
    if (out == NULL)
        return STATUS_NO_MEMORY;
    for (; pair < end; pair = find_pair(at, end)) {
        memcpy(out + len, at, (size_t)(pair - at));
        len += (size_t)(pair - at);
        len += utf8_encode(pair_value(pair), out + len);
        at = pair + PAIR_BYTES;
    }
    memcpy(out + len, at, (size_t)(end - at));
    *text = (struct span){out, len + (size_t)(end - at)};
    return STATUS_OK;
}
