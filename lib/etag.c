#include "lib/etag.h"

#include "lib/hex.h"
#include "lib/secret.h"

enum {
    HASHED_BYTES = 16, /* of the hash: enough to tell documents apart */
};

_Static_assert(ETAG_BYTES == 2 * HASHED_BYTES + 3, "digits, quotes and NUL");

void etag_make(char out[ETAG_BYTES], struct span bytes)
{
    struct secret_hash hash;
    char *at = out;

    secret_hash(&hash, NULL, "entity tag", bytes);
    *at++ = '"';
    for (size_t i = 0; i < HASHED_BYTES; i++) {
        *at++ = hex_digit(hash.bytes[i] >> 4);
        *at++ = hex_digit(hash.bytes[i]);
    }
    *at++ = '"';
    *at = '\0';
}

static void skip(struct span *rest, size_t len)
{
    rest->data += len;
    rest->len -= len;
}

static bool is_one_of(char c, const char *list)
{
    return c != '\0' && strchr(list, c) != NULL;
}

/* Empty members of a list are allowed (RFC 9110 5.6.1.2). */
static void skip_separators(struct span *rest)
{
    while (rest->len > 0 && is_one_of(rest->data[0], " \t,"))
        skip(rest, 1);
}

/* Takes the next tag, with its quotes and without W/, off the list. False: there is none,
 * or no tag stands here. */
static bool take_tag(struct span *out, struct span *rest)
{
    skip_separators(rest);
    if (rest->len >= 2 && memcmp(rest->data, "W/", 2) == 0)
        skip(rest, 2);
    if (rest->len == 0 || rest->data[0] != '"')
        return false;
    const char *end = memchr(rest->data + 1, '"', rest->len - 1);
    if (end == NULL)
        return false;
    *out = (struct span){rest->data, (size_t)(end - rest->data) + 1};
    skip(rest, out->len);
    return true;
}

static bool is_any(struct span header)
{
    while (header.len > 0 && is_one_of(header.data[header.len - 1], " \t"))
        header.len--;
    skip_separators(&header);
    return span_equals(header, span_of("*"));
}

bool etag_is_listed(struct span header, const char *etag)
{
    struct span tag;

    if (is_any(header))
        return true;
    if (etag == NULL)
        return false;
    while (take_tag(&tag, &header))
        if (span_equals(tag, span_of(etag)))
            return true;
    return false;
}
