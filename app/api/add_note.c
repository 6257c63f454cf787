#include "app/api/add_note.h"

#include <string.h>

#include "app/api/common_fields.h"
#include "app/meter.h"
#include "app/rules/note_rules.h"
#include "app/store/note_facts.h"
#include "app/store/note_write.h"

static const struct field fields[] = {
    {FIELD_ORG, .offset = offsetof(struct note_command, org_id)},
    {FIELD_MEMBER, .offset = offsetof(struct note_command, member_id),
     .description = "The UUID of the member who writes. Must be the contact's owner."},
    {FIELD_CONTACT, .offset = offsetof(struct note_command, contact_id),
     .description = "The UUID of the contact to add the note to."},
    {.name = "note",
     .type = FIELD_TEXT,
     .required = true,
     .offset = offsetof(struct note_command, content),
     FIELD_SETTING(max_note_bytes),
     .missing = "Missing note",
     .invalid = "Invalid note",
     .description = "The text of the note. White space alone is no note.",
     .example = EXAMPLE_NOTE},
    {.name = "note_id",
     .type = FIELD_ID,
     .offset = offsetof(struct note_command, note_id),
     .invalid = "Invalid note ID",
     .description = "The note to update. Absent or empty: a new note is created.",
     .example = EXAMPLE_NOTE_ID},
    {.name = "note_visibility",
     .type = FIELD_FLAG,
     .offset = offsetof(struct note_command, visible),
     .invalid = "Invalid note_visibility",
     .description = "1: visible to other members; 0: private to its author.",
     .fallback = "0",
     .example = "1"},
    {.name = "note_editable",
     .type = FIELD_FLAG,
     .offset = offsetof(struct note_command, editable),
     .invalid = "Invalid note_editable",
     .description = "1: other members may update it; 0: only its author.",
     .fallback = "0",
     .example = "0"},
};

/* The answer; content points into the command. */
struct answer {
    struct uuid note_id, contact_id;
    struct span content;
    uint8_t editable, visible;
};

static const struct field answer[] = {
    {.name = "note_id",
     .type = FIELD_ID,
     .offset = offsetof(struct answer, note_id),
     .description = "The note, new or updated.",
     .example = EXAMPLE_NOTE_ID},
    {.name = "contact_id",
     .type = FIELD_ID,
     .offset = offsetof(struct answer, contact_id),
     .description = "Its contact.",
     .example = EXAMPLE_CONTACT},
    {.name = "note_content",
     .type = FIELD_TEXT,
     .offset = offsetof(struct answer, content),
     .description = "The text as it is stored.",
     .example = EXAMPLE_NOTE},
    {.name = "note_editable",
     .type = FIELD_FLAG,
     .offset = offsetof(struct answer, editable),
     .description = "Whether other members may update it.",
     .example = "0"},
    {.name = "note_visibility",
     .type = FIELD_FLAG,
     .offset = offsetof(struct answer, visible),
     .description = "Whether other members see it.",
     .example = "1"},
};

static const struct call_error errors[] = {
    {.error = ERROR_NOT_FOUND},
    {.error = ERROR_WRONG_ORG,
     .message = "You are trying to add a note to a contact that does not belong to your "
                "organization"},
    {.error = ERROR_NOT_OWNER,
     .message = "The API only supports notes being added by the member that owns the "
                "contact."},
    {.error = ERROR_NOTE_NOT_FOUND},
    {.error = ERROR_NOTE_NOT_EDITABLE},
    {.error = ERROR_UNAVAILABLE, .message = "The note was not stored. Try again."},
};

static const struct note_command *command_of(const struct command *command)
{
    return (const struct note_command *)command;
}

static bool is_sound(const struct command *command)
{
    const struct note_command *c = command_of(command);

    return given_id_is_sound(&c->org_id) && given_id_is_sound(&c->member_id) &&
           given_id_is_sound(&c->contact_id) && given_id_is_sound(&c->note_id) &&
           given_flag_is_sound(c->editable) && given_flag_is_sound(c->visible);
}

static void fingerprint(struct secret_hash *out, const struct command *command)
{
    note_fingerprint(out, command_of(command));
}

static enum status read_and_judge(struct note_facts *facts, enum error *verdict,
                                  struct db *db, const struct caller *caller,
                                  const struct note_command *command)
{
    const bool uniform = command->common.uniform_errors;
    enum status status =
        note_facts_read(facts, db, command, uniform ? &caller->org_id : NULL);

    if (status == STATUS_OK)
        *verdict = note_judge(facts, caller, command);
    return status;
}

static enum status judge(enum error *verdict, struct db *db, const struct caller *caller,
                         const struct command *command)
{
    struct note_facts facts;

    return read_and_judge(&facts, verdict, db, caller, command_of(command));
}

static enum status apply(void *result, enum error *verdict, struct db *db,
                         const struct caller *caller, const struct command *command)
{
    const struct note_command *c = command_of(command);
    struct note_facts facts;
    enum status status = read_and_judge(&facts, verdict, db, caller, c);

    if (status != STATUS_OK || *verdict != ERROR_NONE)
        return status;
    const struct note_result outcome = note_outcome(&facts, c);
    memcpy(result, &outcome, sizeof outcome);
    return c->note_id.given ? note_update(db, facts.note_number, &outcome, caller, c)
                            : note_create(db, facts.contact_number, &outcome, caller, c);
}

static int counted_as(const struct command *command)
{
    return command_of(command)->note_id.given ? METER_NOTES_UPDATED : METER_NOTES_CREATED;
}

static enum status explain(enum reason *reason, enum error refusal,
                           const struct reading *reading, const void *input)
{
    const struct note_command *command = input;
    struct note_facts facts = {.contact_found = false};
    struct note_existence existence;
    enum error verdict = refusal;
    enum status status = note_existence_read(&existence, reading->db, command);

    if (status == STATUS_OK && refusal != ERROR_NOT_FOUND)
        status = read_and_judge(&facts, &verdict, reading->db, reading->caller, command);
    if (status == STATUS_OK && verdict == refusal)
        *reason = note_reason(refusal, &facts, &existence, reading->caller, command);
    return status;
}

static void present(void *out, const struct command *command, const void *result)
{
    const struct note_command *c = command_of(command);
    struct note_result r;

    memcpy(&r, result, sizeof r);
    *(struct answer *)out = (struct answer){
        .note_id = r.note_id,
        .contact_id = c->contact_id.uuid,
        .content = c->content,
        .editable = r.editable,
        .visible = r.visible,
    };
}

static const size_t texts[] = {offsetof(struct note_command, content)};

static const struct command_kind kind = {
    .name = "add_note",
    .size = sizeof(struct note_command),
    .texts = texts,
    .text_count = sizeof texts / sizeof texts[0],
    .result_size = sizeof(struct note_result),
    .counted_as = counted_as,
    .is_sound = is_sound,
    .fingerprint = fingerprint,
    .judge = judge,
    .apply = apply,
};

const struct call add_note_call = {
    .method = "POST",
    .path = "/apis/v2/public/crm/addNotestoContact",
    .name = "addNotestoContact",
    .title = "Add Notes to Contact",
    .summary =
        "Creates a new note on a contact or updates an existing note. Notes can only "
        "be added by the member who owns the contact.",
    .credentials = CREDENTIALS_BOTH,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .input_size = sizeof(struct note_command),
    .answer_size = sizeof(struct answer),
    .command = &kind,
    .explain = explain,
    .present = present,
};
