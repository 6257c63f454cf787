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

/* The beginning of a text that is shown. */
struct text_cut {
    size_t len;   /* bytes */
    size_t width; /* terminal columns, with the ellipsis */
    bool is_cut;  /* an ellipsis is to follow */
};

extern const char text_ellipsis[];

/* As much of a text that text_next made as fits into so many columns, with the ellipsis
 * behind it where that is not all. Wide characters are not cut apart, and combining ones
 * stay with the character before them. */
struct text_cut text_cut(struct span text, size_t columns);

/* Makes a C string safe for a terminal, in place. */
void text_make_safe(char *text);

#endif
