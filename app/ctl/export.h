/*
 * The verbs export: pages of rows to standard output, as they are read. No transaction is
 * open while the output waits for its reader.
 */
#ifndef APP_CTL_EXPORT_H
#define APP_CTL_EXPORT_H

#include <stdio.h>

#include "app/ctl/ctl.h"

/* Writes the next page to out; *count is the number of its rows, 0 at the end. */
typedef enum status export_page(int64_t *count, FILE *out, struct ctl *ctl, void *state);

/* Writes all pages. STATUS_OK also where the reader has seen enough and closed the pipe. */
enum status export_run(struct ctl *ctl, export_page *page, void *state);

/* Opens the database for reading: the verb has CTL_ALONE. */
enum status export_open(struct ctl *ctl);

enum status export_contacts(struct ctl *ctl);
enum status export_notes(struct ctl *ctl);

extern const struct parameter export_contacts_parameters[], export_notes_parameters[];
extern const char export_contacts_more[], export_notes_more[];

/* Their rows in the tables of verbs. */
#define EXPORT_NOTES_VERB                                                                  \
    {                                                                                      \
        .name = "export", .help = "Write notes with all their versions as JSON Lines",     \
        .more = export_notes_more, .access = CTL_ALONE, .one = true,                       \
        .parameters = export_notes_parameters, .run = export_notes                         \
    }
#define EXPORT_CONTACTS_VERB                                                               \
    {                                                                                      \
        .name = "export",                                                                  \
        .help = "Write contacts as CSV, the one changed last behind the others",           \
        .more = export_contacts_more, .access = CTL_ALONE, .one = true,                    \
        .parameters = export_contacts_parameters, .run = export_contacts                   \
    }

#endif
