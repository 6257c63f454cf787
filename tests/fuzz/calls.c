/*
 * This file stands in for app/api/calls.c, which is included, under other names, only to
 * compare the number of calls.
 */
#include "tests/fuzz/calls.h"

#include <string.h>

#include "app/rules/given.h"
#include "tests/fuzz/fuzz.h"

#define calls      program_calls
#define call_count program_call_count
#include "app/api/calls.c"
#undef calls
#undef call_count

enum {
    LIMIT_MIN = -5,
    LIMIT_MAX = 20,
    LIMIT_INITIAL = 3,
    PROGRAM_DOCUMENTS = 6, /* calls of the program that answer constant bytes */
};

static const char *const words[] = {"up", "down", NULL};

struct input {
    struct given_id contact_id;
    struct span name;
    int64_t limit, from;
    int order, direction;
    enum given_flag hidden;
};

/* Of an object within an object. */
static const struct field inside_fields[] = {
    {.name = "direction",
     .type = FIELD_WORD,
     .required = true,
     .offset = offsetof(struct input, direction),
     .words = words,
     .missing = "Missing direction",
     .invalid = "Invalid direction"},
    {.name = "hidden",
     .type = FIELD_FLAG,
     .offset = offsetof(struct input, hidden),
     .invalid = "Invalid hidden"},
};

static const struct field range_fields[] = {
    {.name = "from",
     .type = FIELD_INTEGER,
     .offset = offsetof(struct input, from),
     .min = INT64_MIN,
     .max = INT64_MAX,
     .invalid = "Invalid from"},
    {.name = "inside",
     .type = FIELD_OBJECT,
     .fields = inside_fields,
     .field_count = sizeof inside_fields / sizeof inside_fields[0],
     .invalid = "Invalid inside"},
};

static const struct field fields[] = {
    {.name = "contact_id",
     .type = FIELD_ID,
     .required = true,
     .offset = offsetof(struct input, contact_id),
     .missing = "Missing contact ID",
     .invalid = "Invalid contact ID"},
    {.name = "name",
     .type = FIELD_TEXT,
     .offset = offsetof(struct input, name),
     .max_bytes = 16,
     .missing = "Missing name",
     .invalid = "Invalid name"},
    {.name = "limit",
     .type = FIELD_INTEGER,
     .offset = offsetof(struct input, limit),
     .min = LIMIT_MIN,
     .max = LIMIT_MAX,
     .initial = LIMIT_INITIAL,
     .invalid = "Invalid limit"},
    {.name = "order",
     .type = FIELD_WORD,
     .offset = offsetof(struct input, order),
     .words = words,
     .invalid = "Invalid order"},
    {.name = "range",
     .type = FIELD_OBJECT,
     .fields = range_fields,
     .field_count = sizeof range_fields / sizeof range_fields[0],
     .invalid = "Invalid range"},
};

struct row {
    int64_t number;
};

struct answer {
    struct uuid contact_id;
    struct span name;
    int64_t from;
    int order;
    uint8_t hidden;
    struct field_list rows;
};

static const struct field row_fields[] = {
    {.name = "number", .type = FIELD_INTEGER, .offset = offsetof(struct row, number)},
};

static const struct field answer[] = {
    {.name = "contact_id",
     .type = FIELD_ID,
     .nullable = true,
     .offset = offsetof(struct answer, contact_id)},
    {.name = "name",
     .type = FIELD_TEXT,
     .nullable = true,
     .offset = offsetof(struct answer, name)},
    {.name = "from", .type = FIELD_INTEGER, .offset = offsetof(struct answer, from)},
    {.name = "order",
     .type = FIELD_WORD,
     .offset = offsetof(struct answer, order),
     .words = words},
    {.name = "hidden", .type = FIELD_FLAG, .offset = offsetof(struct answer, hidden)},
    {.name = "rows",
     .type = FIELD_LIST,
     .offset = offsetof(struct answer, rows),
     .fields = row_fields,
     .field_count = sizeof row_fields / sizeof row_fields[0]},
};

static const struct call_error errors[] = {{.error = ERROR_NOT_FOUND}};

/* What app/api/field.h says of fields about which there are no complaints. */
static void check_input(const struct input *input)
{
    CHECK(input->contact_id.given);
    CHECK(input->limit >= LIMIT_MIN && input->limit <= LIMIT_MAX);
    CHECK(input->order >= -1 && input->order <= 1);
    CHECK(input->direction >= -1 && input->direction <= 1);
    CHECK(input->hidden >= FLAG_NOT_SENT && input->hidden <= FLAG_ON);
    CHECK(input->name.len <= 16);
    CHECK(input->name.len == 0 || memchr(input->name.data, '\0', input->name.len) == NULL);
}

static enum status make_rows(struct field_list *out, struct arena *arena, int64_t limit)
{
    size_t count = limit > 0 ? (size_t)limit : 0;
    struct row *rows = arena_alloc(arena, (count + 1) * sizeof *rows);

    if (rows == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        rows[i] = (struct row){.number = (int64_t)i};
    *out = (struct field_list){.rows = rows, .count = count, .row_size = sizeof *rows};
    return STATUS_OK;
}

static enum status look(void *out, enum error *refusal, const struct reading *reading,
                        const void *in)
{
    const struct input *input = in;
    struct answer *a = out;

    check_input(input);
    if (!input->contact_id.is_uuid) {
        *refusal = ERROR_NOT_FOUND;
        return STATUS_OK;
    }
    a->contact_id = input->contact_id.uuid;
    a->name = input->name;
    a->from = input->from;
    a->order = input->order > 0;
    a->hidden = input->hidden == FLAG_ON;
    return make_rows(&a->rows, reading->arena, input->limit);
}

static enum status make_document(struct reply_document *out,
                                 const struct settings *settings)
{
    (void)settings;
    *out = (struct reply_document){.content_type = CALLS_DOCUMENT_TYPE,
                                   .bytes = span_of(CALLS_DOCUMENT_TEXT)};
    return STATUS_OK;
}

const struct call calls_look = {
    .method = "GET",
    .path = "/fuzz/look",
    .name = "look",
    .title = "Look",
    .summary = "Answers the fields that were sent.",
    .credentials = CREDENTIALS_SECRET,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .input_size = sizeof(struct input),
    .answer_size = sizeof(struct answer),
    .read = look,
};

const struct call calls_document = {
    .method = "GET",
    .path = "/fuzz/document",
    .name = "document",
    .title = "Document",
    .summary = "Answers a document.",
    .credentials = CREDENTIALS_NONE,
    .document = make_document,
};

const struct call *const calls[] = {
    &add_note_call,          &fetch_contact_call,     &lookup_contact_call,
    &add_contacts_full_call, &fetch_identifiers_call, &calls_look,
    &calls_document,
};

const size_t call_count = sizeof calls / sizeof calls[0];

_Static_assert(sizeof calls / sizeof calls[0] ==
                   sizeof program_calls / sizeof program_calls[0] + 2 - PROGRAM_DOCUMENTS,
               "each call of app/api/calls.c but documents must be listed here, too");
