#include "app/ctl/contact_edit.h"

#include "app/manage/manage_contact.h"

#define TEXT(option, shown, checked_by, needed, says)                                      \
    {                                                                                      \
        .name = (option), .value = (shown), .rule = (checked_by), .need = (needed),        \
        .personal = true, .help = (says)                                                   \
    }

/* The options for texts in both verbs, with the rules for their words. */
#define TEXTS(names, emails, phones, websites, needed)                                     \
    TEXT("--first-name", "NAME", names, needed, "the first name"),                         \
        TEXT("--last-name", "NAME", names, needed, "the last name"),                       \
        TEXT("--role", "TEXT", names, needed, "what it is, such as Head of Sales"),        \
        TEXT("--email", "EMAIL", emails, needed, "the e-mail address"),                    \
        TEXT("--second-email", "EMAIL", emails, needed, "another e-mail address"),         \
        TEXT("--phone", "PHONE", phones, needed, "the telephone number"),                  \
        TEXT("--second-phone", "PHONE", phones, needed, "another telephone number"),       \
        TEXT("--company", "NAME", names, needed, "the company that it works for"),         \
        TEXT("--website", "URL", websites, needed,                                         \
             "that of the company, for all of its contacts")

const struct parameter contact_edit_of_new[] = {
    {PARAMETER_ORG},
    {.name = "--owner",
     .value = "MEMBER",
     .rule = argument_uuid,
     .need = PARAMETER_REQUIRED,
     .help = "the member who owns the contact and adds its notes"},
    {.name = "NAME",
     .rule = argument_name,
     .personal = true,
     .help = "the whole name; else first and last name"},
    TEXTS(argument_name, argument_email, argument_phone, argument_website,
          PARAMETER_OPTIONAL),
    {PARAMETER_ID_ELSEWHERE},
    {.name = NULL},
};

const struct parameter contact_edit_of_old[] = {
    {.name = "ID",
     .rule = argument_uuid,
     .need = PARAMETER_REQUIRED,
     .help = "the contact"},
    {.name = "--name",
     .value = "NAME",
     .rule = argument_new_name,
     .need = PARAMETER_ANY,
     .personal = true,
     .help = "the whole name; '' for first and last name"},
    TEXTS(argument_new_name, argument_new_email, argument_new_phone, argument_new_website,
          PARAMETER_ANY),
    {.name = "--owner",
     .value = "MEMBER",
     .rule = argument_uuid,
     .need = PARAMETER_ANY,
     .help = "an active member of the same organization"},
    {.name = NULL},
};

enum status contact_edit_name_owner(struct ctl *ctl, enum status status)
{
    if (status == STATUS_REFUSED)
        problem_prefix(&ctl->why, "--owner");
    return status;
}

static struct given_text given_text(const struct ctl *ctl, const char *parameter)
{
    const struct argument *argument = ctl_get(ctl, parameter);

    return (struct given_text){argument->given, argument->text};
}

/* name: the parameter for the whole name. */
static struct contact_edit fields_of(const struct ctl *ctl, const char *name)
{
    const struct argument *owner = ctl_get(ctl, "--owner");

    return (struct contact_edit){
        .owner = {.given = owner->given, .is_uuid = owner->given, .uuid = owner->uuid},
        .texts =
            {
                [CONTACT_NAME] = given_text(ctl, name),
                [CONTACT_FIRST_NAME] = given_text(ctl, "--first-name"),
                [CONTACT_LAST_NAME] = given_text(ctl, "--last-name"),
                [CONTACT_ROLE_LABEL] = given_text(ctl, "--role"),
                [CONTACT_PRIMARY_EMAIL] = given_text(ctl, "--email"),
                [CONTACT_SECONDARY_EMAIL] = given_text(ctl, "--second-email"),
                [CONTACT_PRIMARY_PHONE] = given_text(ctl, "--phone"),
                [CONTACT_SECONDARY_PHONE] = given_text(ctl, "--second-phone"),
            },
        .entity_name = given_text(ctl, "--company"),
        .entity_website = given_text(ctl, "--website"),
    };
}

enum status contact_edit_add(struct uuid *id, struct ctl *ctl)
{
    const struct new_contact input = {
        .id = ctl_given_id(ctl),
        .org_id = ctl_get(ctl, "--org")->uuid,
        .fields = fields_of(ctl, "NAME"),
    };

    return contact_edit_name_owner(ctl,
                                   manage_contact_add(id, &ctl->change, &input, &ctl->why));
}

enum status contact_edit_change(const struct uuid *id, struct ctl *ctl)
{
    const struct contact_edit edit = fields_of(ctl, "--name");

    return contact_edit_name_owner(ctl,
                                   manage_contact_edit(&ctl->change, id, &edit, &ctl->why));
}
