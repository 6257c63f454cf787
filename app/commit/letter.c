#include "app/commit/letter.h"

#include <string.h>

size_t letter_max_bytes(size_t max_note_bytes)
{
    return sizeof(struct note_command) + max_note_bytes;
}

static bool is_terminated(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* A bool that holds anything else must not even be looked at as one. */
static bool is_truth_value(const bool *flag)
{
    return *(const unsigned char *)flag <= 1;
}

static bool is_sound_id(const struct given_id *id)
{
    return is_truth_value(&id->given) && is_truth_value(&id->is_uuid);
}

static bool is_sound_flag(enum given_flag flag)
{
    return flag == FLAG_NOT_SENT || flag == FLAG_OFF || flag == FLAG_ON;
}

static bool are_sound_credentials(const struct credentials *credentials)
{
    return is_truth_value(&credentials->has_api_key) &&
           is_truth_value(&credentials->has_secret) &&
           (credentials->address.family == ADDRESS_NONE ||
            address_bytes(&credentials->address) > 0);
}

static bool are_sound_tags(const struct geo_tags *tags)
{
    return is_terminated(tags->country, sizeof tags->country) &&
           is_terminated(tags->city, sizeof tags->city) &&
           is_terminated(tags->network, sizeof tags->network);
}

static bool is_sound(const struct note_command *c)
{
    return are_sound_credentials(&c->credentials) && is_sound_id(&c->org_id) &&
           is_sound_id(&c->member_id) && is_sound_id(&c->contact_id) &&
           is_sound_id(&c->note_id) && is_truth_value(&c->uniform_errors) &&
           is_sound_flag(c->editable) && is_sound_flag(c->visible) && c->now_ms >= 0 &&
           are_sound_tags(&c->tags) && is_terminated(c->request_id, sizeof c->request_id) &&
           is_terminated(c->idempotency_key, sizeof c->idempotency_key);
}

enum status letter_read(struct note_command *out, struct span letter)
{
    if (letter.len < sizeof *out)
        return STATUS_INVALID;
    memcpy(out, letter.data, sizeof *out);
    if (out->content.len != letter.len - sizeof *out)
        return STATUS_INVALID;
    out->content.data = letter.data + sizeof *out;
    return is_sound(out) ? STATUS_OK : STATUS_INVALID;
}
