#include "lib/utf8.h"

#include <assert.h>
#include <string.h>

struct range {
    uint32_t first;
    uint32_t last;
};

/* Property White_Space, PropList.txt of Unicode 15; the list has not grown since 2002. */
static const struct range white_space[] = {
    {0x0009, 0x000d}, {0x0020, 0x0020}, {0x0085, 0x0085}, {0x00a0, 0x00a0},
    {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
    {0x205f, 0x205f}, {0x3000, 0x3000},
};

/* By length: the smallest code point that needs it, and the bits that mark a first byte. */
static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
static const uint8_t first_byte[] = {0, 0, 0xc0, 0xe0, 0xf0};

static size_t length_of(uint8_t byte)
{
    if (byte < 0x80)
        return 1;
    if (byte < 0xc2 || byte > 0xf4)
        return 0;
    return byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

static bool is_surrogate(uint32_t code_point)
{
    return code_point >= 0xd800 && code_point <= 0xdfff;
}

size_t utf8_decode(struct span text, uint32_t *code_point)
{
    const uint8_t *bytes = (const uint8_t *)text.data;
    size_t len = text.len > 0 ? length_of(bytes[0]) : 0;

    if (len == 0 || len > text.len)
        return 0;
    uint32_t value = len == 1 ? bytes[0] : bytes[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (bytes[i] & 0x3f);
    }
    if (value < smallest[len] || value > 0x10ffff || is_surrogate(value))
        return 0;
    if (code_point != NULL)
        *code_point = value;
    return len;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    assert(code_point <= 0x10ffff && !is_surrogate(code_point));
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t len = 2;
    while (len < 4 && code_point >= smallest[len + 1])
        len++;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)(first_byte[len] | code_point);
    return len;
}

static struct span skip(struct span text, size_t bytes)
{
    return (struct span){text.data + bytes, text.len - bytes};
}

/* How many of the next bytes are ASCII, as far as whole words of memory tell. */
static size_t ascii_prefix(struct span text)
{
    size_t len = 0;
    uint64_t word;

    for (; text.len - len >= sizeof word; len += sizeof word) {
        memcpy(&word, text.data + len, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0)
            break;
    }
    return len;
}

bool utf8_valid(struct span text)
{
    while (text.len > 0) {
        size_t ascii = ascii_prefix(text);
        size_t len = ascii > 0 ? ascii : utf8_decode(text, NULL);

        if (len == 0)
            return false;
        text = skip(text, len);
    }
    return true;
}

static bool is_white_space(uint32_t code_point)
{
    for (size_t i = 0; i < sizeof white_space / sizeof white_space[0]; i++) {
        if (code_point >= white_space[i].first && code_point <= white_space[i].last)
            return true;
    }
    return false;
}

bool utf8_blank(struct span text)
{
    while (text.len > 0) {
        uint32_t code_point = 0;
        size_t len = utf8_decode(text, &code_point);

        if (len == 0 || !is_white_space(code_point))
            return false;
        text = skip(text, len);
    }
    return true;
}

size_t utf8_count(struct span text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((uint8_t)text.data[i] & 0xc0) != 0x80;
    return count;
}
