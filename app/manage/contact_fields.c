#include "app/manage/contact_fields.h"

const char *const contact_field_names[CONTACT_FIELDS] = {
    [CONTACT_FIELD_ORG] = "org_id",
    [CONTACT_FIELD_ID] = "contact_id",
    [CONTACT_FIELD_OWNER] = "contact_owner",
    [CONTACT_FIELD_TEXTS + CONTACT_NAME] = "contact_name",
    [CONTACT_FIELD_TEXTS + CONTACT_FIRST_NAME] = "first_name",
    [CONTACT_FIELD_TEXTS + CONTACT_LAST_NAME] = "last_name",
    [CONTACT_FIELD_TEXTS + CONTACT_ROLE_LABEL] = "role_label",
    [CONTACT_FIELD_TEXTS + CONTACT_PRIMARY_EMAIL] = "primary_email",
    [CONTACT_FIELD_TEXTS + CONTACT_SECONDARY_EMAIL] = "secondary_email",
    [CONTACT_FIELD_TEXTS + CONTACT_PRIMARY_PHONE] = "primary_phone",
    [CONTACT_FIELD_TEXTS + CONTACT_SECONDARY_PHONE] = "secondary_phone",
    [CONTACT_FIELD_ENTITY_NAME] = "entity_name",
    [CONTACT_FIELD_ENTITY_WEBSITE] = "entity_website",
    [CONTACT_FIELD_CREATED] = "created_at",
    [CONTACT_FIELD_UPDATED] = "updated_at",
};

enum contact_field contact_field_find(struct span name)
{
    enum contact_field field = 0;

    while (field < CONTACT_FIELDS &&
           !span_equals(name, span_of(contact_field_names[field])))
        field++;
    return field;
}
