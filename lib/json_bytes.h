/*
 * The bytes of a JSON string that stand for themselves, found eight at a time.
 */
#ifndef LIB_JSON_BYTES_H
#define LIB_JSON_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/span.h"

/* Whether a byte stands for itself between quotes: not a control character below U+0020,
 * quote or backslash. */
static inline bool json_byte_is_plain(unsigned char byte)
{
    return byte >= ' ' && byte != '"' && byte != '\\';
}

/* A word whose bytes have their highest bit set where that of `word` is below limit (at
 * most 0x80), perhaps also behind the first such byte, but never in front of it. */
static inline uint64_t json_bytes_below(uint64_t word, uint64_t limit)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    return (word - limit * ones) & ~word & 0x80 * ones;
}

/* Marks those of eight bytes that are not plain, with the first one in the lowest bits: the
 * highest bit of each, and perhaps also of some behind the first. printable: only printable
 * ASCII characters are plain. */
static inline uint64_t json_bytes_not_plain(const char *bytes, bool printable)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    word = le64toh(word);
    uint64_t marks = json_bytes_below(word, ' ') | json_bytes_below(word ^ '"' * ones, 1) |
                     json_bytes_below(word ^ '\\' * ones, 1);
    if (printable)
        marks |= (word & 0x80 * ones) | json_bytes_below(word ^ 0x7f * ones, 1);
    return marks;
}

/* How many plain bytes are at the beginning of text. */
static inline size_t json_plain_len(struct span text, bool printable)
{
    size_t at = 0;

    for (; text.len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t marks = json_bytes_not_plain(text.data + at, printable);
        if (marks != 0)
            return at + (size_t)__builtin_ctzll(marks) / 8;
    }
    while (at < text.len && json_byte_is_plain((unsigned char)text.data[at]) &&
           !(printable && (unsigned char)text.data[at] > '~'))
        at++;
    return at;
}

#endif
