#include "app/store/note.h"

#include "app/ctl/ctl.h"
#include "app/store/contact.h"

enum {
    CONTENT_CUT = 60, /* characters of a note in a table */
};

static const struct column origin_columns[] = {
    {"address", "ADDRESS", COLUMN_ADDRESS, OUTPUT_FIELD(note_origin, address)},
    {"country", "COUNTRY", COLUMN_TEXT, OUTPUT_FIELD(note_origin, country), .detail = true},
    {"city", "CITY", COLUMN_TEXT, OUTPUT_FIELD(note_origin, city), .detail = true},
    {"network", "NETWORK", COLUMN_TEXT, OUTPUT_FIELD(note_origin, network), .detail = true},
    {"devkey_id", "DEVELOPER KEY ID", COLUMN_UUID,
     OUTPUT_FIELD(note_origin, developer_key_id), .detail = true},
    {"request_id", "REQUEST ID", COLUMN_TEXT, OUTPUT_FIELD(note_origin, request_id),
     .detail = true},
    {.member = NULL},
};

#define NOTE_COLUMNS                                                                       \
    {"note_id", "NOTE ID", COLUMN_UUID, OUTPUT_FIELD(note, id)},                           \
        {"contact_id", "CONTACT ID", COLUMN_UUID, OUTPUT_FIELD(note, contact_id),          \
         .detail = true},                                                                  \
        {"note_author", "AUTHOR", COLUMN_UUID, OUTPUT_FIELD(note, author_id)},             \
        {"note_content", "CONTENT", COLUMN_TEXT, OUTPUT_FIELD(note, content),              \
         .cut = CONTENT_CUT},                                                              \
        {"note_editable", "EDITABLE", COLUMN_INT, OUTPUT_FIELD(note, editable)},           \
        {"note_visibility", "VISIBLE", COLUMN_INT, OUTPUT_FIELD(note, visible)},           \
        {"created_at", "CREATED", COLUMN_DATE, OUTPUT_FIELD(note, created_at_ms)},         \
        {"updated_at", "UPDATED", COLUMN_DATE, OUTPUT_FIELD(note, written_at_ms)},         \
    {                                                                                      \
        "origin", "ORIGIN", COLUMN_OBJECT, OUTPUT_FIELD(note, origin),                     \
            .inside = origin_columns                                                       \
    }

static const struct column columns[] = {NOTE_COLUMNS, {.member = NULL}};

static const struct column version_columns[] = {
    NOTE_COLUMNS,
    {"version", "VERSION", COLUMN_INT, OUTPUT_FIELD(note, version)},
    {"written_by", "WRITTEN BY", COLUMN_UUID, OUTPUT_FIELD(note, written_by)},
    {.member = NULL},
};

static enum status print(void *arg, const struct note *note)
{
    return output_row(arg, columns, note);
}

static enum status print_version(void *arg, const struct note *note)
{
    return output_row(arg, version_columns, note);
}

static enum status list(struct ctl *ctl)
{
    const struct uuid *contact_id = &ctl_get(ctl, "--contact")->uuid;
    enum status status = contact_find(ctl->db, contact_id, NULL, NULL);

    if (status != STATUS_OK)
        return manage_missing(status, "contact", contact_id, &ctl->why);
    return note_list(ctl->db, contact_id, print, ctl->output);
}

static enum status show(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;

    return manage_missing(note_find(ctl->db, id, print, ctl->output), "note", id,
                          &ctl->why);
}

static enum status history(struct ctl *ctl)
{
    const struct uuid *id = &ctl_get(ctl, "ID")->uuid;

    return manage_missing(note_history(ctl->db, id, print_version, ctl->output), "note", id,
                          &ctl->why);
}

static const struct parameter only_id[] = {
    {"ID", NULL, argument_uuid, PARAMETER_REQUIRED, .help = "the note"},
    {.name = NULL},
};

static const struct verb verbs[] = {
    {.name = "list",
     .help = "List a contact's notes, the oldest first",
     .access = CTL_READ,
     .nothing = "no notes",
     .parameters = (const struct parameter[]){{"--contact", "ID", argument_uuid,
                                               PARAMETER_REQUIRED, .help = "the contact"},
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
    {.name = NULL},
};

const struct noun noun_note = {"note", "Notes, which programs add", verbs};
