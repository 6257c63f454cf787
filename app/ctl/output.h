/*
 * The output of crmnotesctl: rows of any struct that a table of columns describes.
 *
 * As JSON, one object a line (made by json-c). For people, a table or, for one object, its
 * columns below each other (app/ctl/table.h). Rows are kept until output_print, so that a
 * slow reader of the output keeps no transaction open. Long lists come in pages, so that
 * memory is bounded: a page is read in a transaction, and printed after it. Since a row may
 * hold a secret, memory is wiped before it is freed.
 */
#ifndef APP_CTL_OUTPUT_H
#define APP_CTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/address.h"
#include "lib/span.h"
#include "lib/status.h"
#include "lib/uuid.h"

enum column_type {
    COLUMN_TEXT,         /* struct span; empty: null */
    COLUMN_UUID,         /* struct uuid */
    COLUMN_UUID_OR_NULL, /* const struct uuid *; NULL: null */
    COLUMN_INT,          /* int64_t; negative: null */
    COLUMN_BOOL,         /* bool */
    COLUMN_DATE,         /* int64_t, ms since 1970; 0: null */
    COLUMN_ADDRESS,      /* struct address; ADDRESS_NONE: null */
    COLUMN_BLOCK,        /* struct cidr; of ADDRESS_NONE: null */
    COLUMN_BLOCKS,       /* struct output_blocks, an array */
    COLUMN_JSON, /* struct span, JSON text; no object: null as JSON, unchanged for people */
    COLUMN_OBJECT, /* columns inside, with offsets in the struct that begins here */
};

struct output_blocks {
    const struct cidr *list;
    size_t count;
};

struct column {
    const char *member;          /* of the JSON object */
    const char *heading;         /* for people */
    const struct column *inside; /* of a COLUMN_OBJECT */
    size_t offset;               /* of the field in the row's struct */
    enum column_type type;
    int rank;      /* for people: in a narrow terminal, tables keep the columns of the
                      lowest ranks; 0: always */
    int cut;       /* for people: in tables at most so many characters; 0: any number */
    bool optional; /* left out when it is null */
    bool detail;   /* for people: not in tables, only where one object is printed */
};

/* A column of struct TYPE's FIELD. A table of columns ends with a row without member. */
#define OUTPUT_FIELD(row, field) .offset = offsetof(struct row, field)

struct output;

enum output_style {
    OUTPUT_JSON,
    OUTPUT_TABLE,
    OUTPUT_RECORD,
};

/* room: terminal columns into which a table must fit, see app/ctl/table.h; 0: any number.
 * NULL: no memory. */
struct output *output_create(enum output_style style, size_t room);

/* NULL is allowed. */
void output_free(struct output *output);

/* Begins a page, of at most so many rows and about 256 KiB: what was taken is printed. */
void output_begin_page(struct output *output, size_t rows);

/* Copies the values of a row. All rows of a table have the same columns. STATUS_NOT_FOUND,
 * which ends a list: the page is full, and the row belongs to the next one. */
enum status output_row(struct output *output, const struct column *columns,
                       const void *row);

/* How many rows were taken, those of former pages included. */
size_t output_count(const struct output *output);

/* Whether a row was refused because the page is full. */
bool output_has_more(const struct output *output);

/* The id of the last row that was taken, of a list whose first column is a COLUMN_UUID. */
struct uuid output_last(const struct output *output);

/* Writes the page and flushes. STATUS_IO when not all of it could be written (errno). */
enum status output_print(struct output *output, FILE *stream);

/* A text for people, which output_end writes behind all rows; programs that read JSON do
 * not get it. Copied, and wiped as the rows are. STATUS_NO_MEMORY. */
enum status output_set_closing(struct output *output, struct span text);

/* The same for the last page, or the only one, and for what follows it. */
enum status output_end(struct output *output, FILE *stream);

#endif
