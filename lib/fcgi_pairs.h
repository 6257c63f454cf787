/*
 * The parameters of a FastCGI request as bytes: a stream of name-value pairs (specification
 * 1.0, section 3.4), of which pieces of any size come. Checks that each name and value is
 * as long as its length says, because libfcgi trusts the lengths.
 */
#ifndef LIB_FCGI_PAIRS_H
#define LIB_FCGI_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

/* The state of reading: two lengths, then as many bytes, and so on. {0}: at the start. */
struct fcgi_pairs {
    unsigned char length[4];
    unsigned have, want; /* bytes of the present length; want 0: its first byte is next */
    unsigned lengths;    /* how many of the pair's two lengths are known */
    size_t to_skip;      /* bytes of name and value that are still to come */
};

/* Goes through the next piece. */
void fcgi_pairs_take(struct fcgi_pairs *pairs, const unsigned char *bytes, size_t len);

/* True between two pairs, where the stream may end. */
bool fcgi_pairs_are_whole(const struct fcgi_pairs *pairs);

#endif
