/*
 * Hexadecimal digits.
 */
#ifndef LIB_HEX_H
#define LIB_HEX_H

/* The value of a digit in either case; -1: it is none. */
static inline int hex_value(char c)
{
    char letter = (char)(c | 0x20);

    if (c >= '0' && c <= '9')
        return c - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

#endif
