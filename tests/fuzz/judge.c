/*
 * Prints for Python what this project reads from inputs: judge json|address|cidr|contains
 *
 * Standard input holds inputs, each behind its length (4 bytes, little endian); the answers
 * go to standard output in the same form.
 *   json      "broken", "other", or "object" and what json-c makes of it
 *   address   "none", or the family, the bytes in hexadecimal digits and the text
 *   cidr      the block, or "refused" and why
 *   contains  the input is a block, a blank and an address: "yes", "no", or "bad"
 */
#include <json.h>
#include <string.h>

#include "lib/address.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

enum {
    ARENA_BYTES = 64 << 20,
    LENGTH_BYTES = 4,
};

typedef void judge(struct span input);

static void answer(const char *text, size_t len)
{
    const unsigned char head[LENGTH_BYTES] = {(unsigned char)len, (unsigned char)(len >> 8),
                                              (unsigned char)(len >> 16),
                                              (unsigned char)(len >> 24)};

    CHECK(fwrite(head, sizeof head, 1, stdout) == 1);
    CHECK(fwrite(text, 1, len, stdout) == len);
}

static void answer_text(const char *text)
{
    answer(text, strlen(text));
}

static void answer_object(struct json_object *value)
{
    char *all = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&all, &size);

    CHECK(out != NULL);
    (void)fprintf(out, "object%s",
                  json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN));
    CHECK(fclose(out) == 0);
    answer(all, size);
    free(all);
}

static void judge_json(struct span input)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    struct json_object *value = NULL;

    CHECK(arena != NULL);
    switch (json_parse(&value, input, arena)) {
    case JSON_OBJECT:
        answer_object(value);
        break;
    case JSON_OTHER:
        answer_text("other");
        break;
    case JSON_NO_MEMORY:
    case JSON_BROKEN:
        answer_text("broken");
        break;
    }
    json_object_put(value);
    arena_free(arena);
}

static void judge_address(struct span input)
{
    char written[ADDRESS_TEXT_BYTES], bytes[2 * ADDRESS_MAX_BYTES + 1], all[128];
    struct address address;

    if (!address_parse(&address, input)) {
        answer_text("none");
        return;
    }
    (void)address_format(&address, written);
    for (size_t i = 0; i < address_bytes(&address); i++)
        (void)snprintf(bytes + 2 * i, 3, "%02x", address.bytes[i]);
    (void)snprintf(all, sizeof all, "%d %s %s", address.family, bytes, written);
    answer_text(all);
}

static void judge_cidr(struct span input)
{
    char all[PROBLEM_MAX_BYTES + sizeof "refused "];
    struct problem why = {""};
    struct cidr block;

    if (cidr_parse(&block, input, &why) == STATUS_OK)
        cidr_format(&block, all);
    else
        (void)snprintf(all, sizeof all, "refused %s", why.text);
    answer_text(all);
}

static void judge_contains(struct span input)
{
    const char *blank = memchr(input.data, ' ', input.len);
    struct address address;
    struct cidr block;

    CHECK(blank != NULL);
    struct span front = {input.data, (size_t)(blank - input.data)};
    struct span back = {blank + 1, input.len - front.len - 1};
    if (cidr_parse(&block, front, NULL) != STATUS_OK || !address_parse(&address, back))
        answer_text("bad");
    else
        answer_text(cidr_contains(&block, &address) ? "yes" : "no");
}

static judge *find(const char *name)
{
    static const struct {
        const char *name;
        judge *judge;
    } table[] = {
        {"json", judge_json},
        {"address", judge_address},
        {"cidr", judge_cidr},
        {"contains", judge_contains},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            return table[i].judge;
    return NULL;
}

/* Allocates exactly the bytes of the input: the sanitizers see any read behind it. */
static bool judge_next(judge *judge_it)
{
    unsigned char head[LENGTH_BYTES];

    if (fread(head, sizeof head, 1, stdin) != 1)
        return false;
    size_t len =
        head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    char *bytes = malloc(len);
    CHECK(bytes != NULL && fread(bytes, 1, len, stdin) == len);
    judge_it((struct span){bytes, len});
    free(bytes);
    return true;
}

int main(int argc, char **argv)
{
    judge *judge_it = argc == 2 ? find(argv[1]) : NULL;

    if (judge_it == NULL) {
        (void)fprintf(stderr, "Usage: judge json|address|cidr|contains <INPUTS\n");
        return 64;
    }
    while (judge_next(judge_it))
        continue;
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
