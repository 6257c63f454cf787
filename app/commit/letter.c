#include "app/commit/letter.h"

#include <assert.h>
#include <string.h>

#include "app/rules/given.h"
#include "lib/utf8.h"

size_t letter_max_bytes(size_t max_text_bytes)
{
    return COMMAND_MAX_BYTES + max_text_bytes;
}

size_t letter_max_text_bytes(const struct mailboxes *boxes)
{
    return mailboxes_letter_bytes(boxes) - COMMAND_MAX_BYTES;
}

static struct span *text_of(struct command *command, size_t offset)
{
    return (struct span *)((char *)command + offset);
}

enum status letter_post(struct mailboxes *boxes, size_t client, size_t box,
                        const struct command_kind *kind, const struct command *command)
{
    struct span parts[1 + LETTER_TEXTS_MAX] = {{(const char *)command, kind->size}};

    assert(kind->text_count <= LETTER_TEXTS_MAX);
    for (size_t i = 0; i < kind->text_count; i++)
        parts[1 + i] = *(const struct span *)((const char *)command + kind->texts[i]);
    return mailbox_post(boxes, client, box, parts, 1 + kind->text_count);
}

/* No command is as short. */
enum status letter_post_probe(struct mailboxes *boxes, size_t client, size_t box)
{
    const struct span probe = SPAN("?");

    return mailbox_post(boxes, client, box, &probe, 1);
}

bool letter_is_probe(struct span letter)
{
    return letter.len == 1;
}

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

static bool are_sound_credentials(const struct credentials *credentials)
{
    return given_bool_is_sound(&credentials->has_api_key) &&
           given_bool_is_sound(&credentials->has_secret) &&
           (credentials->address.family == ADDRESS_NONE ||
            address_bytes(&credentials->address) > 0);
}

static bool are_sound_tags(const struct geo_tags *tags)
{
    return is_terminated(tags->country, sizeof tags->country) &&
           is_terminated(tags->city, sizeof tags->city) &&
           is_terminated(tags->network, sizeof tags->network);
}

static bool is_sound(const struct command *c)
{
    return are_sound_credentials(&c->credentials) &&
           given_bool_is_sound(&c->uniform_errors) && c->now_ms >= 0 &&
           are_sound_tags(&c->tags) && is_terminated(c->request_id, sizeof c->request_id) &&
           is_terminated(c->idempotency_key, sizeof c->idempotency_key);
}

static bool is_sound_text(struct span text)
{
    return utf8_valid(text) && (text.len == 0 || memchr(text.data, '\0', text.len) == NULL);
}

/* Makes the command's texts point at their bytes. False: the lengths do not agree, or a
 * text is not sound. */
static bool place_texts(struct command *command, const struct command_kind *kind,
                        struct span bytes)
{
    for (size_t i = 0; i < kind->text_count; i++) {
        struct span *text = text_of(command, kind->texts[i]);
        if (text->len > bytes.len)
            return false;
        text->data = bytes.data;
        if (!is_sound_text(*text))
            return false;
        bytes.data += text->len;
        bytes.len -= text->len;
    }
    return bytes.len == 0;
}

enum status letter_read(struct command *out, const struct command_kinds *kinds,
                        struct span letter, size_t max_text_bytes)
{
    if (letter.len < sizeof *out)
        return STATUS_INVALID;
    memcpy(out, letter.data, sizeof *out);
    const struct command_kind *kind = command_kind_of(kinds, out);
    if (kind == NULL || letter.len < kind->size)
        return STATUS_INVALID;
    assert(kind->size >= sizeof *out && kind->size <= COMMAND_MAX_BYTES);
    /* the common part was copied before, because shared memory may have changed since */
    memcpy((char *)out + sizeof *out, letter.data + sizeof *out, kind->size - sizeof *out);
    const struct span texts = {letter.data + kind->size, letter.len - kind->size};
    if (texts.len > max_text_bytes || !place_texts(out, kind, texts))
        return STATUS_INVALID;
    return is_sound(out) && kind->is_sound(out) ? STATUS_OK : STATUS_INVALID;
}
