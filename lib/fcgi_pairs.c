#include "lib/fcgi_pairs.h"

static void take_length_byte(struct fcgi_pairs *p, unsigned char byte)
{
    if (p->want == 0)
        p->want = byte & 0x80 ? 4 : 1;
    p->length[p->have++] = byte;
    if (p->have < p->want)
        return;
    p->to_skip += p->want == 1 ? p->length[0]
                               : (size_t)(p->length[0] & 0x7f) << 24 | p->length[1] << 16 |
                                     p->length[2] << 8 | p->length[3];
    p->have = p->want = 0;
    p->lengths++;
}

/* The length of a pair that is whole and has two lengths of one byte, as most have; 0: it
 * is another one. */
static size_t short_pair(const unsigned char *bytes, size_t len)
{
    if (len < 2 || ((bytes[0] | bytes[1]) & 0x80) != 0)
        return 0;
    size_t size = (size_t)2 + bytes[0] + bytes[1];
    return size <= len ? size : 0;
}

void fcgi_pairs_take(struct fcgi_pairs *p, const unsigned char *bytes, size_t len)
{
    while (len > 0) {
        size_t step = fcgi_pairs_are_whole(p) ? short_pair(bytes, len) : 0;

        if (step > 0) {
            bytes += step;
            len -= step;
            continue;
        }
        step = 1;
        if (p->lengths < 2)
            take_length_byte(p, *bytes);
        else
            p->to_skip -= step = p->to_skip < len ? p->to_skip : len;
        if (p->lengths == 2 && p->to_skip == 0)
            p->lengths = 0;
        bytes += step;
        len -= step;
    }
}

bool fcgi_pairs_are_whole(const struct fcgi_pairs *p)
{
    return p->lengths == 0 && p->want == 0;
}
