/*
 * UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing over U+10FFFF.
 */
#ifndef LIB_UTF8_H
#define LIB_UTF8_H

#include "lib/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The length in bytes (1 to 4) of the character that starts at text.data, or 0 if there is
 * no valid one. The code point goes to *code_point, which may be NULL.
 */
size_t utf8_decode(struct span text, uint32_t *code_point);

/* Writes the character (any code point but a surrogate, at most U+10FFFF) to out and
 * returns its length in bytes, 1 to 4. */
size_t utf8_encode(uint32_t code_point, char out[4]);

/* True when all of text is valid. Empty text is valid. */
bool utf8_valid(struct span text);

/* How many characters (code points) text has, which must be valid. */
size_t utf8_count(struct span text);

/* True when text holds nothing but characters with the Unicode property White_Space
 * (or nothing at all). Text must be valid UTF-8. */
bool utf8_blank(struct span text);

#endif
