#include "app/ctl/text.h"

#include <string.h>
#include <wchar.h>

#include "lib/utf8.h"

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Line separators and direction marks, which can make a line look like another. */
static bool is_deceptive(uint32_t c)
{
    return c == 0x061c || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

bool text_is_harmful(uint32_t c)
{
    return is_control(c) || is_deceptive(c);
}

static size_t columns_of(uint32_t c)
{
    int width = wcwidth((wchar_t)c);

    return width >= 0 ? (size_t)width : 1;
}

static struct span take(struct span *text, size_t len)
{
    struct span taken = {text->data, len};

    text->data += len;
    text->len -= len;
    return taken;
}

struct text_piece text_next(struct span *text)
{
    uint32_t c = 0;
    size_t len = utf8_decode(*text, &c);
    struct span taken = take(text, len > 0 ? len : 1);

    if (len > 0 && (c == '\n' || c == '\t'))
        return (struct text_piece){{" ", 1}, 1, c == '\n'};
    if (len == 0 || text_is_harmful(c))
        return (struct text_piece){{"?", 1}, 1, false};
    return (struct text_piece){taken, columns_of(c), false};
}

size_t text_width(struct span text)
{
    size_t width = 0;

    while (text.len > 0)
        width += text_next(&text).width;
    return width;
}

const char text_ellipsis[] = "…";

struct text_cut text_cut(struct span text, size_t columns)
{
    size_t width = text_width(text), used = 0;
    struct span rest = text;

    if (width <= columns)
        return (struct text_cut){text.len, width, false};
    while (rest.len > 0) {
        struct span behind = rest;
        struct text_piece piece = text_next(&behind);

        if (used + piece.width + 1 > columns)
            break;
        used += piece.width;
        rest = behind;
    }
    return (struct text_cut){text.len - rest.len, used + 1, true};
}

void text_make_safe(char *text)
{
    struct span rest = span_of(text);
    char *out = text;

    while (rest.len > 0) {
        struct text_piece piece = text_next(&rest);
        memmove(out, piece.shown.data, piece.shown.len); /* never longer than it was */
        out += piece.shown.len;
    }
    *out = '\0';
}
