/*
 * Text without regard to case, by libutf8proc.
 */
#ifndef LIB_CASEFOLD_H
#define LIB_CASEFOLD_H

#include <stddef.h>

#include "lib/span.h"

enum {
    /* The most bytes that a folded text has for each byte of the text: U+0390 and the like
     * become three characters of two bytes each. */
    CASEFOLD_GROWTH = 3,
};

/*
 * Writes text (valid UTF-8 without U+0000) folded by the Unicode Standard 3.13, D145: full
 * case folding, which makes two characters of ß and does not depend on a language, of text
 * in the normalization form NFD; the result is in NFC. Two texts that differ in case only,
 * or in how accents are encoded, have the same result. out has text.len * CASEFOLD_GROWTH
 * bytes. Returns how many were written; SIZE_MAX: no memory.
 */
size_t casefold(char *out, struct span text);

#endif
