#include "app/store/note.h"

#include "app/ctl/ctl.h"
#include "app/ctl/erase.h"
#include "app/ctl/export.h"
#include "app/ctl/find_note.h"
#include "app/ctl/import.h"
#include "app/ctl/note.h"
#include "app/store/contact.h"

enum {
    CONTENT_CUT = 60, /* characters of a note in a table */
};

static const struct column origin_columns[] = {
    {.member = "address",
     .heading = "ADDRESS",
     .type = COLUMN_ADDRESS,
     OUTPUT_FIELD(note_origin, address),
     .rank = 8},
    {.member = "country",
     .heading = "COUNTRY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(note_origin, country),
     .detail = true},
    {.member = "city",
     .heading = "CITY",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(note_origin, city),
     .detail = true},
    {.member = "network",
     .heading = "NETWORK",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(note_origin, network),
     .detail = true},
    {.member = "devkey_id",
     .heading = "DEVELOPER KEY ID",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(note_origin, developer_key_id),
     .detail = true},
    {.member = "request_id",
     .heading = "REQUEST ID",
     .type = COLUMN_TEXT,
     OUTPUT_FIELD(note_origin, request_id),
     .detail = true},
    {.member = NULL},
};

#define NOTE_COLUMNS                                                                       \
    {.member = "note_id",                                                                  \
     .heading = "NOTE ID",                                                                 \
     .type = COLUMN_UUID,                                                                  \
     OUTPUT_FIELD(note, id)},                                                              \
        {.member = "contact_id",                                                           \
         .heading = "CONTACT ID",                                                          \
         .type = COLUMN_UUID,                                                              \
         OUTPUT_FIELD(note, contact_id),                                                   \
         .detail = true},                                                                  \
        {.member = "note_author",                                                          \
         .heading = "AUTHOR",                                                              \
         .type = COLUMN_UUID,                                                              \
         OUTPUT_FIELD(note, author_id),                                                    \
         .rank = 5},                                                                       \
        {.member = "note_content",                                                         \
         .heading = "CONTENT",                                                             \
         .type = COLUMN_TEXT,                                                              \
         OUTPUT_FIELD(note, content),                                                      \
         .rank = 1,                                                                        \
         .cut = CONTENT_CUT},                                                              \
        {.member = "note_editable",                                                        \
         .heading = "EDITABLE",                                                            \
         .type = COLUMN_INT,                                                               \
         OUTPUT_FIELD(note, editable),                                                     \
         .rank = 7},                                                                       \
        {.member = "note_visibility",                                                      \
         .heading = "VISIBLE",                                                             \
         .type = COLUMN_INT,                                                               \
         OUTPUT_FIELD(note, visible),                                                      \
         .rank = 6},                                                                       \
        {.member = "created_at",                                                           \
         .heading = "CREATED",                                                             \
         .type = COLUMN_DATE,                                                              \
         OUTPUT_FIELD(note, created_at_ms),                                                \
         .rank = 4},                                                                       \
        {.member = "updated_at",                                                           \
         .heading = "UPDATED",                                                             \
         .type = COLUMN_DATE,                                                              \
         OUTPUT_FIELD(note, written_at_ms),                                                \
         .rank = 3},                                                                       \
        {.member = "erased_at",                                                            \
         .heading = "ERASED",                                                              \
         .type = COLUMN_DATE,                                                              \
         OUTPUT_FIELD(note, erased_at_ms),                                                 \
         .optional = true,                                                                 \
         .detail = true},                                                                  \
    {                                                                                      \
        .member = "origin", .heading = "ORIGIN", .type = COLUMN_OBJECT,                    \
        OUTPUT_FIELD(note, origin), .inside = origin_columns                               \
    }

static const struct column columns[] = {NOTE_COLUMNS, {.member = NULL}};

static const struct column version_columns[] = {
    NOTE_COLUMNS,
    {.member = "version",
     .heading = "VERSION",
     .type = COLUMN_INT,
     OUTPUT_FIELD(note, version),
     .rank = 1},
    {.member = "written_by",
     .heading = "WRITTEN BY",
     .type = COLUMN_UUID,
     OUTPUT_FIELD(note, written_by),
     .rank = 4},
    {.member = NULL},
};

enum status note_print(void *arg, const struct note *note)
{
    return output_row(arg, columns, note);
}

enum status note_print_version(void *arg, const struct note *note)
{
    return output_row(arg, version_columns, note);
}

/* The member of --member; else the operator. */
static struct note_viewer viewer_of(const struct ctl *ctl)
{
    const struct argument *member = ctl_get(ctl, "--member");

    return member->given ? (struct note_viewer){.member = &member->uuid} : note_operator;
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *contact_id = &ctl_get(ctl, "--contact")->uuid;
    const struct note_viewer viewer = viewer_of(ctl);
    enum status status = contact_find(ctl->db, contact_id, NULL, NULL);

    if (status != STATUS_OK)
        return manage_missing(status, "contact", contact_id, &ctl->why);
    return manage_missing(
        note_list(ctl->db, contact_id, &viewer, ctl->after, note_print, ctl->output),
        "note", ctl->after, &ctl->why);
}

static enum status show(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct note_viewer viewer = viewer_of(ctl);

    return manage_missing(note_find(ctl->db, id, &viewer, note_print, ctl->output), "note",
                          id, &ctl->why);
}

static enum status history(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;
    const struct note_viewer viewer = viewer_of(ctl);

    return manage_missing(
        note_history(ctl->db, id, &viewer, note_print_version, ctl->output), "note", id,
        &ctl->why);
}

#define PARAMETER_MEMBER                                                                   \
    .name = "--member", .value = "ID", .rule = argument_uuid,                              \
    .help = "only what this member may see"

static const struct parameter only_id[] = {
    {.name = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED, .help = "the note"},
    {PARAMETER_MEMBER},
    {.name = NULL},
};

static const struct verb verbs[] = {
    {.name = "list",
     .help = "List a contact's notes, the oldest first",
     .access = CTL_PAGES,
     .nothing = "no notes",
     .parameters = (const struct parameter[]){{.name = "--contact",
                                               .value = "ID",
                                               .rule = argument_uuid,
                                               .need = PARAMETER_REQUIRED,
                                               .help = "the contact"},
                                              {PARAMETER_MEMBER},
                                              {PARAMETER_LIMIT},
                                              {PARAMETER_AFTER},
                                              {.name = NULL}},
     .run = list},
    {.name = "show",
     .help = "Show a note and where it came from",
     .access = CTL_READ,
     .one = true,
     .parameters = only_id,
     .run = show},
    {.name = "history",
     .help = "List all versions of a note, the oldest first and the present one last",
     .access = CTL_READ,
     .nothing = "no versions",
     .parameters = only_id,
     .run = history},
    {ERASE_VERB, .help = "Erase the texts and origins of all versions of a note",
     .more = ERASE_MORE, .run = erase_run_note},
    {.name = "find",
     .help = "Find notes by what is given of them, the one stored last first",
     .more = "What is given must hold for the present version of a note. A word may be any "
             "part "
             "of the\ntext, without regard to case; one with blanks in quotes is found as "
             "it is. "
             "With --contact\nthe notes of the contact are read, with --since or --until "
             "those of "
             "that time, and without\nthem all notes, which takes seconds where there are "
             "millions. Writers are not held up.",
     .access = CTL_PAGES,
     .nothing = "no notes",
     .parameters = find_note_parameters,
     .run = find_note_run},
    IMPORT_NOTES_VERB,
    EXPORT_NOTES_VERB,
    {.name = NULL},
};

const struct noun noun_note = {"note", "Notes, which programs add", verbs};
