#include "tests/example/set_phone.h"

#include <string.h>

#include "app/rules/given.h"
#include "tests/example/example_store.h"

struct phone_command {
    struct command common;
    struct given_id contact_id;
    struct span phone, remark; /* two texts, to be carried in one letter */
};

struct phone_result {
    struct uuid contact_id;
};

struct answer {
    struct uuid contact_id;
    struct span phone, remark;
};

static const struct field fields[] = {
    {.name = "contact_id",
     .type = FIELD_ID,
     .required = true,
     .offset = offsetof(struct phone_command, contact_id),
     .missing = "Missing contact ID",
     .invalid = "Invalid contact ID",
     .description = "The contact.",
     .example = "\"…\""},
    {.name = "phone",
     .type = FIELD_TEXT,
     .required = true,
     .max_bytes = 20,
     .offset = offsetof(struct phone_command, phone),
     .missing = "Missing phone",
     .invalid = "Invalid phone",
     .description = "Its number.",
     .example = "\"030 1\""},
    {.name = "remark",
     .type = FIELD_TEXT,
     .max_bytes = 20,
     .offset = offsetof(struct phone_command, remark),
     .invalid = "Invalid remark",
     .description = "Is answered.",
     .example = "\"…\""},
};

static const struct field answer[] = {
    {.name = "contact_id", .type = FIELD_ID, .offset = offsetof(struct answer, contact_id)},
    {.name = "phone", .type = FIELD_TEXT, .offset = offsetof(struct answer, phone)},
    {.name = "remark",
     .type = FIELD_TEXT,
     .nullable = true,
     .offset = offsetof(struct answer, remark)},
};

static const struct call_error errors[] = {{.error = ERROR_NOT_FOUND}};

static bool is_sound(const struct command *command)
{
    return given_id_is_sound(&((const struct phone_command *)command)->contact_id);
}

static void fingerprint(struct secret_hash *out, const struct command *command)
{
    const struct phone_command *c = (const struct phone_command *)command;
    struct secret_hash parts[2];

    secret_hash(&parts[0], NULL, "phone contact",
                (struct span){(const char *)&c->contact_id.uuid, UUID_BYTES});
    secret_hash(&parts[1], NULL, "phone", c->phone);
    secret_hash(out, NULL, "phone request",
                (struct span){(const char *)parts, sizeof parts});
}

static enum status judge(enum error *verdict, struct db *db, const struct caller *caller,
                         const struct command *command)
{
    const struct phone_command *c = (const struct phone_command *)command;
    bool found = false;
    enum status status =
        example_has_contact(&found, db, &c->contact_id.uuid, &caller->org_id);

    if (status == STATUS_OK && !found)
        *verdict = ERROR_NOT_FOUND;
    return status;
}

static enum status apply(void *result, enum error *verdict, struct db *db,
                         const struct caller *caller, const struct command *command)
{
    const struct phone_command *c = (const struct phone_command *)command;
    const struct phone_result done = {c->contact_id.uuid};
    enum status status = judge(verdict, db, caller, command);

    if (status != STATUS_OK || *verdict != ERROR_NONE)
        return status;
    memcpy(result, &done, sizeof done);
    return example_set_phone(db, &c->contact_id.uuid, c->phone);
}

static void present(void *out, const struct command *command, const void *result)
{
    const struct phone_command *c = (const struct phone_command *)command;
    struct phone_result done;

    memcpy(&done, result, sizeof done);
    *(struct answer *)out = (struct answer){done.contact_id, c->phone, c->remark};
}

static const size_t texts[] = {offsetof(struct phone_command, phone),
                               offsetof(struct phone_command, remark)};

static const struct command_kind kind = {
    .name = "set_phone",
    .size = sizeof(struct phone_command),
    .texts = texts,
    .text_count = 2,
    .result_size = sizeof(struct phone_result),
    .is_sound = is_sound,
    .fingerprint = fingerprint,
    .judge = judge,
    .apply = apply,
};

const struct call set_phone_call = {
    .method = "POST",
    .path = "/apis/v2/public/example/setPhone",
    .name = "setPhone",
    .summary = "Sets the telephone number of a contact.",
    .ours = true,
    .credentials = CREDENTIALS_BOTH,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = 1,
    .input_size = sizeof(struct phone_command),
    .answer_size = sizeof(struct answer),
    .command = &kind,
    .present = present,
};
