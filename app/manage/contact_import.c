#include "app/manage/contact_import.h"

#include <string.h>

#include "app/manage/manage.h"
#include "app/rules/contact_rules.h"
#include "app/store/contact_index.h"
#include "app/store/contact_write.h"
#include "app/store/entity.h"
#include "lib/utf8.h"

static const struct uuid no_id;

/* A row as it is understood. */
struct meaning {
    struct contact_command command; /* texts, company, id and owner, in as far as given */
    int64_t created_at_ms, updated_at_ms; /* or IMPORT_NO_DATE */
};

/* Nothing but blanks says nothing, too. */
static bool is_empty(struct span cell)
{
    return cell.len == 0 || (cell.data[0] <= ' ' && utf8_valid(cell) && utf8_blank(cell));
}

static enum status read_text(struct given_text *out, const struct contact_row *row,
                             enum contact_field field, contact_text_rule *rule,
                             struct problem *why)
{
    const struct span cell = row->cells[field];

    if (is_empty(cell))
        return STATUS_OK;
    *out = (struct given_text){.given = true, .text = cell};
    enum status status = rule(cell, why);
    if (status == STATUS_OK)
        return status;
    problem_prefix(why, "%s", contact_field_names[field]);
    return STATUS_REFUSED;
}

static enum status read_texts(struct contact_command *out, const struct contact_row *row,
                              struct problem *why)
{
    enum status status = STATUS_OK;

    for (int i = 0; i < CONTACT_TEXTS && status == STATUS_OK; i++)
        status =
            read_text(&out->texts[i], row, (enum contact_field)(CONTACT_FIELD_TEXTS + i),
                      contact_text_rules[i], why);
    if (status == STATUS_OK)
        status = read_text(&out->entity_name, row, CONTACT_FIELD_ENTITY_NAME,
                           text_rules_name, why);
    if (status == STATUS_OK)
        status = read_text(&out->entity_website, row, CONTACT_FIELD_ENTITY_WEBSITE,
                           text_rules_website, why);
    return status;
}

static enum status read_date(int64_t *out_ms, const struct contact_row *row,
                             enum contact_field field, struct problem *why)
{
    return is_empty(row->cells[field]) ? STATUS_OK
                                       : import_read_date(out_ms, row->cells[field],
                                                          contact_field_names[field], why);
}

static enum status read_id(struct given_id *out, const struct contact_row *row,
                           enum contact_field field, struct problem *why)
{
    if (is_empty(row->cells[field]))
        return STATUS_OK;
    out->given = out->is_uuid = true;
    return import_read_id(&out->uuid, row->cells[field], contact_field_names[field], why);
}

static enum status read_owner(struct given_id *out, struct contact_import *import,
                              struct span text, struct problem *why)
{
    if (is_empty(text))
        return STATUS_OK;
    enum status status = import_find_member(&out->uuid, &import->members, import->db,
                                            &import->row_org, text, why);
    out->given = out->is_uuid = status == STATUS_OK;
    if (status == STATUS_REFUSED)
        problem_prefix(why, "%s", contact_field_names[CONTACT_FIELD_OWNER]);
    return status;
}

/* The organization of the row: the only one, or the one that the row names. */
static enum status read_org(struct contact_import *import, const struct contact_row *row,
                            struct problem *why)
{
    struct given_id named = {.given = false};
    enum status status = read_id(&named, row, CONTACT_FIELD_ORG, why);

    if (status != STATUS_OK)
        return status;
    if (!named.given && import->org_id == NULL)
        return problem_set(why, STATUS_REFUSED, "org_id: is missing, and so is --org");
    if (named.given && import->org_id != NULL && !uuid_equals(&named.uuid, import->org_id))
        return problem_set(why, STATUS_REFUSED, "org_id: is not the one of --org");
    import->row_org = named.given ? named.uuid : *import->org_id;
    if (uuid_equals(&import->row_org, &import->known_org))
        return STATUS_OK;
    status = manage_require_org(import->db, &import->row_org, why);
    if (status == STATUS_OK)
        import->known_org = import->row_org;
    return status == STATUS_NOT_FOUND ? STATUS_REFUSED : status;
}

static enum status read_row(struct meaning *out, struct contact_import *import,
                            const struct contact_row *row, struct problem *why)
{
    *out = (struct meaning){
        .command = {.common.now_ms = import->now_ms, .lookup_by = LOOKUP_EMAIL},
        .created_at_ms = IMPORT_NO_DATE,
        .updated_at_ms = IMPORT_NO_DATE,
    };
    enum status status = read_org(import, row, why);
    if (status == STATUS_OK)
        status = read_id(&out->command.contact_id, row, CONTACT_FIELD_ID, why);
    if (status == STATUS_OK)
        status = read_texts(&out->command, row, why);
    if (status == STATUS_OK)
        status = read_date(&out->created_at_ms, row, CONTACT_FIELD_CREATED, why);
    if (status == STATUS_OK)
        status = read_date(&out->updated_at_ms, row, CONTACT_FIELD_UPDATED, why);
    if (status == STATUS_OK)
        status =
            read_owner(&out->command.owner, import, row->cells[CONTACT_FIELD_OWNER], why);
    return status;
}

/* The id of a new contact whose row has neither id nor e-mail address: a hash of what the
 * row says. */
static void make_content_id(struct uuid *out, const struct contact_import *import,
                            const struct contact_row *row)
{
    struct secret_hash cells[CONTACT_FIELDS], hash;

    for (int i = 0; i < CONTACT_FIELDS; i++)
        secret_hash(&cells[i], NULL, "imported cell",
                    i == CONTACT_FIELD_ORG
                        ? (struct span){(const char *)import->row_org.bytes, UUID_BYTES}
                        : row->cells[i]);
    secret_hash(&hash, NULL, "imported contact",
                (struct span){(const char *)cells, sizeof cells});
    uuid_of_bytes(out, hash.bytes);
}

/* Contacts with an e-mail address. */
struct found {
    int count;
    struct contact_copy *copy;
};

static enum status keep_first(void *arg, const struct contact *contact)
{
    struct found *found = arg;

    return found->count++ == 0 ? contact_keep(found->copy, contact) : STATUS_NOT_FOUND;
}

static enum status find_by_email(struct contact_import *import, struct span email,
                                 struct problem *why)
{
    struct found found = {.copy = &import->before};
    enum status status = contact_index_whole(import->db, &import->row_org, MATCH_EMAIL,
                                             email, keep_first, &found);

    if (status == STATUS_OK && found.count > 1)
        return problem_set(why, STATUS_REFUSED,
                           "more than one contact has this e-mail address: give the "
                           "contact_id");
    return status;
}

static enum status find_by_id(struct contact_import *import, const struct uuid *id,
                              struct problem *why)
{
    enum status status = contact_find(import->db, id, contact_keep, &import->before);

    if (status == STATUS_OK &&
        !uuid_equals(&import->before.contact.org_id, &import->row_org))
        return problem_set(why, STATUS_REFUSED,
                           "contact_id: is a contact of another organization");
    if (status == STATUS_OK && import->before.contact.erased_at_ms != 0)
        return problem_set(why, STATUS_REFUSED, "contact_id: is a contact that was erased");
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Reads the contact that the row is about to import->before, whose number is 0 where there
 * is none, and sets the id that a new one gets. */
static enum status find_contact(struct contact_import *import, struct meaning *meaning,
                                const struct contact_row *row, struct problem *why)
{
    struct given_id *id = &meaning->command.contact_id;
    const struct span email = contact_looked_up(&meaning->command);
    const bool by_id = id->given && import->match != CONTACT_IMPORT_BY_EMAIL;
    enum status status = STATUS_OK;

    import->before.contact = (struct contact){.number = 0};
    if (!by_id && email.len > 0 && import->match != CONTACT_IMPORT_BY_ID)
        status = find_by_email(import, email, why);
    if (status != STATUS_OK || import->before.contact.number != 0)
        return status;
    if (!id->given && email.len > 0 && import->match != CONTACT_IMPORT_BY_ID) {
        uuid_make(&id->uuid, import->now_ms);
        return STATUS_OK;
    }
    if (!id->given)
        make_content_id(&id->uuid, import, row);
    else if (!by_id)
        return contact_find(import->db, &id->uuid, NULL, NULL) == STATUS_OK
                   ? problem_set(why, STATUS_REFUSED,
                                 "contact_id: is a contact with another e-mail address")
                   : STATUS_OK;
    return find_by_id(import, &id->uuid, why);
}

/* What the contact is after the row, but for its company. */
static enum status make_after(struct contact *out, struct contact_import *import,
                              const struct meaning *meaning,
                              char joined[CONTACT_JOINED_BYTES], struct problem *why)
{
    const struct contact *before = &import->before.contact;
    struct given_id owner = meaning->command.owner;
    enum status status = STATUS_OK;

    *out = *before;
    if (before->number == 0) {
        *out = (struct contact){.id = meaning->command.contact_id.uuid,
                                .org_id = import->row_org,
                                .created_at_ms = import->now_ms};
        if (!owner.given)
            status = read_owner(&owner, import, import->owner, why);
        if (status == STATUS_OK && !owner.given)
            return problem_set(why, STATUS_REFUSED,
                               "contact_owner: is missing, and so is --owner");
    }
    if (owner.given)
        out->owner_id = owner.uuid;
    if (meaning->created_at_ms != IMPORT_NO_DATE)
        out->created_at_ms = meaning->created_at_ms;
    contact_texts_after(out->texts, joined, before->texts, meaning->command.texts);
    if (status == STATUS_OK &&
        !contact_texts_suffice(out->texts, before->number == 0, meaning->command.texts))
        return problem_set(why, STATUS_REFUSED,
                           "a contact needs a name, a first name or an e-mail address");
    return status;
}

static bool says_other(const struct given_text *given, struct span before)
{
    return given->given && !span_equals(given->text, before);
}

/* Companies are the same without regard to case. */
static enum status read_entity_differs(bool *out, const struct contact_import *import,
                                       const struct given_text *name)
{
    const struct contact *before = &import->before.contact;
    struct uuid id;

    *out = says_other(name, before->entity_name);
    if (!*out || before->number == 0)
        return STATUS_OK;
    enum status status = entity_find(import->db, &id, &before->org_id, name->text);
    *out = status != STATUS_OK || !uuid_equals(&id, &before->entity_id);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static bool differs(const struct contact *before, const struct contact *after,
                    const struct meaning *meaning)
{
    for (int i = 0; i < CONTACT_TEXTS; i++)
        if (!span_equals(before->texts[i], after->texts[i]))
            return true;
    return !uuid_equals(&before->owner_id, &after->owner_id) ||
           says_other(&meaning->command.entity_website, before->entity_website) ||
           before->created_at_ms != after->created_at_ms ||
           (meaning->updated_at_ms != IMPORT_NO_DATE &&
            meaning->updated_at_ms != before->updated_at_ms);
}

/* When the contact was changed: as the row says, else now; an old one that is new here was
 * last changed when it was made, as far as is known. */
static int64_t updated_at_ms(const struct contact_import *import,
                             const struct meaning *meaning)
{
    const bool is_new = import->before.contact.number == 0;

    if (meaning->updated_at_ms != IMPORT_NO_DATE)
        return meaning->updated_at_ms;
    return is_new && meaning->created_at_ms != IMPORT_NO_DATE ? meaning->created_at_ms
                                                              : import->now_ms;
}

static enum status write(struct contact_import *import, struct contact *after,
                         const struct meaning *meaning)
{
    const struct contact *before = &import->before.contact;
    struct contact_command command = meaning->command;
    enum status status = STATUS_OK;

    after->updated_at_ms = updated_at_ms(import, meaning);
    command.common.now_ms = after->updated_at_ms;
    status = contact_write_entity(after, import->db, &command);
    if (status == STATUS_OK)
        status = before->number == 0 ? contact_add(import->db, after)
                                     : contact_update(import->db, after, before);
    if (status == STATUS_OK && before->number != 0 &&
        before->created_at_ms != after->created_at_ms)
        status = contact_set_created(import->db, after->number, after->created_at_ms);
    return status;
}

static enum status judge_and_write(enum import_outcome *out, struct contact_import *import,
                                   struct meaning *meaning, const struct contact_row *row,
                                   struct problem *why)
{
    const struct contact *before = &import->before.contact;
    struct contact after;
    char joined[CONTACT_JOINED_BYTES];
    enum status status = find_contact(import, meaning, row, why);

    if (status == STATUS_OK)
        status = make_after(&after, import, meaning, joined, why);
    if (status != STATUS_OK)
        return status;
    if (meaning->command.entity_website.given && !meaning->command.entity_name.given &&
        uuid_equals(&before->entity_id, &no_id))
        return problem_set(why, STATUS_REFUSED,
                           "entity_website: there is no entity_name that it belongs to");
    bool entity_differs;
    status = read_entity_differs(&entity_differs, import, &meaning->command.entity_name);
    if (status != STATUS_OK)
        return status;
    *out = before->number == 0                                  ? IMPORT_ADDED
           : entity_differs || differs(before, &after, meaning) ? IMPORT_UPDATED
                                                                : IMPORT_UNCHANGED;
    return *out == IMPORT_UNCHANGED || import->dry ? STATUS_OK
                                                   : write(import, &after, meaning);
}

enum status contact_import_row(enum import_outcome *out, struct contact_import *import,
                               const struct contact_row *row, struct problem *why)
{
    struct meaning meaning;
    enum status status = read_row(&meaning, import, row, why);

    if (status == STATUS_OK)
        status = judge_and_write(out, import, &meaning, row, why);
    if (status != STATUS_REFUSED)
        return status;
    *out = IMPORT_REFUSED;
    return STATUS_OK;
}
