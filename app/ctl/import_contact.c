/* contact import: a CSV file with a row of names. */
#include <stdlib.h>

#include "app/ctl/import.h"
#include "app/manage/contact_import.h"
#include "lib/csv.h"
#include "lib/utf8.h"

/* The columns that the file with refused rows has before those of the import. */
static const struct span reject_columns[] = {SPAN("reject_line"), SPAN("reject_reason")};

enum {
    REJECT_COLUMNS = sizeof reject_columns / sizeof reject_columns[0],
    COLUMN_IGNORED = CONTACT_FIELDS, /* besides enum contact_field */
    COLUMN_REJECT,                   /* of an earlier import: not written again */
};

struct state {
    struct ctl *ctl;
    struct csv_reader *reader;
    size_t columns;
    int fields[CSV_CELLS_MAX]; /* of the columns */
    char *names;               /* the first row, as CSV */
    struct contact_import import;
};

static bool is_reject_column(struct span name)
{
    return span_equals(name, reject_columns[0]) || span_equals(name, reject_columns[1]);
}

/* The name that --map gives a column; its own where it gives none. */
static struct span mapped_name(const struct ctl *ctl, struct span name)
{
    const struct argument *map = ctl_get(ctl, "--map");

    for (size_t i = 0; i < map->item_count; i++) {
        const struct span word = map->items[i];
        if (word.len > name.len && word.data[name.len] == '=' &&
            memcmp(word.data, name.data, name.len) == 0)
            return (struct span){word.data + name.len + 1, word.len - name.len - 1};
    }
    return name;
}

static enum status take_column(struct state *state, struct span name, size_t at)
{
    struct ctl *ctl = state->ctl;
    const struct span ours = mapped_name(ctl, name);
    const enum contact_field field = contact_field_find(ours);

    state->fields[at] = is_reject_column(name) ? COLUMN_REJECT : (int)field;
    for (size_t i = 0; i < at && field != CONTACT_FIELDS; i++)
        if (state->fields[i] == (int)field)
            return problem_set(&ctl->why, STATUS_INVALID, "line 1: two columns are %s",
                               contact_field_names[field]);
    if (state->fields[at] == COLUMN_IGNORED)
        ctl_remark(ctl, "the column %.*s is ignored", (int)(name.len < 80 ? name.len : 80),
                   name.data);
    return STATUS_OK;
}

/* Each --map must be of a column that there is, and to a name that there is. */
static enum status check_map(struct state *state, const struct csv_record *first)
{
    struct ctl *ctl = state->ctl;
    const struct argument *map = ctl_get(ctl, "--map");

    for (size_t i = 0; i < map->item_count; i++) {
        const struct span word = map->items[i];
        size_t at = 0;
        while (at < first->count && mapped_name(ctl, first->cells[at]).data !=
                                        word.data + first->cells[at].len + 1)
            at++;
        if (at == first->count)
            return problem_set(&ctl->why, STATUS_INVALID,
                               "--map %.*s: must be COLUMN=NAME with a column of the file",
                               (int)word.len, word.data);
        if (state->fields[at] == COLUMN_IGNORED)
            return problem_set(&ctl->why, STATUS_INVALID,
                               "--map %.*s: there is no such name: see --help",
                               (int)word.len, word.data);
    }
    return STATUS_OK;
}

static bool has_field(const struct state *state, enum contact_field field)
{
    for (size_t i = 0; i < state->columns; i++)
        if (state->fields[i] == (int)field)
            return true;
    return false;
}

static enum status require_columns(struct state *state, const struct csv_record *first)
{
    struct ctl *ctl = state->ctl;
    bool any = false;

    for (size_t i = 0; i < state->columns; i++)
        any = any || state->fields[i] < CONTACT_FIELDS;
    if (!any)
        return problem_set(
            &ctl->why, STATUS_INVALID,
            "line 1: must be the names of the columns, such as contact_name%s",
            memchr(first->cells[0].data, ';', first->cells[0].len) != NULL
                ? ", between commas and not semicolons"
                : "");
    if (!ctl_get(ctl, "--org")->given && !has_field(state, CONTACT_FIELD_ORG))
        return problem_set(&ctl->why, STATUS_INVALID,
                           "--org ID is missing: there is no column org_id");
    return STATUS_OK;
}

/* Keeps the names for the file with refused rows. */
static enum status keep_names(struct state *state, const struct csv_record *first)
{
    size_t size;
    FILE *out = open_memstream(&state->names, &size);
    struct span names[CSV_CELLS_MAX];
    size_t count = 0;

    if (out == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < first->count; i++)
        if (state->fields[i] != COLUMN_REJECT)
            names[count++] = first->cells[i];
    csv_write(out, names, count, false);
    return fclose(out) == 0 ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status read_names(struct state *state)
{
    struct ctl *ctl = state->ctl;
    struct csv_record first;
    enum status status = csv_next(state->reader, &first, &ctl->why);

    if (status == STATUS_NOT_FOUND)
        return problem_set(&ctl->why, STATUS_INVALID, "the file is empty");
    if (status != STATUS_OK)
        return status;
    state->columns = first.count;
    for (size_t i = 0; i < first.count && status == STATUS_OK; i++)
        status = utf8_valid(first.cells[i])
                     ? take_column(state, first.cells[i], i)
                     : problem_set(&ctl->why, STATUS_INVALID, "line 1: must be UTF-8");
    if (status == STATUS_OK)
        status = check_map(state, &first);
    if (status == STATUS_OK)
        status = require_columns(state, &first);
    return status == STATUS_OK ? keep_names(state, &first) : status;
}

static enum status read_row(struct import_row *out, void *arg, struct problem *why)
{
    struct state *state = arg;
    struct csv_record record;
    enum status status;

    do /* programs end files with an empty line */
        status = csv_next(state->reader, &record, why);
    while (status == STATUS_OK && record.count == 1 && record.cells[0].len == 0);
    *out = (struct import_row){record.line, record.end, record.cells, record.count};
    return status;
}

static enum status apply(enum import_outcome *out, void *arg, const struct import_row *row,
                         struct problem *why)
{
    struct state *state = arg;
    struct contact_row cells = {.cells = {{NULL, 0}}};

    if (row->count != state->columns) {
        *out = IMPORT_REFUSED;
        return problem_set(why, STATUS_OK, "has %zu cells, but the first row has %zu",
                           row->count, state->columns);
    }
    for (size_t i = 0; i < row->count; i++)
        if (state->fields[i] < CONTACT_FIELDS)
            cells.cells[state->fields[i]] = row->cells[i];
    return contact_import_row(out, &state->import, &cells, why);
}

static void begin_rejects(FILE *out, void *arg)
{
    const struct state *state = arg;

    (void)fprintf(out, "%s,%s,%s", reject_columns[0].data, reject_columns[1].data,
                  state->names);
}

static void reject(FILE *out, void *arg, const struct import_row *row,
                   const struct problem *why)
{
    const struct state *state = arg;
    struct span cells[REJECT_COLUMNS + CSV_CELLS_MAX];
    char line[24];
    size_t count = REJECT_COLUMNS;

    (void)snprintf(line, sizeof line, "%lld", (long long)row->line);
    cells[0] = span_of(line);
    cells[1] = span_of(why->text);
    for (size_t i = 0; i < row->count; i++)
        if (i >= state->columns || state->fields[i] != COLUMN_REJECT)
            cells[count++] = row->cells[i];
    csv_write(out, cells, count, false);
}

static const struct import_kind kind = {read_row, apply, begin_rejects, reject};

static const struct {
    const char *word;
    enum contact_import_match match;
} matches[] = {
    {"email", CONTACT_IMPORT_BY_EMAIL},
    {"contact_id", CONTACT_IMPORT_BY_ID},
};

enum { MATCHES = sizeof matches / sizeof matches[0] };

static enum status read_match(struct argument *out, struct span word, struct problem *why)
{
    (void)out;
    for (size_t i = 0; i < MATCHES; i++)
        if (span_equals(word, span_of(matches[i].word)))
            return STATUS_OK;
    return problem_set(why, STATUS_INVALID, "must be email or contact_id");
}

static enum status read_map(struct argument *out, struct span word, struct problem *why)
{
    if (memchr(word.data, '=', word.len) == NULL)
        return problem_set(why, STATUS_INVALID, "must be COLUMN=NAME");
    return argument_items(out, word, why);
}

static enum status read_owner(struct argument *out, struct span word, struct problem *why)
{
    return uuid_parse(&out->uuid, word) ? STATUS_OK : argument_email(out, word, why);
}

static struct contact_import import_of(const struct ctl *ctl)
{
    const struct argument *org = ctl_get(ctl, "--org"), *match = ctl_get(ctl, "--match");
    struct contact_import import = {
        .db = ctl->db,
        .org_id = org->given ? &org->uuid : NULL,
        .owner = ctl_get(ctl, "--owner")->text,
        .match = CONTACT_IMPORT_BY_ANY,
        .dry = ctl_get(ctl, "--dry-run")->given,
        .now_ms = ctl->now_ms,
    };

    for (size_t i = 0; i < MATCHES; i++)
        if (span_equals(match->text, span_of(matches[i].word)))
            import.match = matches[i].match;
    return import;
}

/* A mistake in the command line is no reason to refuse every row. */
static enum status check_given(struct state *state)
{
    struct ctl *ctl = state->ctl;
    struct contact_import *import = &state->import;
    struct uuid owner;
    enum status status = STATUS_OK;

    if (import->org_id != NULL)
        status = manage_require_org(ctl->db, import->org_id, &ctl->why);
    if (status != STATUS_OK || import->owner.len == 0 || import->org_id == NULL)
        return status;
    status = import_find_member(&owner, &import->members, ctl->db, import->org_id,
                                import->owner, &ctl->why);
    if (status == STATUS_REFUSED)
        problem_prefix(&ctl->why, "--owner");
    return status;
}

static enum status run(struct state *state, struct import *import)
{
    state->import = import_of(state->ctl);
    state->reader = csv_reader_create(import_read, import);
    enum status status = state->reader != NULL ? check_given(state) : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = read_names(state);
    return status == STATUS_OK ? import_run(import, &kind, state) : status;
}

enum status import_contacts(struct ctl *ctl)
{
    struct state *state = calloc(1, sizeof *state);
    struct import *import = NULL;
    enum status status = state != NULL ? import_open(&import, ctl) : STATUS_NO_MEMORY;

    if (status == STATUS_OK) {
        state->ctl = ctl;
        status = run(state, import);
    }
    if (state != NULL) {
        csv_reader_free(state->reader);
        free(state->names);
    }
    free(state);
    import_close(import);
    return status;
}

const char import_contacts_more[] =
    "The first row names the columns: contact_id, contact_owner, contact_name, "
    "first_name,\n"
    "last_name, role_label, primary_email, secondary_email, primary_phone, "
    "secondary_phone,\n"
    "entity_name, entity_website, created_at, updated_at, org_id. An empty cell leaves a\n"
    "field as it is. The command can be stopped and run again: no contact is added twice.";

const struct parameter import_contacts_parameters[] = {
    {IMPORT_PARAMETER_FILE},
    {.name = "--org",
     .value = "ID",
     .rule = argument_uuid,
     .help = "the organization; may be left out if the file has the column org_id"},
    {.name = "--owner",
     .value = "MEMBER",
     .rule = read_owner,
     .personal = true,
     .help = "the owner, by id or e-mail address, of new contacts whose row has none"},
    {.name = "--map",
     .value = "COLUMN",
     .rule = read_map,
     .many = true,
     .help = "COLUMN=NAME, where the file calls a column otherwise; repeatable"},
    {.name = "--match",
     .value = "BY",
     .rule = read_match,
     .help =
         "find contacts by email or contact_id only; else by contact_id where it is there"},
    {IMPORT_PARAMETER_DRY_RUN},
    {IMPORT_PARAMETER_REJECTS},
    {.name = NULL},
};
