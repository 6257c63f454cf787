/*
 * Letters to the writer: whatever a worker that has gone mad may post, the writer lives on,
 * and writes for nobody but a caller with both keys and a right address.
 *
 * An input is either a letter as it is, or changes to one that is in order; the layout of
 * letters can change without the corpus becoming worthless.
 *   byte 0: even: the rest is the letter
 *           odd: the number of changes follows, each of two bytes offset and one byte that
 *                is put there; the rest is the note
 */
#include <string.h>

#include "app/api/call.h"
#include "app/commit/batch.h"
#include "app/commit/letter.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/site.h"

enum {
    CHANGE_BYTES = 3,
    TIMEOUT_MS = 1000,
};

static struct batch *batch;

static void close_batch(void)
{
    batch_free(batch);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    site_make();
    batch = batch_create(site_database(), call_command_kinds());
    CHECK(batch != NULL);
    (void)atexit(close_batch);
    return 0;
}

static char *copy(const void *head, size_t head_len, struct span body)
{
    char *letter = malloc(head_len + body.len + 1);

    CHECK(letter != NULL);
    memcpy(letter, head, head_len);
    if (body.len > 0)
        memcpy(letter + head_len, body.data, body.len);
    return letter;
}

static struct span changed_letter(const uint8_t *data, size_t size)
{
    size_t changes = size > 0 ? data[0] : 0;
    struct note_command command;
    struct span note = {NULL, 0};

    if (changes * CHANGE_BYTES + 1 <= size)
        note = (struct span){(const char *)data + 1 + changes * CHANGE_BYTES,
                             size - 1 - changes * CHANGE_BYTES};
    else
        changes = 0;
    site_command(&command, note);
    char *letter = copy(&command, sizeof command, note);
    for (size_t i = 0; i < changes; i++) {
        const uint8_t *change = data + 1 + i * CHANGE_BYTES;
        size_t offset = (size_t)change[0] << 8 | change[1];
        letter[offset % sizeof command] = (char)change[2];
    }
    return (struct span){letter, sizeof command + note.len};
}

static void check_commit(const struct command *command)
{
    struct batch_item item = {.command = command};
    int64_t before = site_versions();

    batch_commit(batch, &item, 1, TIMEOUT_MS);
    int64_t written = site_versions() - before;
    CHECK(written == (item.status == STATUS_OK && !item.result.replayed));
    CHECK(written == 0 || site_may_write(&command->credentials));
    CHECK((item.status == STATUS_REFUSED) == (item.result.refusal != ERROR_NONE));
    CHECK(item.status != STATUS_UNKNOWN && item.status != STATUS_BUSY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    union site_room room;
    struct span letter;

    if (size > 0 && data[0] % 2 == 1)
        letter = changed_letter(data + 1, size - 1);
    else
        letter = (struct span){copy(data, size, (struct span){NULL, 0}), size};
    site_tidy();
    if (letter_read(&room.command, call_command_kinds(), letter) == STATUS_OK)
        check_commit(&room.command);
    free((char *)letter.data);
    return 0;
}
