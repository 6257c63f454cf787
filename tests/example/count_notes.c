#include "tests/example/count_notes.h"

#include "app/rules/given.h"
#include "tests/example/example_store.h"

enum whose { ALL, MINE };

struct input {
    struct given_id contact_id;
    int whose; /* enum whose; -1: not sent */
    int64_t newest;
};

struct answer {
    struct uuid contact_id, newest_id;
    int64_t count;
    int whose;
    struct field_list newest;
};

static const char *const words[] = {[ALL] = "all", [MINE] = "mine", NULL};

static const struct field fields[] = {
    {.name = "contact_id",
     .type = FIELD_ID,
     .required = true,
     .offset = offsetof(struct input, contact_id),
     .missing = "Missing contact ID",
     .invalid = "Invalid contact ID",
     .description = "The contact.",
     .example = "\"…\""},
    {.name = "whose",
     .type = FIELD_WORD,
     .words = words,
     .offset = offsetof(struct input, whose),
     .invalid = "Invalid whose",
     .description = "Which notes.",
     .fallback = "\"all\"",
     .example = "\"mine\""},
    {.name = "newest",
     .type = FIELD_INTEGER,
     .min = 0,
     .max = 3,
     .initial = 2,
     .offset = offsetof(struct input, newest),
     .invalid = "Invalid newest",
     .description = "How many of the newest to name.",
     .fallback = "2",
     .example = "1"},
};

static const struct field note[] = {
    {.name = "note_id", .type = FIELD_ID, .offset = 0, .example = "\"…\""},
};

static const struct field answer[] = {
    {.name = "contact_id", .type = FIELD_ID, .offset = offsetof(struct answer, contact_id)},
    {.name = "count", .type = FIELD_INTEGER, .offset = offsetof(struct answer, count)},
    {.name = "whose",
     .type = FIELD_WORD,
     .words = words,
     .offset = offsetof(struct answer, whose)},
    {.name = "newest_id",
     .type = FIELD_ID,
     .nullable = true,
     .offset = offsetof(struct answer, newest_id)},
    {.name = "newest",
     .type = FIELD_LIST,
     .offset = offsetof(struct answer, newest),
     .fields = note,
     .field_count = 1},
};

static const struct call_error errors[] = {
    {.error = ERROR_NOT_FOUND, .message = "There is no such contact to count notes of"},
};

static enum status count_notes(void *out, enum error *refusal,
                               const struct reading *reading, const void *from)
{
    const struct input *input = from;
    struct answer *result = out;
    struct uuid *ids = arena_alloc(reading->arena, 3 * sizeof *ids);
    size_t found = 0;

    if (ids == NULL)
        return STATUS_NO_MEMORY;
    result->contact_id = input->contact_id.uuid;
    result->whose = input->whose == MINE ? MINE : ALL;
    enum status status =
        example_count_notes(&result->count, ids, (size_t)input->newest, &found, reading->db,
                            &result->contact_id, &reading->caller->org_id);
    if (status == STATUS_NOT_FOUND)
        *refusal = ERROR_NOT_FOUND;
    if (found > 0)
        result->newest_id = ids[0];
    result->newest = (struct field_list){ids, found, sizeof *ids};
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

const struct call count_notes_call = {
    .method = "POST",
    .path = "/apis/v2/public/example/countNotes",
    .name = "countNotes",
    .summary = "Counts the notes of a contact.",
    .ours = true,
    .credentials = CREDENTIALS_BOTH,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .input_size = sizeof(struct input),
    .answer_size = sizeof(struct answer),
    .read = count_notes,
};
