/*
 * Letters to the writer: whatever bytes a worker posts, the writer does not fail, and
 * stores a note only for a caller with both keys and an allowed address.
 *
 * An input is either a letter as it is, or changes to a letter that is in order, so that
 * the corpus stays useful when the layout of letters changes.
 *   byte 0: even: the rest is the letter
 *           odd: it is the letter of site_command; 2 adds an idempotency key, 4 makes it an
 *                update, 8 makes the first text far too long and the last one shorter by as
 *                much, so that the sum of the lengths overflows to the right one. Then come
 *   byte 1: the number of the kind (signed): 0 is add_note, 3 add_contacts_full, CALLS_MAX
 *           and CALLS_MAX + 1 are the kinds of this file; the others do not exist
 *   byte 2: the number of changes, each with an offset (two bytes) and the byte to put
 *           there; the rest is divided equally among the texts
 */
#include <string.h>

#include "app/api/add_contacts_full.h"
#include "app/commit/batch.h"
#include "app/commit/letter.h"
#include "lib/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/site.h"

enum {
    HEAD_BYTES = 3, /* of an input */
    CHANGE_BYTES = 3,
    TEXT_MAX_BYTES = 1000,
    WITH_KEY = 2,
    WITH_NOTE_ID = 4,
    WITH_OVERFLOW = 8,
    TIMEOUT_MS = 1000,
    KIND_BARE = CALLS_MAX, /* numbers that no call has */
    KIND_TEXTS,
    KINDS_COUNT,
};

/* A command of the maximum size, with the maximum number of texts. */
struct texts_command {
    struct command common;
    char filler[COMMAND_MAX_BYTES - sizeof(struct command) -
                LETTER_TEXTS_MAX * sizeof(struct span)];
    struct span texts[LETTER_TEXTS_MAX];
};

_Static_assert(sizeof(struct texts_command) == COMMAND_MAX_BYTES,
               "it has the maximum size");

static const struct command_kind *list[KINDS_COUNT];
static const struct command_kinds kinds = {.list = list, .count = KINDS_COUNT};
static size_t text_offsets[LETTER_TEXTS_MAX];
static struct batch *batch;

static bool is_always_sound(const struct command *command)
{
    (void)command;
    return true;
}

static enum status apply_nothing(void *result, enum error *verdict, struct db *db,
                                 const struct caller *caller, const struct command *command)
{
    (void)db;
    (void)caller;
    *verdict = ERROR_NONE;
    memset(result, 'r', list[command->kind]->result_size);
    return STATUS_OK;
}

static const struct command_kind bare = {
    .name = "bare",
    .size = sizeof(struct command),
    .result_size = 1,
    .is_sound = is_always_sound,
    .apply = apply_nothing,
};

static const struct command_kind texts = {
    .name = "texts",
    .size = sizeof(struct texts_command),
    .texts = text_offsets,
    .text_count = LETTER_TEXTS_MAX,
    .result_size = COMMAND_RESULT_BYTES,
    .is_sound = is_always_sound,
    .apply = apply_nothing,
};

/* Lists the kinds of the program at their own numbers, then those of this file. */
static void make_kinds(void)
{
    const struct command_kinds *ours = call_command_kinds();

    for (size_t i = 0; i < ours->count; i++)
        list[i] = ours->list[i];
    for (size_t i = 0; i < LETTER_TEXTS_MAX; i++)
        text_offsets[i] = offsetof(struct texts_command, texts) + i * sizeof(struct span);
    list[KIND_BARE] = &bare;
    list[KIND_TEXTS] = &texts;
}

static void close_batch(void)
{
    batch_free(batch);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    site_make();
    make_kinds();
    batch = batch_create(site_database(), &kinds, (struct meter){NULL, 0});
    CHECK(batch != NULL);
    (void)atexit(close_batch);
    return 0;
}

/* Fills in the struct that a letter begins with and returns its length, which is that of a
 * note where there is no such kind. */
static size_t make_head(union site_room *out, unsigned char options, uint32_t number)
{
    struct note_command note;
    struct contact_command contact;
    const bool is_contact = number == call_number(&add_contacts_full_call);

    site_command(&note, (struct span){NULL, 0});
    if (options & WITH_NOTE_ID)
        site_update(&note);
    site_contact_command(&contact);
    memset(out, 0, sizeof *out);
    if (is_contact)
        memcpy(out, &contact, sizeof contact);
    else
        memcpy(out, &note, number < CALLS_MAX ? sizeof note : sizeof note.common);
    out->command.kind = number;
    if (options & WITH_KEY)
        memcpy(out->command.idempotency_key, "key", sizeof "key");
    const struct command_kind *kind = command_kind_of(&kinds, &out->command);
    return kind != NULL ? kind->size : sizeof note;
}

static struct span *text_of(struct command *command, const struct command_kind *kind,
                            size_t index)
{
    return (struct span *)((char *)command + kind->texts[index]);
}

/* Divides len bytes into the texts of the command. */
static void set_lengths(struct command *command, size_t len)
{
    const struct command_kind *kind = command_kind_of(&kinds, command);

    for (size_t i = 0; kind != NULL && i < kind->text_count; i++) {
        struct span *text = text_of(command, kind, i);
        text->len = len / (kind->text_count - i);
        len -= text->len;
    }
}

static void let_lengths_overflow(struct command *command)
{
    const struct command_kind *kind = command_kind_of(&kinds, command);
    size_t count = kind != NULL ? kind->text_count : 0;

    if (count > 0)
        text_of(command, kind, 0)->len += SIZE_MAX / 2 + 1;
    if (count > 1)
        text_of(command, kind, count - 1)->len -= SIZE_MAX / 2 + 1;
}

/* Allocates exactly the bytes of the letter: the sanitizers see any read behind it. */
static struct span join(const void *head, size_t head_len, struct span body)
{
    char *letter = malloc(head_len + body.len);

    CHECK(letter != NULL);
    if (head_len > 0)
        memcpy(letter, head, head_len);
    if (body.len > 0)
        memcpy(letter + head_len, body.data, body.len);
    return (struct span){letter, head_len + body.len};
}

static struct span changed_letter(const uint8_t *data, size_t size)
{
    const uint8_t *changes = data + HEAD_BYTES;
    size_t room = (size - HEAD_BYTES) / CHANGE_BYTES;
    size_t count = data[2] <= room ? data[2] : 0;
    const uint8_t *rest = changes + count * CHANGE_BYTES;
    const struct span body = {(const char *)rest, (size_t)(data + size - rest)};
    union site_room head;

    size_t head_len = make_head(&head, data[0], (uint32_t)(int8_t)data[1]);
    set_lengths(&head.command, body.len);
    if (data[0] & WITH_OVERFLOW)
        let_lengths_overflow(&head.command);
    for (size_t i = 0; i < count; i++, changes += CHANGE_BYTES) {
        size_t offset = (size_t)changes[0] << 8 | changes[1];
        head.bytes[offset % head_len] = (char)changes[2];
    }
    return join(head.bytes, head_len, body);
}

static struct span make_letter(const uint8_t *data, size_t size)
{
    if (size >= HEAD_BYTES && data[0] % 2 == 1)
        return changed_letter(data, size);
    return join(data + (size > 0), size - (size > 0), (struct span){NULL, 0});
}

/* The texts must stand one behind the other and fill the letter behind the struct. */
static void check_texts(struct command *command, const struct command_kind *kind,
                        struct span letter)
{
    const char *at = letter.data + kind->size;

    for (size_t i = 0; i < kind->text_count; i++) {
        const struct span *text = text_of(command, kind, i);
        CHECK(text->data == at && text->len <= letter.len && utf8_valid(*text));
        at += text->len;
    }
    CHECK(at == letter.data + letter.len);
    CHECK(at - (letter.data + kind->size) <= TEXT_MAX_BYTES);
}

static void commit(struct batch_item *item)
{
    const struct command *command = item->command;
    const struct site_count before = site_count();

    batch_commit(batch, item, 1, TIMEOUT_MS);
    bool stored = item->status == STATUS_OK && !item->result.replayed;
    site_check_written(&before, command, stored ? &item->result : NULL);
    CHECK(item->status != STATUS_OK || site_may_write(&command->credentials));
    CHECK((item->status == STATUS_REFUSED) == (item->result.refusal != ERROR_NONE));
    CHECK(item->status != STATUS_UNKNOWN && item->status != STATUS_BUSY);
}

/* A command with an idempotency key is carried out twice: the result must be the same. */
static void check_commit(const struct command *command)
{
    struct batch_item first = {.command = command}, second = first;

    commit(&first);
    CHECK(!first.result.replayed);
    if (first.status != STATUS_OK || command->idempotency_key[0] == '\0')
        return;
    commit(&second);
    CHECK(second.status == STATUS_OK && second.result.replayed);
    CHECK(memcmp(second.result.value, first.result.value, COMMAND_RESULT_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span letter = make_letter(data, size);
    union site_room room;

    site_tidy();
    if (letter_read(&room.command, &kinds, letter, TEXT_MAX_BYTES) == STATUS_OK) {
        const struct command_kind *kind = command_kind_of(&kinds, &room.command);
        CHECK(kind != NULL);
        check_texts(&room.command, kind, letter);
        check_commit(&room.command);
    }
    free((char *)letter.data);
    return 0;
}
