#include "app/api/lookup_contact.h"

#include "app/api/common_fields.h"
#include "app/api/contact_answer.h"
#include "app/store/contact_facts.h"
#include "app/store/contact_index.h"

enum {
    NOTES_LIMIT = 100,
};

struct input {
    struct given_id org_id;
    struct span search_string;
};

static const struct field fields[] = {
    {FIELD_ORG, .offset = offsetof(struct input, org_id)},
    {.name = "search_string",
     .type = FIELD_TEXT,
     .required = true,
     .offset = offsetof(struct input, search_string),
     .max_bytes = CONTACT_QUERY_MAX_BYTES,
     .missing = "Missing search string",
     .invalid = "Invalid search string",
     .description =
         "What is known of the contact: its id, or a name, role, e-mail address, "
         "telephone number or company, or at least 3 characters of one of these. "
         "Case does not matter, and of telephone numbers only the digits.",
     .example = "\"grace@example.com\""},
};

static const struct field answer[] = {
    {CONTACT_ANSWER_NOTES,
     .description =
         "The contact's notes with `note_visibility` 1, the newest first, at most "
         "100; fewer where their texts exceed 1 MiB."},
    {CONTACT_ANSWER_CONTACT},
    {CONTACT_ANSWER_ENTITY},
    {CONTACT_ANSWER_PROFILE},
    {CONTACT_ANSWER_SIGNALS},
};

static const struct call_error errors[] = {
    {.error = ERROR_WRONG_ORG,
     .when = "`org_id` is not the organization of the API key.",
     .remedy = "See that `org_id` and `api_key` belong together."},
    /* whoever searches sees all contacts of the organization, and no others */
    {.error = ERROR_NOT_FOUND,
     .when = "No contact fits.",
     .remedy = "Search for less.",
     .is_no_guess = true},
};

/* Copies the first contact that is found, and wants no more. */
static enum status keep_first(void *arg, const struct contact *contact)
{
    enum status status = contact_keep(arg, contact);

    return status == STATUS_OK ? STATUS_NOT_FOUND : status;
}

static enum status find(struct contact_answer *out, enum error *refusal,
                        const struct reading *reading, struct span text)
{
    enum status status = contact_index_search(reading->db, &reading->caller->org_id, text,
                                              keep_first, &out->copy);

    if (status == STATUS_OK && out->copy.contact.number == 0)
        *refusal = ERROR_NOT_FOUND;
    return status;
}

static enum status look_up(void *answer_struct, enum error *refusal,
                           const struct reading *reading, const void *from)
{
    static const struct note_viewer everybody;
    const struct input *input = from;
    struct contact_answer *out = answer_struct;

    if (!given_id_is(&input->org_id, &reading->caller->org_id))
        *refusal = ERROR_WRONG_ORG;
    if (*refusal != ERROR_NONE)
        return STATUS_OK;
    enum status status = find(out, refusal, reading, input->search_string);
    if (status != STATUS_OK || *refusal != ERROR_NONE)
        return status;
    contact_answer_complete(out);
    return contact_answer_add_notes(out, reading, &everybody, NOTES_LIMIT, NULL);
}

static enum status explain(enum reason *reason, enum error refusal,
                           const struct reading *reading, const void *from)
{
    const struct input *input = from;
    const struct given_id none = {.given = false};

    *reason = contact_reason(refusal, false, reading->caller, &input->org_id, &none);
    return STATUS_OK;
}

const struct call lookup_contact_call = {
    .method = "POST",
    .path = "/apis/v2/public/crm/lookupContact",
    .name = "lookupContact",
    .title = "Lookup Contact",
    .summary = "The contact that fits a text best: by its whole id, else by a whole e-mail "
               "address, a whole telephone number, the whole name, or any part; among "
               "equals the one changed last. With it come its company and the notes that "
               "all members see.",
    .credentials = CREDENTIALS_BOTH,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .input_size = sizeof(struct input),
    .answer_size = sizeof(struct contact_answer),
    .read = look_up,
    .explain = explain,
};
