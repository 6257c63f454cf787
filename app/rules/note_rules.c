#include "app/rules/note_rules.h"

#include <string.h>

/* Checks 9 to 11. */
static enum error judge_contact(const struct note_facts *facts, const struct caller *caller,
                                const struct note_command *command)
{
    if (!facts->contact_found)
        return ERROR_NOT_FOUND;
    if (!given_id_is(&command->org_id, &facts->org_id) ||
        !uuid_equals(&facts->org_id, &caller->org_id))
        return ERROR_WRONG_ORG;
    if (!given_id_is(&command->member_id, &facts->owner_id) || !facts->owner_active)
        return ERROR_NOT_OWNER;
    return ERROR_NONE;
}

/* Checks 12 and 13. */
static enum error judge_note(const struct note_facts *facts,
                             const struct note_command *command)
{
    if (!facts->note_found)
        return ERROR_NOTE_NOT_FOUND;
    if (given_id_is(&command->member_id, &facts->author_id))
        return ERROR_NONE;
    if (!facts->visible)
        return ERROR_NOTE_NOT_FOUND;
    return facts->editable ? ERROR_NONE : ERROR_NOTE_NOT_EDITABLE;
}

enum error note_judge(const struct note_facts *facts, const struct caller *caller,
                      const struct note_command *command)
{
    enum error error = judge_contact(facts, caller, command);

    if (error == ERROR_NONE && command->note_id.given)
        error = judge_note(facts, command);
    return error;
}

static uint8_t flag_after(enum given_flag flag, uint8_t before)
{
    return flag == FLAG_NOT_SENT ? before : flag == FLAG_ON;
}

struct note_result note_outcome(const struct note_facts *facts,
                                const struct note_command *command)
{
    bool updates = command->note_id.given;

    return (struct note_result){
        .note_id = updates ? command->note_id.uuid : command->common.new_id,
        .editable = flag_after(command->editable, updates ? facts->editable : 0),
        .visible = flag_after(command->visible, updates ? facts->visible : 0),
    };
}

/* A flag that is not sent means 0 for a new note, and no change for an existing one. */
static int8_t meaning_of(enum given_flag flag, const struct note_command *command)
{
    return (int8_t)(flag == FLAG_NOT_SENT && !command->note_id.given ? FLAG_OFF : flag);
}

void note_fingerprint(struct secret_hash *out, const struct note_command *command)
{
    struct {
        struct uuid org_id, member_id, contact_id, note_id;
        struct secret_hash content;
        int8_t is_update, editable, visible;
    } fields;

    memset(&fields, 0, sizeof fields); /* the padding is hashed, too */
    fields.org_id = command->org_id.uuid;
    fields.member_id = command->member_id.uuid;
    fields.contact_id = command->contact_id.uuid;
    fields.note_id = command->note_id.uuid;
    secret_hash(&fields.content, NULL, "note content", command->content);
    fields.is_update = command->note_id.given;
    fields.editable = meaning_of(command->editable, command);
    fields.visible = meaning_of(command->visible, command);
    secret_hash(out, NULL, "note request",
                (struct span){(const char *)&fields, sizeof fields});
}
