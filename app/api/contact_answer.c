#include "app/api/contact_answer.h"

#include <string.h>

#include "app/api/common_fields.h"
#include "lib/json_writer.h"

#define CONTACT(member) .offset = offsetof(struct contact_answer, copy.contact.member)
#define TEXT(text)      .type = FIELD_TEXT, .nullable = true, CONTACT(texts[CONTACT_##text])
#define NOTE(member)    .offset = offsetof(struct note_read, member)

const struct field contact_answer_contact[CONTACT_ANSWER_FIELDS] = {
    {.name = "contact_id",
     .type = FIELD_ID,
     CONTACT(id),
     .description = "Its id.",
     .example = EXAMPLE_CONTACT},
    {.name = "contact_owner",
     .type = FIELD_ID,
     CONTACT(owner_id),
     .description = "The member who owns it and adds its notes.",
     .example = EXAMPLE_MEMBER},
    {.name = "contact_name",
     TEXT(NAME),
     .description = "The name as people read it.",
     .example = "\"Grace Hopper\""},
    {.name = "first_name",
     TEXT(FIRST_NAME),
     .description = "First name.",
     .example = "\"Grace\""},
    {.name = "last_name",
     TEXT(LAST_NAME),
     .description = "Last name.",
     .example = "\"Hopper\""},
    {.name = "role_label",
     TEXT(ROLE_LABEL),
     .description = "What the contact does.",
     .example = "\"Head of Engineering\""},
    {.name = "primary_email",
     TEXT(PRIMARY_EMAIL),
     .description = "E-mail address.",
     .example = "\"grace@example.com\""},
    {.name = "secondary_email",
     TEXT(SECONDARY_EMAIL),
     .description = "Another e-mail address.",
     .example = "null"},
    {.name = "primary_phone",
     TEXT(PRIMARY_PHONE),
     .description = "Telephone number.",
     .example = "\"+1 212 555 0100\""},
    {.name = "secondary_phone",
     TEXT(SECONDARY_PHONE),
     .description = "Another telephone number.",
     .example = "null"},
    {.name = "entity_name",
     .type = FIELD_TEXT,
     .nullable = true,
     CONTACT(entity_name),
     .description = "The company's name.",
     .example = "\"Example Ltd\""},
    {.name = "created_at",
     .type = FIELD_TIME,
     CONTACT(created_at_ms),
     .description = "When it was added.",
     .example = "\"2026-01-15T09:30:00.000Z\""},
    {.name = "updated_at",
     .type = FIELD_TIME,
     CONTACT(updated_at_ms),
     .description = "When it was changed last.",
     .example = "\"2026-02-01T14:05:12.345Z\""},
};

const struct field contact_answer_entity[ENTITY_ANSWER_FIELDS] = {
    {.name = "entity_name",
     .type = FIELD_TEXT,
     CONTACT(entity_name),
     .description = "The company's name.",
     .example = "\"Example Ltd\""},
    {.name = "website",
     .type = FIELD_TEXT,
     .nullable = true,
     CONTACT(entity_website),
     .description = "Its website.",
     .example = "\"https://www.example.com\""},
};

const struct field contact_answer_note[NOTE_ANSWER_FIELDS] = {
    {.name = "note_id",
     .type = FIELD_ID,
     NOTE(id),
     .description = "The note.",
     .example = EXAMPLE_NOTE_ID},
    {.name = "contact_id",
     .type = FIELD_ID,
     NOTE(contact_id),
     .description = "Its contact.",
     .example = EXAMPLE_CONTACT},
    {.name = "note_author",
     .type = FIELD_ID,
     NOTE(author_id),
     .description = "The member who added it.",
     .example = EXAMPLE_MEMBER},
    {.name = "note_content",
     .type = FIELD_TEXT,
     NOTE(content),
     .description = "The text.",
     .example = EXAMPLE_NOTE},
    {.name = "note_editable",
     .type = FIELD_FLAG,
     NOTE(editable),
     .description = "Whether other members may update it.",
     .example = "0"},
    {.name = "note_visibility",
     .type = FIELD_FLAG,
     NOTE(visible),
     .description = "Whether other members see it.",
     .example = "1"},
    {.name = "created_at",
     .type = FIELD_TIME,
     NOTE(created_at_ms),
     .description = "When it was added.",
     .example = "\"2026-02-01T14:05:12.345Z\""},
    {.name = "updated_at",
     .type = FIELD_TIME,
     NOTE(written_at_ms),
     .description = "When its present version was written.",
     .example = "\"2026-02-01T14:05:12.345Z\""},
};

/* Notes that are being collected. */
struct collection {
    struct note_read *notes;
    size_t count, limit, bytes;
    bool more;
    struct arena *arena;
};

/* One note more than fits tells that there are more. */
static enum status collect(void *arg, const struct note_read *note)
{
    struct collection *collection = arg;

    if (collection->count == collection->limit || collection->bytes > NOTES_MAX_BYTES) {
        collection->more = true;
        return STATUS_NOT_FOUND;
    }
    char *content = arena_alloc(collection->arena, note->content.len);
    if (content == NULL)
        return STATUS_NO_MEMORY;
    if (note->content.len > 0)
        memcpy(content, note->content.data, note->content.len);
    struct note_read *kept = &collection->notes[collection->count++];
    *kept = *note;
    kept->content.data = content;
    collection->bytes += json_string_bytes(note->content);
    return STATUS_OK;
}

enum status contact_answer_add_notes(struct contact_answer *out,
                                     const struct reading *reading,
                                     const struct note_viewer *viewer, size_t limit,
                                     const struct uuid *after)
{
    const struct note_page page = {
        .contact = out->copy.contact.number,
        .contact_id = out->copy.contact.id,
        .after = after,
        .viewer = *viewer,
    };
    struct collection collection = {.limit = limit, .arena = reading->arena};

    collection.notes = arena_alloc(reading->arena, limit * sizeof *collection.notes);
    if (collection.notes == NULL)
        return STATUS_NO_MEMORY;
    enum status status = note_page_read(reading->db, &page, collect, &collection);
    out->notes =
        (struct field_list){collection.notes, collection.count, sizeof *collection.notes};
    if (collection.more)
        out->notes_next = collection.notes[collection.count - 1].id;
    return status;
}

static void null_if_empty(struct span *text)
{
    if (text->len == 0)
        text->data = NULL;
}

void contact_answer_complete(struct contact_answer *out)
{
    static const struct uuid none;
    struct contact *contact = &out->copy.contact;

    for (int i = 0; i < CONTACT_TEXTS; i++)
        null_if_empty(&contact->texts[i]);
    null_if_empty(&contact->entity_name);
    null_if_empty(&contact->entity_website);
    out->has_entity = !uuid_equals(&contact->entity_id, &none);
}
