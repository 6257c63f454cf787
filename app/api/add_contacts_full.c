#include "app/api/add_contacts_full.h"

#include <string.h>

#include "app/api/common_fields.h"
#include "app/store/contact_facts.h"
#include "app/store/contact_write.h"

#define COMMAND(member) .offset = offsetof(struct contact_command, member)
#define TEXT(member, text, bytes, check)                                                   \
    .name = (member), .type = FIELD_CHANGE, COMMAND(texts[CONTACT_##text]),                \
    .max_bytes = (bytes), .rule = (check), .invalid = "Invalid " member

static const char *const modes[] = {
    [CONTACT_INSERT] = "insert",
    [CONTACT_UPDATE] = "update",
    [CONTACT_UPSERT] = "upsert",
    NULL,
};
static const char *const lookups[] = {
    [LOOKUP_EMAIL] = "email",
    [LOOKUP_PHONE] = "phone",
    [LOOKUP_CONTACT_ID] = "contact_id",
    NULL,
};

static const struct field contact[] = {
    {.name = "contactId",
     .type = FIELD_ID,
     COMMAND(contact_id),
     .invalid = "Invalid contactId",
     .description = "With `lookup_by` `contact_id`: the contact, or the id of a new one.",
     .example = EXAMPLE_CONTACT},
    {TEXT("firstName", FIRST_NAME, NAME_MAX_BYTES, text_rules_name),
     .description = "First name.", .example = "\"Grace\""},
    {TEXT("lastName", LAST_NAME, NAME_MAX_BYTES, text_rules_name),
     .description = "Last name.", .example = "\"Hopper\""},
    {TEXT("name", NAME, NAME_MAX_BYTES, text_rules_name),
     .description = "The name as people read it. Not sent: first and last name.",
     .example = "\"Grace Hopper\""},
    {TEXT("roleLabel", ROLE_LABEL, NAME_MAX_BYTES, text_rules_name),
     .description = "What the contact does.", .example = "\"Head of Engineering\""},
    {TEXT("primaryEmail", PRIMARY_EMAIL, EMAIL_MAX_BYTES, text_rules_email),
     .description = "E-mail address.", .example = "\"grace@example.com\""},
    {TEXT("secondaryEmail", SECONDARY_EMAIL, EMAIL_MAX_BYTES, text_rules_email),
     .description = "Another e-mail address.", .example = "\"g.hopper@example.com\""},
    {TEXT("primaryPhone", PRIMARY_PHONE, PHONE_MAX_BYTES, text_rules_phone),
     .description = "Telephone number.", .example = "\"+1 212 555 0100\""},
    {TEXT("secondaryPhone", SECONDARY_PHONE, PHONE_MAX_BYTES, text_rules_phone),
     .description = "Another telephone number.", .example = "\"+1 212 555 0199\""},
    {.name = "owner",
     .type = FIELD_ID,
     COMMAND(owner),
     .invalid = "Invalid owner",
     .description = "The member who owns the contact. Not sent: the owner stays; of a new "
                    "contact it is `member_id`.",
     .example = EXAMPLE_MEMBER},
};

static const struct field entity[] = {
    {.name = "name",
     .type = FIELD_CHANGE,
     COMMAND(entity_name),
     .max_bytes = NAME_MAX_BYTES,
     .rule = text_rules_name,
     .invalid = "Invalid entity name",
     .description = "The company's name, by which it is found or added.",
     .example = "\"Example Ltd\""},
    {.name = "website",
     .type = FIELD_CHANGE,
     COMMAND(entity_website),
     .max_bytes = WEBSITE_MAX_BYTES,
     .rule = text_rules_website,
     .invalid = "Invalid entity website",
     .description = "The company's website.",
     .example = "\"https://www.example.com\""},
};

static const struct field fields[] = {
    {FIELD_ORG, COMMAND(org_id)},
    {FIELD_MEMBER, COMMAND(member_id), .description = "The UUID of the member who writes."},
    {.name = "contact",
     .type = FIELD_OBJECT,
     .required = true,
     .fields = contact,
     .field_count = sizeof contact / sizeof contact[0],
     .missing = "Missing contact",
     .invalid = "Invalid contact",
     .description =
         "What is stored. What is not sent stays as it is; null and \"\" clear. A "
         "contact needs a name, a first name or an e-mail address.",
     .example = "{\"firstName\":\"Grace\",\"lastName\":\"Hopper\","
                "\"primaryEmail\":\"grace@example.com\"}"},
    {.name = "mode",
     .type = FIELD_WORD,
     .words = modes,
     COMMAND(mode),
     .invalid = "Invalid mode",
     .description =
         "`insert`: only add; `update`: only change; `upsert`: change the contact "
         "that is found, or add one.",
     .fallback = "\"upsert\"",
     .example = "\"upsert\""},
    {.name = "lookup_by",
     .type = FIELD_WORD,
     .words = lookups,
     COMMAND(lookup_by),
     .invalid = "Invalid lookup_by",
     .description =
         "How the contact is found: by the e-mail address or telephone number that "
         "is sent, as one of its two, or by `contactId`.",
     .fallback = "\"email\"",
     .example = "\"email\""},
    {.name = "skip_entity",
     .type = FIELD_BOOLEAN,
     COMMAND(skip_entity),
     .invalid = "Invalid skip_entity",
     .description = "true: `entity` is not looked at.",
     .fallback = "false",
     .example = "false"},
    {.name = "debug",
     .type = FIELD_BOOLEAN,
     COMMAND(debug),
     .invalid = "Invalid debug",
     .description = "Has no effect on this server.",
     .fallback = "false",
     .example = "false"},
    {.name = "entity",
     .type = FIELD_OBJECT,
     .fields = entity,
     .field_count = sizeof entity / sizeof entity[0],
     .invalid = "Invalid entity",
     .description = "The company that the contact works for. A name of null or \"\": none.",
     .example = "{\"name\":\"Example Ltd\",\"website\":\"https://www.example.com\"}"},
};

struct answer {
    struct uuid contact_id, entity_id;
    uint8_t created;
};

static const struct field answer[] = {
    {.name = "contact_id",
     .type = FIELD_ID,
     .offset = offsetof(struct answer, contact_id),
     .description = "The contact, new or changed.",
     .example = EXAMPLE_CONTACT},
    {.name = "entity_id",
     .type = FIELD_ID,
     .nullable = true,
     .offset = offsetof(struct answer, entity_id),
     .description = "Its company.",
     .example = "\"0199b0d5-1f3c-7b02-8d6e-4c2a9e7f5b31\""},
    {.name = "created",
     .type = FIELD_FLAG,
     .offset = offsetof(struct answer, created),
     .description = "1: it was added; 0: it was changed.",
     .example = "1"},
};

static const struct call_error errors[] = {
    {.error = ERROR_MEMBER_NOT_FOUND,
     .when =
         "The organization of the API key has no active member with the id `member_id`, "
         "or `owner`."},
    {.error = ERROR_WRONG_ORG},
    {.error = ERROR_NOT_FOUND,
     .when = "`mode` is `update`, and no contact was found; or `contactId` is no UUID.",
     .remedy = "Check by what the contact is looked up, or send `upsert`."},
    {.error = ERROR_CONTACT_EXISTS},
    {.error = ERROR_CONTACT_AMBIGUOUS},
    {.error = ERROR_MISSING_CONTACT_NAME},
    {.error = ERROR_MISSING_ENTITY_NAME},
    {.error = ERROR_UNAVAILABLE, .message = "The contact was not stored. Try again."},
};

static const struct contact_command *command_of(const struct command *command)
{
    return (const struct contact_command *)command;
}

static bool text_is_sound(const struct field *field, const struct given_text *text)
{
    struct problem why;

    if (!given_text_is_sound(text))
        return false;
    return text->text.len == 0 || field->rule(text->text, &why) == STATUS_OK;
}

/* The texts must be what the fields allow: the writer has buffers of that size for them. */
static bool texts_are_sound(const struct contact_command *command, const struct field *rows,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const void *member = (const char *)command + rows[i].offset;
        if (rows[i].type == FIELD_CHANGE && !text_is_sound(&rows[i], member))
            return false;
    }
    return true;
}

static bool is_sound(const struct command *command)
{
    const struct contact_command *c = command_of(command);

    return given_id_is_sound(&c->org_id) && given_id_is_sound(&c->member_id) &&
           given_id_is_sound(&c->contact_id) && given_id_is_sound(&c->owner) &&
           given_flag_is_sound(c->skip_entity) && given_flag_is_sound(c->debug) &&
           c->mode >= -1 && c->mode <= CONTACT_UPSERT && c->lookup_by >= -1 &&
           c->lookup_by <= LOOKUP_CONTACT_ID &&
           texts_are_sound(c, contact, sizeof contact / sizeof contact[0]) &&
           texts_are_sound(c, entity, sizeof entity / sizeof entity[0]);
}

static void fingerprint(struct secret_hash *out, const struct command *command)
{
    contact_fingerprint(out, command_of(command));
}

static enum status read_and_judge(struct contact_copy *before, enum error *verdict,
                                  struct db *db, const struct caller *caller,
                                  const struct contact_command *command)
{
    struct contact_write_facts facts;
    enum status status = contact_write_facts_read(&facts, before, db, caller, command);

    if (status == STATUS_OK)
        *verdict = contact_judge(&facts, caller, command);
    return status;
}

static enum status judge(enum error *verdict, struct db *db, const struct caller *caller,
                         const struct command *command)
{
    struct contact_copy before;

    return read_and_judge(&before, verdict, db, caller, command_of(command));
}

static enum status apply(void *result, enum error *verdict, struct db *db,
                         const struct caller *caller, const struct command *command)
{
    struct contact_copy before;
    struct contact_result outcome;
    enum status status = read_and_judge(&before, verdict, db, caller, command_of(command));

    if (status != STATUS_OK || *verdict != ERROR_NONE)
        return status;
    status = contact_write(&outcome, db, &before.contact, caller, command_of(command));
    memcpy(result, &outcome, sizeof outcome);
    return status;
}

static enum status explain(enum reason *reason, enum error refusal,
                           const struct reading *reading, const void *input)
{
    const struct contact_command *command = input;

    return contact_reason_read(reason, refusal, reading->db, reading->caller,
                               &command->org_id, &command->contact_id);
}

static void present(void *out, const struct command *command, const void *result)
{
    struct contact_result r;

    (void)command;
    memcpy(&r, result, sizeof r);
    *(struct answer *)out = (struct answer){r.contact_id, r.entity_id, r.created};
}

#define TEXT_OF(which) offsetof(struct contact_command, texts[CONTACT_##which].text)

static const size_t texts[] = {
    TEXT_OF(NAME),
    TEXT_OF(FIRST_NAME),
    TEXT_OF(LAST_NAME),
    TEXT_OF(ROLE_LABEL),
    TEXT_OF(PRIMARY_EMAIL),
    TEXT_OF(SECONDARY_EMAIL),
    TEXT_OF(PRIMARY_PHONE),
    TEXT_OF(SECONDARY_PHONE),
    offsetof(struct contact_command, entity_name.text),
    offsetof(struct contact_command, entity_website.text),
};

_Static_assert(sizeof texts / sizeof texts[0] == CONTACT_TEXTS + 2, "every text is sent");

static const struct command_kind kind = {
    .name = "add_contacts_full",
    .size = sizeof(struct contact_command),
    .texts = texts,
    .text_count = sizeof texts / sizeof texts[0],
    .result_size = sizeof(struct contact_result),
    .is_sound = is_sound,
    .fingerprint = fingerprint,
    .judge = judge,
    .apply = apply,
};

const struct call add_contacts_full_call = {
    .method = "POST",
    .path = "/apis/v2/public/crm/addContactsFull",
    .name = "addContactsFull",
    .title = "Add Contacts Full",
    .summary =
        "Adds a contact, or changes the one that is found by its e-mail address, "
        "telephone number or id, and sets the company that it works for. Two requests "
        "for one e-mail address at the same moment make one contact.",
    .credentials = CREDENTIALS_BOTH,
    .fields = fields,
    .field_count = sizeof fields / sizeof fields[0],
    .answer = answer,
    .answer_count = sizeof answer / sizeof answer[0],
    .errors = errors,
    .error_count = sizeof errors / sizeof errors[0],
    .input_size = sizeof(struct contact_command),
    .answer_size = sizeof(struct answer),
    .command = &kind,
    .explain = explain,
    .present = present,
};
