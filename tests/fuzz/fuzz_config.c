/*
 * The configuration file, with the table of settings: accepted values are within their
 * limits, and are the same after they were printed and read again.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "app/settings.h"
#include "tests/fuzz/fuzz.h"

static int file;
static char path[64];
static struct settings settings, again;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    file = memfd_create("configuration", MFD_CLOEXEC);
    CHECK(file >= 0);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return 0;
}

static enum status load(struct settings *out, const void *text, size_t size,
                        struct problem *why)
{
    const struct settings_arguments arguments = {.config = path};

    CHECK(ftruncate(file, 0) == 0);
    CHECK(pwrite(file, text, size, 0) == (ssize_t)size);
    return settings_load(out, &arguments, why);
}

static bool is_between(int64_t number, int64_t min, int64_t max)
{
    return min <= number && number <= max;
}

static void check_limits(const struct settings *s)
{
    CHECK(s->database[0] != '\0' && s->secret_key_file[0] != '\0');
    CHECK(is_between(s->socket_mode, 0, 0777));
    CHECK(is_between(s->workers, 1, 1024));
    CHECK(is_between(s->max_body_bytes, 1024, 8 << 20));
    CHECK(is_between(s->max_note_bytes, 1, 8 << 20));
    CHECK(is_between(s->request_timeout, 1, 3600));
    for (size_t i = 0; i < 3; i++) {
        const struct throttle_rate *rates[] = {&s->rate_limit, &s->credential_failures,
                                               &s->contact_failures};
        CHECK(is_between(rates[i]->count, 0, THROTTLE_COUNT_MAX));
        CHECK(is_between(rates[i]->time_s, rates[i]->count > 0, THROTTLE_TIME_MAX_S));
    }
    CHECK(s->trusted_proxies.count <= CONFIG_BLOCKS_MAX);
    for (size_t i = 0; i < s->trusted_proxies.count; i++)
        CHECK(cidr_contains(&s->trusted_proxies.list[i],
                            &s->trusted_proxies.list[i].network));
}

static size_t longest_line(const char *text)
{
    size_t longest = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        longest = len > longest ? len : longest;
        text += len + (text[len] == '\n');
    }
    return longest;
}

/* Lists that were written in several lines may be printed in one that is too long, and a
 * value that begins with ; would be a comment. */
static bool can_be_read_again(const struct settings *s, const char *printed)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (s->values[i].text[0] == ';')
            return false;
    return longest_line(printed) <= CONFIG_LINE_BYTES;
}

/* A list whose first line is empty begins with a blank. */
static const char *without_blanks(const char *text)
{
    return text + strspn(text, " ");
}

static void check_printed(const struct settings *s)
{
    char *text = NULL;
    size_t size = 0;
    struct problem why = {""};
    FILE *out = open_memstream(&text, &size);

    CHECK(out != NULL);
    settings_print(s, out);
    CHECK(fclose(out) == 0);
    if (can_be_read_again(s, text)) {
        if (load(&again, text, size, &why) != STATUS_OK)
            (void)fprintf(stderr, "%s\n%s\n", why.text, text);
        CHECK(why.text[0] == '\0');
        for (size_t i = 0; i < SETTINGS_COUNT; i++)
            CHECK(strcmp(without_blanks(s->values[i].text),
                         without_blanks(again.values[i].text)) == 0);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem why = {""};
    enum status status = load(&settings, data, size, &why);

    if (status != STATUS_OK) {
        CHECK(status == STATUS_CONFIG && strncmp(why.text, path, strlen(path)) == 0);
        return 0;
    }
    check_limits(&settings);
    check_printed(&settings);
    return 0;
}
