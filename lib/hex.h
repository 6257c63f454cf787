/*
 * Hexadecimal digits.
 */
#ifndef LIB_HEX_H
#define LIB_HEX_H

#include <stdint.h>

/* The digit of a value from 0 to 15, in lower case. */
static inline char hex_digit(unsigned value)
{
    return "0123456789abcdef"[value & 0xf];
}

/* The value of a digit in either case; -1: it is none. */
static inline int hex_value(char c)
{
    static const int8_t successors[256] = {
        ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
    };

    return successors[(unsigned char)c] - 1;
}

#endif
