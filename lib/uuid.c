#include "lib/uuid.h"

#include "lib/hex.h"
#include "lib/secret.h"

#include <string.h>

enum {
    UUID_TEXT_LEN = UUID_TEXT_BYTES - 1,
    TIME_BYTES = 6, /* of version 7 */
};

static const int64_t max_ms = (INT64_C(1) << 48) - 1;

/* The two digits of each byte, one behind the other. */
#define ROW(high)                                                                          \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high  \
         "9" high "a" high "b" high "c" high "d" high "e" high "f"
static const char digits[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6")
    ROW("7") ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

/* How many bytes each group of digits has; hyphens stand between the groups. */
static const size_t groups[] = {4, 2, 2, 2, 6};

enum {
    GROUPS = sizeof groups / sizeof groups[0],
};

/* Reads the digits of a group, of which some may be none: then the result is negative. */
static int read_group(uint8_t *out, const char *text, size_t bytes)
{
    int wrong = 0;

    for (size_t i = 0; i < bytes; i++) {
        int value = hex_value(text[2 * i]) * 16 | hex_value(text[2 * i + 1]);
        wrong |= value;
        out[i] = (uint8_t)value;
    }
    return wrong;
}

static bool read_bytes(uint8_t out[UUID_BYTES], const char *text)
{
    int wrong = 0;

    for (size_t i = 0; i < GROUPS; i++) {
        if (i > 0 && *text++ != '-')
            return false;
        wrong |= read_group(out, text, groups[i]);
        out += groups[i];
        text += 2 * groups[i];
    }
    return wrong >= 0;
}

bool uuid_parse(struct uuid *out, struct span text)
{
    if (text.len == UUID_TEXT_LEN && read_bytes(out->bytes, text.data))
        return true;
    *out = (struct uuid){{0}};
    return false;
}

void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES])
{
    const uint8_t *bytes = uuid->bytes;

    for (size_t i = 0; i < GROUPS; i++) {
        if (i > 0)
            *out++ = '-';
        for (size_t j = 0; j < groups[i]; j++, bytes++, out += 2)
            memcpy(out, digits + 2 * (size_t)*bytes, 2);
    }
    *out = '\0';
}

static int64_t clamp(int64_t ms)
{
    return ms < 0 ? 0 : ms > max_ms ? max_ms : ms;
}

static void set_time(struct uuid *out, int64_t ms)
{
    uint64_t clamped = (uint64_t)clamp(ms);

    for (size_t i = 0; i < TIME_BYTES; i++)
        out->bytes[i] = (uint8_t)(clamped >> (40 - 8 * i));
}

void uuid_make(struct uuid *out, int64_t now_ms)
{
    secret_random(out->bytes, sizeof out->bytes);
    set_time(out, now_ms);
    out->bytes[6] = 0x70 | (out->bytes[6] & 0x0f); /* version 7 */
    out->bytes[8] = 0x80 | (out->bytes[8] & 0x3f); /* variant of RFC 9562 */
}

bool uuid_time_ms(int64_t *ms, const struct uuid *uuid)
{
    *ms = 0;
    for (size_t i = 0; i < TIME_BYTES; i++)
        *ms = *ms << 8 | uuid->bytes[i];
    return uuid->bytes[6] >> 4 == 7 && uuid->bytes[8] >> 6 == 2;
}

void uuid_first_at(struct uuid *out, int64_t ms)
{
    memset(out, 0, sizeof *out);
    set_time(out, ms);
}

void uuid_last_at(struct uuid *out, int64_t ms)
{
    memset(out, 0xff, sizeof *out);
    set_time(out, ms);
}

bool uuid_equals(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}
