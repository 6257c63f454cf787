#include "app/store/contact_write.h"

#include "app/store/entity.h"

static enum status find_or_add_entity(struct entity *entity, struct db *db, int64_t now_ms)
{
    enum status status = entity_find(db, &entity->id, &entity->org_id, entity->name);

    if (status != STATUS_NOT_FOUND)
        return status;
    uuid_make(&entity->id, now_ms);
    return entity_add(db, entity);
}

/* Gives the contact the company that the command names, which may be none. */
static enum status set_entity(struct contact *contact, struct entity *entity, struct db *db,
                              const struct contact_command *command)
{
    enum status status = STATUS_OK;

    if (!command->entity_name.given)
        entity->id = contact->entity_id;
    else if (entity->name.len > 0)
        status = find_or_add_entity(entity, db, command->common.now_ms);
    contact->entity_id = entity->id;
    if (command->entity_name.given)
        contact->entity_name = entity->name;
    return status;
}

enum status contact_write_entity(struct contact *contact, struct db *db,
                                 const struct contact_command *command)
{
    static const struct uuid none;
    struct entity entity = {
        .org_id = contact->org_id,
        .name = command->entity_name.text,
        .website = command->entity_website.text,
        .updated_at_ms = command->common.now_ms,
    };

    if (!contact_has_entity(command))
        return STATUS_OK;
    enum status status = set_entity(contact, &entity, db, command);
    if (status == STATUS_OK && command->entity_website.given &&
        !uuid_equals(&entity.id, &none))
        status = entity_set_website(db, &entity);
    return status;
}

/* A contact that is new, as far as the command does not say how it is. */
static struct contact begin(const struct caller *caller,
                            const struct contact_command *command)
{
    return (struct contact){
        .id = contact_looks_up_id(command) ? command->contact_id.uuid
                                           : command->common.new_id,
        .org_id = caller->org_id,
        .owner_id = command->member_id.uuid,
        .created_at_ms = command->common.now_ms,
    };
}

static bool changes_text(const struct given_text *given, struct span before)
{
    return given->given && !span_equals(given->text, before);
}

bool contact_write_changes(const struct contact *before,
                           const struct contact_command *command)
{
    struct span after[CONTACT_TEXTS];
    char joined[CONTACT_JOINED_BYTES];
    bool changed =
        command->owner.given && !uuid_equals(&command->owner.uuid, &before->owner_id);

    contact_texts_after(after, joined, before->texts, command->texts);
    for (int i = 0; i < CONTACT_TEXTS; i++)
        changed = changed || !span_equals(after[i], before->texts[i]);
    return changed || changes_text(&command->entity_name, before->entity_name) ||
           changes_text(&command->entity_website, before->entity_website);
}

enum status contact_write(struct contact_result *result, struct db *db,
                          const struct contact *before, const struct caller *caller,
                          const struct contact_command *command)
{
    const bool is_new = before->number == 0;
    struct contact after = is_new ? begin(caller, command) : *before;
    char joined[CONTACT_JOINED_BYTES];

    if (command->owner.given)
        after.owner_id = command->owner.uuid;
    after.updated_at_ms = command->common.now_ms;
    contact_texts_after(after.texts, joined, before->texts, command->texts);
    enum status status = contact_write_entity(&after, db, command);
    if (status == STATUS_OK)
        status = is_new ? contact_add(db, &after) : contact_update(db, &after, before);
    *result = (struct contact_result){after.id, after.entity_id, is_new};
    return status;
}
