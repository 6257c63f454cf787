#include "lib/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "lib/decimal.h"

enum {
    QUOTE_BYTES = 65, /* of a bad input in a message, with the NUL */
    MAPPED_PREFIX_BITS = 96,
};

static const uint8_t mapped_prefix[MAPPED_PREFIX_BITS / 8] = {[10] = 0xff, [11] = 0xff};

size_t address_bytes(const struct address *address)
{
    switch (address->family) {
    case ADDRESS_IPV4:
        return 4;
    case ADDRESS_IPV6:
        return 16;
    default:
        return 0;
    }
}

static bool text_get(char out[ADDRESS_TEXT_BYTES], struct span text)
{
    if (text.len == 0 || text.len >= ADDRESS_TEXT_BYTES)
        return false;
    if (memchr(text.data, '\0', text.len) != NULL)
        return false;
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    return true;
}

static void set_ipv6(struct address *out, const uint8_t bytes[ADDRESS_MAX_BYTES])
{
    if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
        out->family = ADDRESS_IPV4;
        memcpy(out->bytes, bytes + sizeof mapped_prefix, 4);
    } else {
        out->family = ADDRESS_IPV6;
        memcpy(out->bytes, bytes, ADDRESS_MAX_BYTES);
    }
}

struct address address_of_bytes(struct span bytes)
{
    struct address address = {.family = ADDRESS_NONE};

    if (bytes.len != 4 && bytes.len != 16)
        return address;
    address.family = bytes.len == 4 ? ADDRESS_IPV4 : ADDRESS_IPV6;
    memcpy(address.bytes, bytes.data, bytes.len);
    return address;
}

bool address_parse(struct address *out, struct span text)
{
    char copy[ADDRESS_TEXT_BYTES];
    uint8_t bytes[ADDRESS_MAX_BYTES];

    *out = (struct address){.family = ADDRESS_NONE};
    if (!text_get(copy, text))
        return false;
    if (inet_pton(AF_INET, copy, bytes) == 1) {
        out->family = ADDRESS_IPV4;
        memcpy(out->bytes, bytes, 4);
        return true;
    }
    if (inet_pton(AF_INET6, copy, bytes) == 1) {
        set_ipv6(out, bytes);
        return true;
    }
    return false;
}

/* As inet_ntop, which uses printf. Returns the length. */
static size_t format_ipv4(const uint8_t bytes[4], char *out)
{
    const char *start = out;
    char digits[DECIMAL_BYTES];

    for (size_t i = 0; i < 4; i++) {
        struct span number = decimal(digits, bytes[i]);
        if (i > 0)
            *out++ = '.';
        memcpy(out, number.data, number.len);
        out += number.len;
    }
    *out = '\0';
    return (size_t)(out - start);
}

size_t address_format(const struct address *address, char out[ADDRESS_TEXT_BYTES])
{
    out[0] = '\0';
    if (address->family == ADDRESS_IPV4)
        return format_ipv4(address->bytes, out);
    if (address_bytes(address) > 0)
        (void)inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT_BYTES);
    return strlen(out);
}

bool address_equals(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, address_bytes(a)) == 0;
}

unsigned address_common_bits(const struct address *a, const struct address *b)
{
    size_t size = a->family == b->family ? address_bytes(a) : 0;
    size_t i = 0;

    while (i < size && a->bytes[i] == b->bytes[i])
        i++;
    unsigned bits = (unsigned)i * 8;
    if (i == size)
        return bits;
    for (unsigned differ = a->bytes[i] ^ b->bytes[i]; (differ & 0x80) == 0; differ <<= 1)
        bits++;
    return bits;
}

struct address address_truncate(const struct address *address, unsigned prefix_len)
{
    struct address out = {.family = address->family};
    size_t size = address_bytes(address);
    size_t whole = prefix_len / 8;

    if (whole >= size)
        whole = size;
    memcpy(out.bytes, address->bytes, whole);
    if (whole < size)
        out.bytes[whole] = address->bytes[whole] & (uint8_t)(0xff00 >> prefix_len % 8);
    return out;
}

/* Copies a bad input for a message, cut to a maximum length and with printable characters
 * only. */
static void quote(char out[QUOTE_BYTES], struct span text)
{
    size_t len = text.len < QUOTE_BYTES ? text.len : QUOTE_BYTES - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?';
    out[len] = '\0';
}

static bool prefix_parse(unsigned *out, struct span text)
{
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.data[0] == '0'))
        return false;
    *out = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *out = *out * 10 + (unsigned)(text.data[i] - '0');
    }
    return true;
}

static enum status refuse_prefix(const char *given, unsigned max, struct problem *why)
{
    return problem_set(why, STATUS_INVALID, "%s: the prefix length must be 0 to %u", given,
                       max);
}

/* Reads the prefix length after the slash, as one of the address's present family. */
static enum status read_prefix(struct cidr *out, struct span bits, bool mapped,
                               const char *given, struct problem *why)
{
    unsigned family_bits = (unsigned)address_bytes(&out->network) * 8;
    unsigned max = mapped ? 128 : family_bits;
    unsigned prefix_len = 0;

    if (!prefix_parse(&prefix_len, bits) || prefix_len > max)
        return refuse_prefix(given, max, why);
    if (mapped && prefix_len < MAPPED_PREFIX_BITS)
        return problem_set(why, STATUS_INVALID,
                           "%s reaches beyond IPv4 addresses: use a prefix length of 96 to "
                           "128, or write an IPv4 block",
                           given);
    out->prefix_len = (uint8_t)(mapped ? prefix_len - MAPPED_PREFIX_BITS : prefix_len);
    return STATUS_OK;
}

static enum status check_host_bits(const struct cidr *cidr, struct problem *why)
{
    struct cidr meant = {address_truncate(&cidr->network, cidr->prefix_len),
                         cidr->prefix_len};
    char given_text[CIDR_TEXT_BYTES];
    char meant_text[CIDR_TEXT_BYTES];

    if (address_equals(&meant.network, &cidr->network))
        return STATUS_OK;
    cidr_format(cidr, given_text);
    cidr_format(&meant, meant_text);
    return problem_set(why, STATUS_INVALID, "%s has host bits set: did you mean %s?",
                       given_text, meant_text);
}

static enum status cidr_read(struct cidr *out, struct span text, struct problem *why)
{
    const char *slash = text.len > 0 ? memchr(text.data, '/', text.len) : NULL;
    struct span front = {text.data, slash != NULL ? (size_t)(slash - text.data) : text.len};
    char given[QUOTE_BYTES];

    quote(given, text);
    if (!address_parse(&out->network, front)) {
        quote(given, front);
        return problem_set(why, STATUS_INVALID, "'%s' is no IP address", given);
    }
    if (slash == NULL) {
        out->prefix_len = (uint8_t)(address_bytes(&out->network) * 8);
        return STATUS_OK;
    }
    bool mapped =
        out->network.family == ADDRESS_IPV4 && memchr(front.data, ':', front.len) != NULL;
    struct span bits = {slash + 1, text.len - front.len - 1};
    enum status status = read_prefix(out, bits, mapped, given, why);
    return status == STATUS_OK ? check_host_bits(out, why) : status;
}

enum status cidr_parse(struct cidr *out, struct span text, struct problem *why)
{
    *out = (struct cidr){.prefix_len = 0};
    enum status status = cidr_read(out, text, why);

    if (status != STATUS_OK)
        *out = (struct cidr){.prefix_len = 0};
    return status;
}

void cidr_format(const struct cidr *cidr, char out[CIDR_TEXT_BYTES])
{
    char address[ADDRESS_TEXT_BYTES];

    (void)address_format(&cidr->network, address);
    (void)snprintf(out, CIDR_TEXT_BYTES, "%s/%u", address, (unsigned)cidr->prefix_len);
}

bool cidr_contains(const struct cidr *cidr, const struct address *address)
{
    if (address_bytes(address) == 0 || address->family != cidr->network.family)
        return false;
    return address_common_bits(&cidr->network, address) >= cidr->prefix_len;
}
