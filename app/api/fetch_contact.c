#include "app/api/fetch_contact.h"

#include "app/api/common_fields.h"
#include "app/api/contact_answer.h"
#include "app/store/contact_facts.h"

enum {
    NOTES_LIMIT = 100, /* how many notes are answered where the caller does not say it */
    NOTES_LIMIT_MAX = 1000,
};

struct input {
    struct given_id org_id, member_id, contact_id, notes_after;
    enum given_flag notes, entity, profile, signals;
    int64_t notes_limit;
};

#define INPUT(member) .offset = offsetof(struct input, member)
#define INCLUDE(what, member)                                                              \
    .name = "include_" what, .type = FIELD_FLAG, INPUT(member),                            \
    .invalid = "Invalid include_" what, .fallback = "0"

static const struct field fields[] = {
    {FIELD_ORG, INPUT(org_id)},
    {FIELD_MEMBER, INPUT(member_id), .description = "The UUID of the member who reads."},
    {FIELD_CONTACT, INPUT(contact_id), .description = "The UUID of the contact."},
    {INCLUDE("notes", notes),
     .description = "1: with the notes that the member may see, the newest first.",
     .example = "1"},
    {INCLUDE("entity", entity), .description = "1: with the company.", .example = "1"},
    {INCLUDE("profile", profile), .description = "1: with `profile`, which is empty.",
     .example = "0"},
    {INCLUDE("signals", signals), .description = "1: with `signals`, which is empty.",
     .example = "0"},
    {.name = "notes_limit",
     .type = FIELD_INTEGER,
     .ours = true,
     .min = 1,
     .max = NOTES_LIMIT_MAX,
     .initial = NOTES_LIMIT,
     INPUT(notes_limit),
     .invalid = "Invalid notes_limit",
     .description = "At most so many notes; fewer where their texts exceed 1 MiB.",
     .fallback = "100",
     .example = "20"},
    {.name = "notes_after",
     .type = FIELD_ID,
     .ours = true,
     INPUT(notes_after),
     .invalid = "Invalid notes_after",
     .description = "`notes_next` of the answer before: the notes that follow it.",
     .example = EXAMPLE_NOTE_ID},
};

static const struct field answer[] = {
    {CONTACT_ANSWER_CONTACT},
    {CONTACT_ANSWER_NOTES, CONTACT_ANSWER_SHOWN_BY(notes_shown),
     .description =
         "With `include_notes`: the notes that the member may see, the newest first."},
    {.name = "notes_next",
     .type = FIELD_ID,
     .nullable = true,
     .ours = true,
     .offset = offsetof(struct contact_answer, notes_next),
     CONTACT_ANSWER_SHOWN_BY(notes_shown),
     .description =
         "With `include_notes`: what to send as `notes_after` for the notes that "
         "follow; null: there are no more.",
     .example = "null"},
    {CONTACT_ANSWER_ENTITY, CONTACT_ANSWER_SHOWN_BY(entity_shown)},
    {CONTACT_ANSWER_PROFILE, CONTACT_ANSWER_SHOWN_BY(profile_shown)},
    {CONTACT_ANSWER_SIGNALS, CONTACT_ANSWER_SHOWN_BY(signals_shown)},
};

static const struct call_error errors[] = {
    {.error = ERROR_MEMBER_NOT_FOUND},
    {.error = ERROR_NOT_FOUND},
    {.error = ERROR_WRONG_ORG},
    {.error = ERROR_INVALID_CURSOR},
};

static enum status add_notes(struct contact_answer *out, enum error *refusal,
                             const struct reading *reading, const struct input *input)
{
    const struct note_viewer viewer = {.member = &input->member_id.uuid};
    const struct uuid *after = input->notes_after.given ? &input->notes_after.uuid : NULL;
    enum status status =
        contact_answer_add_notes(out, reading, &viewer, (size_t)input->notes_limit, after);

    if (status == STATUS_INVALID)
        *refusal = ERROR_INVALID_CURSOR;
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status fetch(void *answer_struct, enum error *refusal,
                         const struct reading *reading, const void *from)
{
    const struct input *input = from;
    struct contact_answer *out = answer_struct;
    struct contact_facts facts;
    enum status status = contact_facts_read(
        &facts, &out->copy, reading->db, reading->caller, &input->member_id,
        &input->contact_id, reading->settings->uniform_errors);

    if (status != STATUS_OK)
        return status;
    *refusal = contact_judge_use(&facts, reading->caller, &input->org_id, true);
    if (*refusal != ERROR_NONE)
        return STATUS_OK;
    out->notes_shown = input->notes == FLAG_ON;
    out->entity_shown = input->entity == FLAG_ON;
    out->profile_shown = input->profile == FLAG_ON;
    out->signals_shown = input->signals == FLAG_ON;
    contact_answer_complete(out);
    return out->notes_shown ? add_notes(out, refusal, reading, input) : STATUS_OK;
}

static enum status explain(enum reason *reason, enum error refusal,
                           const struct reading *reading, const void *from)
{
    const struct input *input = from;

    return contact_reason_read(reason, refusal, reading->db, reading->caller,
                               &input->org_id, &input->contact_id);
}

const struct call fetch_contact_call = {
    .method = "POST",
    .path = "/apis/v2/public/crm/fetchContact",
    .name = "fetchContact",
    .title = "Fetch Contact",
    .summary = "A contact and, where they are asked for, its notes and its company. Of the "
               "notes a member sees those that they wrote, and those of others with "
               "`note_visibility` 1.",
    .credentials = CREDENTIALS_BOTH,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .input_size = sizeof(struct input),
    .answer_size = sizeof(struct contact_answer),
    .read = fetch,
    .explain = explain,
};
