/* contact export: CSV with a row of names. */
#include "app/ctl/export.h"
#include "app/manage/contact_export.h"
#include "lib/csv.h"

struct state {
    struct contact_export export;
    FILE *out; /* of this page */
    bool begun, with_org, defuse;
};

/* The organization is a column only where there may be several. */
static void write_cells(const struct state *state, const struct span cells[CONTACT_FIELDS])
{
    const size_t first = state->with_org ? 0 : 1;

    _Static_assert(CONTACT_FIELD_ORG == 0, "it is the first column");
    csv_write(state->out, cells + first, CONTACT_FIELDS - first, state->defuse);
}

static enum status write_contact(void *arg, const struct contact *contact)
{
    struct span cells[CONTACT_FIELDS];
    char texts[CONTACT_CELL_TEXTS_BYTES];

    contact_export_cells(cells, texts, contact);
    write_cells(arg, cells);
    return STATUS_OK;
}

static void write_names(const struct state *state)
{
    struct span names[CONTACT_FIELDS];

    for (int i = 0; i < CONTACT_FIELDS; i++)
        names[i] = span_of(contact_field_names[i]);
    write_cells(state, names);
}

static enum status write_page(int64_t *count, FILE *out, struct ctl *ctl, void *arg)
{
    struct state *state = arg;

    (void)ctl;
    state->out = out;
    if (!state->begun)
        write_names(state);
    state->begun = true;
    return contact_export_page(count, &state->export, write_contact, state);
}

enum status export_contacts(struct ctl *ctl)
{
    const struct argument *org = ctl_get(ctl, "--org");
    struct state state = {
        .with_org = !org->given,
        .defuse = ctl_get(ctl, "--for-spreadsheets")->given,
    };
    enum status status = export_open(ctl);

    if (status == STATUS_OK)
        status = contact_export_begin(&state.export, ctl->db,
                                      org->given ? &org->uuid : NULL, &ctl->why);
    return status == STATUS_OK ? export_run(ctl, write_page, &state) : status;
}

const char export_contacts_more[] =
    "CSV as contact import reads it; importing it into an empty database with the same\n"
    "organizations and members gives the same contacts. Without --org the organization is\n"
    "a column, too.";

const struct parameter export_contacts_parameters[] = {
    {.name = "--org",
     .value = "ID",
     .rule = argument_uuid,
     .help = "only this organization"},
    {.name = "--for-spreadsheets",
     .help = "with an apostrophe before formulas; not to be imported again"},
    {.name = NULL},
};
