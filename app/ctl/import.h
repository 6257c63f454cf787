/*
 * The verbs import: reading a file row by row, changes in short transactions, progress,
 * the file with the rows that were refused, and the summary. What rows are is up to a kind.
 */
#ifndef APP_CTL_IMPORT_H
#define APP_CTL_IMPORT_H

#include <stdio.h>
#include <sys/types.h>

#include "app/ctl/ctl.h"
#include "app/manage/import.h"

enum {
    IMPORT_ROW_MAX_BYTES = 12 << 20,
};

/* A row of the file, of at most IMPORT_ROW_MAX_BYTES. */
struct import_row {
    int64_t line;             /* on which it begins, from 1 */
    int64_t end;              /* bytes of the file up to behind it */
    const struct span *cells; /* of JSON Lines one: the whole line */
    size_t count;
};

/* What an import is of; state is the kind's own. */
struct import_kind {
    /* Reads the next row, whose spans are valid until the next call. STATUS_NOT_FOUND:
     * there is none; else a failure with why. */
    enum status (*read)(struct import_row *out, void *state, struct problem *why);

    /* As contact_import_row. */
    enum status (*apply)(enum import_outcome *out, void *state,
                         const struct import_row *row, struct problem *why);

    /* Writes the begin of the file with refused rows, and one of them. */
    void (*begin_rejects)(FILE *out, void *state);
    void (*reject)(FILE *out, void *state, const struct import_row *row,
                   const struct problem *why);
};

struct import;

/* Opens the FILE and the database; the verb has the parameters IMPORT_PARAMETERS. *out
 * belongs to the caller, also on failure (import_close; NULL: there is none). */
enum status import_open(struct import **out, struct ctl *ctl);
void import_close(struct import *import);

/* Where the rows come from: a csv_source, whose argument is the import. */
ssize_t import_read(void *import, char *out, size_t size);

/* Imports all rows, and gives the summary as output. */
enum status import_run(struct import *import, const struct import_kind *kind, void *state);

/* The verbs. */
enum status import_contacts(struct ctl *ctl);
enum status import_notes(struct ctl *ctl);

extern const struct parameter import_contacts_parameters[], import_notes_parameters[];
extern const char import_contacts_more[], import_notes_more[];

#define IMPORT_PARAMETER_FILE                                                              \
    .name = "FILE", .rule = argument_any, .need = PARAMETER_REQUIRED,                      \
    .help = "the file; - for standard input"
#define IMPORT_PARAMETER_DRY_RUN                                                           \
    .name = "--dry-run", .help = "change nothing, and say what would become of the rows"
#define IMPORT_PARAMETER_REJECTS                                                           \
    .name = "--rejects", .value = "FILE", .rule = argument_any,                            \
    .help = "for the rows that are refused; else FILE.rejects, or import.rejects"

/* Their rows in the tables of verbs. */
#define IMPORT_NOTES_VERB                                                                  \
    {                                                                                      \
        .name = "import",                                                                  \
        .help = "Add notes by a file of JSON Lines, as note export writes it",             \
        .more = import_notes_more, .access = CTL_ALONE, .one = true,                       \
        .parameters = import_notes_parameters, .run = import_notes                         \
    }
#define IMPORT_CONTACTS_VERB                                                               \
    {                                                                                      \
        .name = "import", .help = "Add and change contacts by a CSV file",                 \
        .more = import_contacts_more, .access = CTL_ALONE, .one = true,                    \
        .parameters = import_contacts_parameters, .run = import_contacts                   \
    }

#endif
