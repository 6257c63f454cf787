#include "lib/uuid.h"

#include "lib/hex.h"
#include "lib/secret.h"

#include <string.h>

enum {
    UUID_TEXT_LEN = UUID_TEXT_BYTES - 1,
    TIME_BYTES = 6, /* of version 7 */
};

static const int64_t max_ms = (INT64_C(1) << 48) - 1;
static const char digits[] = "0123456789abcdef";

static bool has_hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

static bool read_bytes(uint8_t out[UUID_BYTES], const char *text)
{
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (has_hyphen_before(i) && *text++ != '-')
            return false;
        int high = hex_value(*text++);
        int low = hex_value(*text++);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
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
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (has_hyphen_before(i))
            *out++ = '-';
        *out++ = digits[uuid->bytes[i] >> 4];
        *out++ = digits[uuid->bytes[i] & 0x0f];
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
