/* note export: JSON Lines, a version of a note each. */
#include <stdlib.h>

#include "app/ctl/export.h"
#include "app/ctl/note.h"
#include "app/store/contact.h"
#include "app/store/note_place.h"

enum {
    PAGE_NOTES = 100,
};

/* The ids of a contact's notes, the newest first. */
struct ids {
    struct uuid *list;
    size_t count, size;
};

struct state {
    struct ctl *ctl;
    struct note_viewer viewer;
    const struct uuid *org_id; /* NULL: of all */
    bool of_contact;           /* the ids are those that are exported */
    struct ids ids;
    int64_t after;         /* the number of the last note; else */
    struct output *output; /* of this page */
};

static enum status add_id(void *arg, const struct uuid *id)
{
    struct ids *ids = arg;

    if (ids->count == ids->size) {
        const size_t size = 2 * ids->size + 64;
        struct uuid *list = realloc(ids->list, size * sizeof *list);
        if (list == NULL)
            return STATUS_NO_MEMORY;
        ids->list = list;
        ids->size = size;
    }
    ids->list[ids->count++] = *id;
    return STATUS_OK;
}

/* An erased note has no text that could be imported. */
static enum status print_unless_erased(void *output, const struct note *note)
{
    return note->erased_at_ms != 0 ? STATUS_OK : note_print_version(output, note);
}

/* A private note is passed over as one that does not exist. */
static enum status write_note(void *arg, const struct uuid *id)
{
    struct state *s = arg;
    enum status status =
        note_history(s->ctl->db, id, &s->viewer, print_unless_erased, s->output);

    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* The oldest notes come first. */
static enum status write_ids(int64_t *count, struct state *s)
{
    enum status status = STATUS_OK;

    while (status == STATUS_OK && s->ids.count > 0 && *count < PAGE_NOTES) {
        status = write_note(s, &s->ids.list[--s->ids.count]);
        ++*count;
    }
    return status;
}

static enum status read_page(int64_t *count, struct state *s)
{
    enum status status = db_read_begin(s->ctl->db);

    *count = 0;
    if (status == STATUS_OK)
        status = s->of_contact ? write_ids(count, s)
                               : note_place_list(&s->after, count, s->ctl->db, s->org_id,
                                                 PAGE_NOTES, write_note, s);
    db_read_end(s->ctl->db);
    return status;
}

static enum status write_page(int64_t *count, FILE *out, struct ctl *ctl, void *arg)
{
    struct state *s = arg;

    (void)ctl;
    s->output = output_create(OUTPUT_JSON, 0);
    if (s->output == NULL)
        return STATUS_NO_MEMORY;
    enum status status = read_page(count, s);
    if (status == STATUS_OK)
        status = output_end(s->output, out);
    output_free(s->output);
    return status;
}

/* Finds what is exported, in a transaction. */
static enum status begin(struct state *s)
{
    struct ctl *ctl = s->ctl;
    const struct argument *org = ctl_get(ctl, "--org"),
                          *contact = ctl_get(ctl, "--contact"),
                          *member = ctl_get(ctl, "--member");
    enum status status = db_read_begin(ctl->db);

    s->org_id = org->given ? &org->uuid : NULL;
    s->of_contact = contact->given;
    s->viewer =
        member->given ? (struct note_viewer){.member = &member->uuid} : note_operator;
    if (status == STATUS_OK && org->given)
        status = manage_require_org(ctl->db, s->org_id, &ctl->why);
    if (status == STATUS_OK && contact->given)
        status = manage_missing(contact_find(ctl->db, &contact->uuid, NULL, NULL),
                                "contact", &contact->uuid, &ctl->why);
    if (status == STATUS_OK && contact->given)
        status = note_place_chain(ctl->db, &contact->uuid, add_id, &s->ids);
    db_read_end(ctl->db);
    return status;
}

enum status export_notes(struct ctl *ctl)
{
    struct state s = {.ctl = ctl};
    enum status status = STATUS_OK;

    if (ctl_get(ctl, "--org")->given && ctl_get(ctl, "--contact")->given)
        return problem_set(&ctl->why, STATUS_INVALID, "give --org or --contact, not both");
    status = export_open(ctl);
    if (status == STATUS_OK)
        status = begin(&s);
    if (status == STATUS_OK)
        status = export_run(ctl, write_page, &s);
    free(s.ids.list);
    return status;
}

const char export_notes_more[] =
    "In the order in which they were stored, those of one contact the oldest first, as "
    "note\n"
    "import reads them. Importing them into an empty database with the same "
    "organizations,\n"
    "members and contacts gives the same notes. Private notes are among them.";

const struct parameter export_notes_parameters[] = {
    {.name = "--org",
     .value = "ID",
     .rule = argument_uuid,
     .help = "only this organization"},
    {.name = "--contact",
     .value = "ID",
     .rule = argument_uuid,
     .help = "only this contact"},
    {.name = "--member",
     .value = "ID",
     .rule = argument_uuid,
     .help = "only what this member may see"},
    {.name = NULL},
};
