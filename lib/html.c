#include "lib/html.h"

#include <limits.h>

/* The references to the characters that markup uses; NULL: it stands for itself. */
static const char *const references[UCHAR_MAX + 1] = {
    ['&'] = "&amp;",
    ['<'] = "&lt;",
    ['>'] = "&gt;",
    ['"'] = "&quot;",
};

void html_put(FILE *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *reference = references[(unsigned char)text.data[i]];
        if (reference != NULL)
            (void)fputs(reference, out);
        else
            (void)fputc(text.data[i], out);
    }
}

void html_put_prose(FILE *out, const char *text)
{
    bool in_code = false;

    for (size_t len; *text != '\0'; text += len) {
        len = strcspn(text, "`");
        html_put(out, (struct span){text, len});
        if (text[len] == '\0')
            continue;
        (void)fputs(in_code ? "</code>" : "<code>", out);
        in_code = !in_code;
        len++;
    }
}
