/*
 * Addresses and CIDR blocks as operators and proxies write them.
 */
#include <string.h>

#include "app/serve/client_address.h"
#include "tests/fuzz/fuzz.h"

static struct config_blocks trusted;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const blocks[] = {"10.0.0.0/8", "2001:db8::/32", "127.0.0.1/32"};

    (void)argc;
    (void)argv;
    for (; trusted.count < sizeof blocks / sizeof blocks[0]; trusted.count++)
        CHECK(cidr_parse(&trusted.list[trusted.count], span_of(blocks[trusted.count]),
                         NULL) == STATUS_OK);
    return 0;
}

static void check_address(struct span text)
{
    char written[ADDRESS_TEXT_BYTES];
    struct address address, again;

    bool good = address_parse(&address, text);
    CHECK(good == (address.family != ADDRESS_NONE));
    if (!good)
        return;
    (void)address_format(&address, written);
    CHECK(address_parse(&again, span_of(written)));
    CHECK(memcmp(&again, &address, sizeof again) == 0);
    CHECK(address_common_bits(&address, &again) == address_bytes(&address) * 8);
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static void check_block(const struct cidr *block)
{
    const unsigned bits = (unsigned)address_bytes(&block->network) * 8;
    struct address outside = block->network;
    char written[CIDR_TEXT_BYTES];
    struct cidr again;

    CHECK(bits > 0 && block->prefix_len <= bits);
    CHECK(cidr_contains(block, &block->network));
    cidr_format(block, written);
    CHECK(cidr_parse(&again, span_of(written), NULL) == STATUS_OK);
    CHECK(memcmp(&again, block, sizeof again) == 0);
    if (block->prefix_len == 0)
        return;
    unsigned last = block->prefix_len - 1U;
    outside.bytes[last / 8] ^= (uint8_t)(0x80 >> last % 8);
    CHECK(!cidr_contains(block, &outside));
    CHECK(address_common_bits(&block->network, &outside) == last);
}

/* A block that a complaint suggests must be valid. */
static void check_complaint(const struct problem *why)
{
    static const char before[] = "did you mean ";
    size_t len = strlen(why->text);
    struct cidr block;

    CHECK(len > 0 && is_printable(why->text));
    if (why->text[0] == '\'' || why->text[len - 1] != '?')
        return;
    const char *at = strstr(why->text, before);
    CHECK(at != NULL);
    struct span meant = span_of(at + sizeof before - 1);
    meant.len--; /* the question mark */
    CHECK(cidr_parse(&block, meant, NULL) == STATUS_OK);
    check_block(&block);
}

static void check_cidr(struct span text)
{
    struct problem why = {""};
    struct cidr block;
    enum status status = cidr_parse(&block, text, &why);

    if (status == STATUS_OK) {
        check_block(&block);
        return;
    }
    CHECK(status == STATUS_INVALID && block.network.family == ADDRESS_NONE);
    check_complaint(&why);
}

static bool is_trusted(const struct address *address)
{
    for (size_t i = 0; i < trusted.count; i++)
        if (cidr_contains(&trusted.list[i], address))
            return true;
    return false;
}

/* The first line is REMOTE_ADDR, the rest X-Forwarded-For. */
static void check_client(char *text)
{
    char *end = strchr(text, '\n');
    struct address plain, given;

    if (end != NULL)
        *end = '\0';
    given = client_address(span_of(text), span_of(end != NULL ? end + 1 : NULL), &trusted);
    (void)address_parse(&plain, span_of(text));
    if (!is_trusted(&plain))
        CHECK(address_equals(&given, &plain) && given.family == plain.family);
    else if (end == NULL)
        CHECK(given.family == ADDRESS_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span text = {(const char *)data, size};
    char *copy = malloc(size + 1);

    CHECK(copy != NULL);
    check_address(text);
    check_cidr(text);
    memcpy(copy, data, size);
    copy[size] = '\0';
    check_client(copy);
    free(copy);
    return 0;
}
