/*
 * Text of unknown origin, made safe for a terminal.
 */
#ifndef APP_CTL_TEXT_H
#define APP_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/span.h"

/* Whether a terminal must not get this character as it is: it is a control character, or
 * one that separates lines or changes the direction of text. */
bool text_is_harmful(uint32_t c);

/* One character as a terminal may show it: control characters, those that change the
 * direction of text, and bytes that are no UTF-8 become "?", a tab becomes a blank. */
struct text_piece {
    struct span shown;
    size_t width;    /* terminal columns */
    bool is_newline; /* then shown is a blank */
};

/* Takes the first character off text, which is not empty. */
struct text_piece text_next(struct span *text);

/* How many columns a text that text_next made has. */
size_t text_width(struct span text);

/* Makes a C string safe for a terminal, in place. */
void text_make_safe(char *text);

#endif
