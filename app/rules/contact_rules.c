#include "app/rules/contact_rules.h"

#include <string.h>

contact_text_rule *const contact_text_rules[CONTACT_TEXTS] = {
    [CONTACT_NAME] = text_rules_name,
    [CONTACT_FIRST_NAME] = text_rules_name,
    [CONTACT_LAST_NAME] = text_rules_name,
    [CONTACT_ROLE_LABEL] = text_rules_name,
    [CONTACT_PRIMARY_EMAIL] = text_rules_email,
    [CONTACT_SECONDARY_EMAIL] = text_rules_email,
    [CONTACT_PRIMARY_PHONE] = text_rules_phone,
    [CONTACT_SECONDARY_PHONE] = text_rules_phone,
};

static bool is_of_caller(const struct given_id *org_id, const struct caller *caller)
{
    return given_id_is(org_id, &caller->org_id);
}

enum error contact_judge_use(const struct contact_facts *facts, const struct caller *caller,
                             const struct given_id *org_id, bool needs_contact)
{
    if (!facts->member_found)
        return ERROR_MEMBER_NOT_FOUND;
    if (needs_contact && !facts->contact_found)
        return ERROR_NOT_FOUND;
    if (!is_of_caller(org_id, caller) ||
        (needs_contact && !uuid_equals(&facts->contact_org_id, &caller->org_id)))
        return ERROR_WRONG_ORG;
    return ERROR_NONE;
}

enum reason contact_reason(enum error error, bool exists, const struct caller *caller,
                           const struct given_id *org_id, const struct given_id *contact_id)
{
    if (error == ERROR_WRONG_ORG && !is_of_caller(org_id, caller))
        return REASON_ORG_ID_NOT_OF_THE_KEY;
    if (error == ERROR_WRONG_ORG)
        return REASON_CONTACT_OF_ANOTHER_ORGANIZATION;
    if (error != ERROR_NOT_FOUND || !contact_id->given)
        return REASON_NONE;
    if (!contact_id->is_uuid)
        return REASON_CONTACT_ID_MALFORMED;
    return exists ? REASON_CONTACT_OF_ANOTHER_ORGANIZATION : REASON_CONTACT_UNKNOWN;
}

static enum contact_mode mode_of(const struct contact_command *command)
{
    return command->mode < 0 ? CONTACT_UPSERT : (enum contact_mode)command->mode;
}

static enum contact_lookup lookup_of(const struct contact_command *command)
{
    return command->lookup_by < 0 ? LOOKUP_EMAIL : (enum contact_lookup)command->lookup_by;
}

/* Nothing has an id that is no UUID, nor can anything get one. */
static bool is_unusable(const struct contact_command *command)
{
    return lookup_of(command) == LOOKUP_CONTACT_ID && command->contact_id.given &&
           !command->contact_id.is_uuid;
}

static enum error judge_found(const struct contact_write_facts *facts,
                              const struct caller *caller,
                              const struct contact_command *command)
{
    if (is_unusable(command) || facts->erased ||
        (facts->count == 0 && mode_of(command) == CONTACT_UPDATE))
        return ERROR_NOT_FOUND;
    if (facts->count == 1 && !uuid_equals(&facts->org_id, &caller->org_id))
        return command->common.uniform_errors ? ERROR_NOT_FOUND : ERROR_WRONG_ORG;
    if (facts->count > 0 && mode_of(command) == CONTACT_INSERT)
        return ERROR_CONTACT_EXISTS;
    return facts->count > 1 ? ERROR_CONTACT_AMBIGUOUS : ERROR_NONE;
}

/* A website without a name is that of the company that the contact has. */
static bool lacks_entity_name(const struct contact_write_facts *facts,
                              const struct contact_command *command)
{
    static const struct uuid none;

    return contact_has_entity(command) && !command->entity_name.given &&
           command->entity_website.text.len > 0 && uuid_equals(&facts->entity_id, &none);
}

enum error contact_judge(const struct contact_write_facts *facts,
                         const struct caller *caller, const struct contact_command *command)
{
    if (!facts->member_found || (command->owner.given && !facts->owner_found))
        return ERROR_MEMBER_NOT_FOUND;
    if (!is_of_caller(&command->org_id, caller))
        return ERROR_WRONG_ORG;
    const enum error error = judge_found(facts, caller, command);
    if (error != ERROR_NONE)
        return error;
    if (!facts->has_name)
        return ERROR_MISSING_CONTACT_NAME;
    return lacks_entity_name(facts, command) ? ERROR_MISSING_ENTITY_NAME : ERROR_NONE;
}

/* First and last name with a blank between them; empty: there is no room. */
static struct span join(char out[CONTACT_JOINED_BYTES],
                        const struct span texts[CONTACT_TEXTS])
{
    const struct span first = texts[CONTACT_FIRST_NAME], last = texts[CONTACT_LAST_NAME];
    size_t len = first.len;

    if (first.len + last.len + 1 > NAME_MAX_BYTES)
        return (struct span){NULL, 0};
    if (first.len > 0)
        memcpy(out, first.data, first.len);
    if (first.len > 0 && last.len > 0)
        out[len++] = ' ';
    if (last.len > 0)
        memcpy(out + len, last.data, last.len);
    return (struct span){out, len + last.len};
}

void contact_texts_after(struct span after[CONTACT_TEXTS],
                         char joined[CONTACT_JOINED_BYTES],
                         const struct span before[CONTACT_TEXTS],
                         const struct given_text given[CONTACT_TEXTS])
{
    char joined_before[CONTACT_JOINED_BYTES];

    for (int i = 0; i < CONTACT_TEXTS; i++)
        after[i] = given[i].given ? given[i].text : before[i];
    if (given[CONTACT_NAME].text.len > 0)
        return;
    if (after[CONTACT_NAME].len == 0 ||
        span_equals(before[CONTACT_NAME], join(joined_before, before)))
        after[CONTACT_NAME] = join(joined, after);
}

bool contact_texts_suffice(const struct span texts[CONTACT_TEXTS], bool is_new,
                           const struct given_text given[CONTACT_TEXTS])
{
    const struct span name = is_new ? given[CONTACT_NAME].text : texts[CONTACT_NAME];

    return name.len > 0 || texts[CONTACT_FIRST_NAME].len > 0 ||
           texts[CONTACT_PRIMARY_EMAIL].len > 0 || texts[CONTACT_SECONDARY_EMAIL].len > 0;
}

/* The first of two texts that is given. */
static struct span one_of(const struct contact_command *command, enum contact_text first,
                          enum contact_text second)
{
    const struct span text = command->texts[first].text;

    return text.len > 0 ? text : command->texts[second].text;
}

struct span contact_looked_up(const struct contact_command *command)
{
    switch (lookup_of(command)) {
    case LOOKUP_PHONE:
        return one_of(command, CONTACT_PRIMARY_PHONE, CONTACT_SECONDARY_PHONE);
    case LOOKUP_EMAIL:
        return one_of(command, CONTACT_PRIMARY_EMAIL, CONTACT_SECONDARY_EMAIL);
    default:
        return (struct span){NULL, 0};
    }
}

bool contact_looks_up_id(const struct contact_command *command)
{
    return lookup_of(command) == LOOKUP_CONTACT_ID && command->contact_id.is_uuid;
}

bool contact_has_entity(const struct contact_command *command)
{
    return command->skip_entity != FLAG_ON &&
           (command->entity_name.given || command->entity_website.given);
}

/* A text as it is hashed: whether it was given, then its own hash. */
struct hashed_text {
    struct secret_hash text;
    uint64_t given;
};

static struct hashed_text hash_text(const struct given_text *text)
{
    struct hashed_text out = {.given = text->given};

    secret_hash(&out.text, NULL, "contact text", text->text);
    return out;
}

void contact_fingerprint(struct secret_hash *out, const struct contact_command *command)
{
    struct {
        struct uuid org_id, member_id, contact_id, owner;
        struct hashed_text texts[CONTACT_TEXTS], entity_name, entity_website;
        int32_t mode, lookup_by, skip_entity;
    } fields;

    memset(&fields, 0, sizeof fields); /* the padding is hashed, too */
    fields.org_id = command->org_id.uuid;
    fields.member_id = command->member_id.uuid;
    fields.contact_id = command->contact_id.uuid;
    fields.owner = command->owner.uuid;
    for (int i = 0; i < CONTACT_TEXTS; i++)
        fields.texts[i] = hash_text(&command->texts[i]);
    fields.entity_name = hash_text(&command->entity_name);
    fields.entity_website = hash_text(&command->entity_website);
    fields.mode = (int32_t)mode_of(command);
    fields.lookup_by = (int32_t)lookup_of(command);
    fields.skip_entity = command->skip_entity == FLAG_ON;
    secret_hash(out, NULL, "contact request",
                (struct span){(const char *)&fields, sizeof fields});
}
