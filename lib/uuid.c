#include "lib/uuid.h"

#include "lib/hex.h"
#include "lib/secret.h"

#include <pthread.h>
#include <string.h>

enum {
    UUID_TEXT_LEN = UUID_TEXT_BYTES - 1,
    PAIRS = UUID_BYTES / 2, /* of bytes; no hyphen stands within one */
    TIME_BYTES = 6,         /* of version 7 */
    STOCK_BYTES = 1024,
};

_Static_assert(STOCK_BYTES % UUID_BYTES == 0, "a stock is used up completely");

static const int64_t max_ms = (INT64_C(1) << 48) - 1;

/* The two digits of each byte, one behind the other. */
#define ROW(high)                                                                          \
    high "0" high "1" high "2" high "3" high "4" high "5" high "6" high "7" high "8" high  \
         "9" high "a" high "b" high "c" high "d" high "e" high "f"
static const char digits[] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6")
    ROW("7") ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");

/* Where the digits of each pair of bytes stand in the text. */
static const uint8_t pair_at[PAIRS] = {0, 4, 9, 14, 19, 24, 28, 32};

/* Reads two bytes. A digit that is none makes the result negative. */
static inline int read_pair(uint8_t out[2], const char *text)
{
    int first = hex_value(text[0]) * 16 | hex_value(text[1]);
    int second = hex_value(text[2]) * 16 | hex_value(text[3]);

    out[0] = (uint8_t)first;
    out[1] = (uint8_t)second;
    return first | second;
}

static bool read_bytes(uint8_t out[UUID_BYTES], const char *text)
{
    int wrong = 0;

    for (size_t i = 0; i < PAIRS; i++)
        wrong |= read_pair(out + 2 * i, text + pair_at[i]);
    return wrong >= 0 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
           text[23] == '-';
}

bool uuid_parse(struct uuid *out, struct span text)
{
    if (text.len == UUID_TEXT_LEN && read_bytes(out->bytes, text.data))
        return true;
    *out = (struct uuid){{0}};
    return false;
}

/* Writes two bytes. */
static inline void format_pair(const uint8_t bytes[2], char *out)
{
    memcpy(out, digits + 2 * (size_t)bytes[0], 2);
    memcpy(out + 2, digits + 2 * (size_t)bytes[1], 2);
}

void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_BYTES])
{
    for (size_t i = 0; i < PAIRS; i++)
        format_pair(uuid->bytes + 2 * i, out + pair_at[i]);
    out[8] = out[13] = out[18] = out[23] = '-';
    out[UUID_TEXT_LEN] = '\0';
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

/* Random bytes in stock: to ask the kernel for those of each UUID costs a system call. */
static struct {
    uint8_t bytes[STOCK_BYTES];
    size_t left;
    bool guarded; /* children do not inherit them */
} stock;

static void forget_stock(void)
{
    secret_wipe(stock.bytes, sizeof stock.bytes);
    stock.left = 0;
}

static void fill_stock(void)
{
    stock.guarded = stock.guarded || pthread_atfork(NULL, NULL, forget_stock) == 0;
    if (!stock.guarded)
        return;
    secret_random(stock.bytes, sizeof stock.bytes);
    stock.left = sizeof stock.bytes;
}

static void make_random(uint8_t out[UUID_BYTES])
{
    if (stock.left == 0)
        fill_stock();
    if (stock.left == 0) {
        secret_random(out, UUID_BYTES);
        return;
    }
    stock.left -= UUID_BYTES;
    memcpy(out, stock.bytes + stock.left, UUID_BYTES);
    secret_wipe(stock.bytes + stock.left, UUID_BYTES);
}

void uuid_make(struct uuid *out, int64_t now_ms)
{
    make_random(out->bytes);
    set_time(out, now_ms);
    out->bytes[6] = 0x70 | (out->bytes[6] & 0x0f); /* version 7 */
    out->bytes[8] = 0x80 | (out->bytes[8] & 0x3f); /* variant of RFC 9562 */
}

void uuid_of_bytes(struct uuid *out, const uint8_t bytes[UUID_BYTES])
{
    memcpy(out->bytes, bytes, UUID_BYTES);
    out->bytes[6] = 0x80 | (out->bytes[6] & 0x0f); /* version 8 */
    out->bytes[8] = 0x80 | (out->bytes[8] & 0x3f); /* variant of RFC 9562 */
}

void uuid_of_bytes_at(struct uuid *out, const uint8_t bytes[UUID_BYTES], int64_t ms)
{
    uuid_of_bytes(out, bytes);
    set_time(out, ms);
    out->bytes[6] = 0x70 | (out->bytes[6] & 0x0f); /* version 7 */
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
