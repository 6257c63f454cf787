/*
 * Numbers in decimal, without the cost of printf(3).
 */
#ifndef LIB_DECIMAL_H
#define LIB_DECIMAL_H

#include <stdint.h>

#include "lib/span.h"

enum {
    DECIMAL_BYTES = 20, /* of the longest int64_t */
};

/* The digits of a number, with a sign where it is negative, at the end of `room`. */
static inline struct span decimal(char room[DECIMAL_BYTES], int64_t number)
{
    size_t at = DECIMAL_BYTES;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do
        room[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (number < 0)
        room[--at] = '-';
    return (struct span){room + at, DECIMAL_BYTES - at};
}

#endif
