#include "app/ctl/erase.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/manage/manage_erase.h"
#include "app/store/schema.h"
#include "lib/db_alone.h"

/* What is being erased, and how much that was. */
struct erasing {
    struct uuid id;
    struct erased erased;
    char detail[256]; /* for the audit */
};

#define COUNT_COLUMN(field, title)                                                         \
    {                                                                                      \
        .member = #field, .heading = (title), .type = COLUMN_INT,                          \
        OUTPUT_FIELD(erasing, erased.field)                                                \
    }

#define COLUMNS(id_name, title)                                                            \
    {.member = (id_name),                                                                  \
     .heading = (title),                                                                   \
     .type = COLUMN_UUID,                                                                  \
     OUTPUT_FIELD(erasing, id)},                                                           \
        COUNT_COLUMN(notes, "NOTES"), COUNT_COLUMN(versions, "FORMER VERSIONS"),           \
        COUNT_COLUMN(origins, "ORIGINS"), COUNT_COLUMN(answers, "ANSWERS"),                \
    {                                                                                      \
        .member = NULL                                                                     \
    }

static const struct column note_columns[] = {COLUMNS("note_id", "NOTE ID")};
static const struct column contact_columns[] = {COLUMNS("contact_id", "CONTACT ID")};
static const struct column member_columns[] = {COLUMNS("member_id", "MEMBER ID")};

const struct parameter erase_parameters[] = {
    {.name = "ID",
     .rule = argument_uuid,
     .need = PARAMETER_REQUIRED,
     .help = "what is erased"},
    {.name = "--yes", .help = "do not ask"},
    {.name = NULL},
};

enum status erase_confirm(struct ctl *ctl)
{
    const struct span id = ctl_get(ctl, "ID")->text;
    char answer[16] = "";

    if (ctl_get(ctl, "--yes")->given)
        return STATUS_OK;
    if (!isatty(STDIN_FILENO))
        return problem_set(&ctl->why, STATUS_REFUSED,
                           "nothing was erased: to erase without being asked, give --yes");
    (void)fprintf(stderr, "Erase %s %.*s for ever? [y/N] ", ctl->args->noun->name,
                  (int)id.len, id.data);
    if (fgets(answer, sizeof answer, stdin) != NULL &&
        (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return STATUS_OK;
    return problem_set(&ctl->why, STATUS_REFUSED, "nothing was erased");
}

/* Says how much was erased, in the audit's row of the change. */
static enum status describe(struct ctl *ctl, enum status status)
{
    struct erasing *erasing = ctl->erasing;
    const struct erased *erased = &erasing->erased;
    char id[UUID_TEXT_BYTES];

    uuid_format(&erasing->id, id);
    (void)snprintf(erasing->detail, sizeof erasing->detail,
                   "{\"ID\":\"%s\",\"notes\":%lld,\"versions\":%lld,\"origins\":%lld,"
                   "\"answers\":%lld}",
                   id, (long long)erased->notes, (long long)erased->versions,
                   (long long)erased->origins, (long long)erased->answers);
    ctl->change.detail = span_of(erasing->detail);
    return status;
}

static enum status change_note(struct ctl *ctl)
{
    struct erasing *erasing = ctl->erasing;

    return describe(
        ctl, manage_erase_note(&ctl->change, &erasing->erased, &erasing->id, &ctl->why));
}

static enum status change_contact(struct ctl *ctl)
{
    struct erasing *erasing = ctl->erasing;

    return describe(
        ctl, manage_erase_contact(&ctl->change, &erasing->erased, &erasing->id, &ctl->why));
}

static enum status change_member(struct ctl *ctl)
{
    struct erasing *erasing = ctl->erasing;

    return describe(
        ctl, manage_erase_member(&ctl->change, &erasing->erased, &erasing->id, &ctl->why));
}

static enum status begin_contact(struct ctl *ctl)
{
    struct erasing *erasing = ctl->erasing;

    return manage_erase_notes(ctl->db, &erasing->erased, &erasing->id, ctl->now_ms,
                              &ctl->why);
}

static enum status begin_member(struct ctl *ctl)
{
    struct erasing *erasing = ctl->erasing;

    return manage_erase_origins(ctl->db, &erasing->erased, &erasing->id, &ctl->why);
}

/* What erasing means for a noun. */
struct kind {
    const struct column *columns;
    enum status (*begin)(struct ctl *ctl);  /* before the change; NULL: nothing */
    enum status (*change)(struct ctl *ctl); /* in the transaction of the change */
    bool is_indexed;                        /* it is in the index of contacts */
};

static const struct kind notes = {note_columns, NULL, change_note, false};
static const struct kind contacts = {contact_columns, begin_contact, change_contact, true};
static const struct kind members = {member_columns, begin_member, change_member, false};

static enum status finish(struct ctl *ctl, bool is_indexed)
{
    struct problem why = {""};
    enum status status = is_indexed ? manage_erase_from_index(ctl->db) : STATUS_OK;

    if (status == STATUS_OK)
        status = manage_erase_from_files(ctl->db, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    return problem_set(&ctl->why, status,
                       "it was erased, but copies of it may still be in the files of the "
                       "database: repeat the command (%s)",
                       why.text[0] != '\0' ? why.text : db_message(ctl->db));
}

static enum status run(struct ctl *ctl, const struct kind *kind)
{
    enum status status = kind->begin != NULL ? kind->begin(ctl) : STATUS_OK;

    if (status == STATUS_OK)
        status = ctl_write(ctl, kind->change);
    if (status == STATUS_OK)
        status = finish(ctl, kind->is_indexed);
    if (status != STATUS_OK)
        return status;
    db_close(ctl->db);
    ctl->db = NULL;
    db_alone_complete(ctl->settings->database);
    return output_row(ctl->output, kind->columns, ctl->erasing);
}

static enum status erase(struct ctl *ctl, const struct kind *kind)
{
    struct erasing erasing = {.id = ctl_get(ctl, "ID")->uuid};
    enum status status =
        schema_open(&ctl->db, ctl->settings->database, DB_WRITE, &ctl->why);

    ctl->erasing = &erasing;
    if (status == STATUS_OK)
        status = run(ctl, kind);
    else if (status == STATUS_NOT_FOUND)
        status = STATUS_UNAVAILABLE;
    ctl->erasing = NULL;
    return status;
}

enum status erase_run_note(struct ctl *ctl)
{
    return erase(ctl, &notes);
}

enum status erase_run_contact(struct ctl *ctl)
{
    return erase(ctl, &contacts);
}

enum status erase_run_member(struct ctl *ctl)
{
    return erase(ctl, &members);
}
