#include "lib/casefold.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ASCII, which needs no tables. False: the text has other characters. */
static bool fold_ascii(char *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c >= 0x80)
            return false;
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return true;
}

size_t casefold(char *out, struct span text)
{
    uint8_t *folded = NULL;

    if (fold_ascii(out, text))
        return text.len;
    ssize_t len = utf8proc_map((const uint8_t *)text.data, (ssize_t)text.len, &folded,
                               UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD);
    if (len < 0 || (size_t)len > text.len * CASEFOLD_GROWTH) {
        free(folded);
        return SIZE_MAX;
    }
    memcpy(out, folded, (size_t)len);
    free(folded);
    return (size_t)len;
}
