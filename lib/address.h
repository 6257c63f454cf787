/*
 * IP addresses and CIDR blocks.
 *
 * Only the forms of inet_pton(3) are read: no octal, no short forms, no zone, no port.
 * An IPv4-mapped IPv6 address (::ffff:a.b.c.d) is the IPv4 address everywhere, so one
 * address has one struct address and bytes can be compared.
 */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H

#include "lib/span.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum address_family {
    ADDRESS_NONE = 0, /* no address: nothing contains it */
    ADDRESS_IPV4 = 4,
    ADDRESS_IPV6 = 6,
};

enum {
    ADDRESS_MAX_BYTES = 16,
    ADDRESS_TEXT_BYTES = 46, /* INET6_ADDRSTRLEN, with the closing NUL */
    CIDR_TEXT_BYTES = 50,    /* the above and "/128" */
};

struct address {
    uint8_t family;                   /* enum address_family */
    uint8_t bytes[ADDRESS_MAX_BYTES]; /* network order; IPv4 in the first 4, the rest 0 */
};

struct cidr {
    struct address network; /* host bits are 0 */
    uint8_t prefix_len;     /* bits: 0–32 or 0–128 */
};

/* How many bytes an address of this family has: 4, 16, or 0 for ADDRESS_NONE. */
size_t address_bytes(const struct address *address);

/* Makes an address of 4 or 16 bytes; ADDRESS_NONE for any other size. */
struct address address_of_bytes(struct span bytes);

/* Reads an address. On failure returns false and sets the family to ADDRESS_NONE. */
bool address_parse(struct address *out, struct span text);

/* Writes the text with its NUL; IPv6 in the form of RFC 5952. Empty for ADDRESS_NONE.
 * Returns its length. */
size_t address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES]);

bool address_equals(const struct address *a, const struct address *b);

/* How many leading bits two addresses of the same family share. */
unsigned address_common_bits(const struct address *a, const struct address *b);

/* The address with everything after the first prefix_len bits set to 0. */
struct address address_truncate(const struct address *address, unsigned prefix_len);

/*
 * Reads "address/bits"; a bare address is /32 or /128. ::ffff:a.b.c.d/n with n ≥ 96
 * becomes IPv4. STATUS_INVALID with why filled for anything else; for host bits that are
 * set, why names the block that was probably meant. /0 is accepted: the caller decides
 * whether it may be used.
 */
enum status cidr_parse(struct cidr *out, struct span text, struct problem *why);

/* Writes "address/bits" with its NUL. */
void cidr_format(const struct cidr *cidr, char out[CIDR_TEXT_BYTES]);

/* True when the address is of the block's family and inside it. Never for ADDRESS_NONE. */
bool cidr_contains(const struct cidr *cidr, const struct address *address);

#endif
