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

/* A byte in each place of a word. */
static inline uint64_t json_bytes_all(unsigned char byte)
{
    return byte * UINT64_C(0x0101010101010101);
}

/*
 * Marks those of eight bytes that are not plain, with the first one in the lowest bits: the
 * highest bit of each, and perhaps also of some behind the first. printable: only printable
 * ASCII characters are plain.
 *
 * A subtraction of 1 from a byte that is 0, or of ' ' from one that is smaller, sets the
 * highest bit, and so does the addition of 1 to 0x7f. They may do that in bytes of 0x80 and
 * above as well, which are marked or not by themselves.
 */
static inline uint64_t json_bytes_not_plain(const char *bytes, bool printable)
{
    const uint64_t ones = json_bytes_all(1);
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    word = le64toh(word);
    uint64_t marks = (word - json_bytes_all(' ')) | ((word ^ json_bytes_all('"')) - ones) |
                     ((word ^ json_bytes_all('\\')) - ones);
    marks = printable ? marks | word | (word + ones) : marks & ~word;
    return marks & json_bytes_all(0x80);
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
