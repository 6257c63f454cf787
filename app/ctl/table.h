/*
 * Prints rows of cells for people: as a table that fits the terminal, or as records.
 */
#ifndef APP_CTL_TABLE_H
#define APP_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TABLE_COLUMNS_MAX = 24,
};

struct table_column {
    const char *heading;
    size_t width;    /* terminal columns, of the widest cell or the heading */
    int rank;        /* in a narrow terminal those of the lowest ranks stay; 0: always */
    bool may_be_cut; /* else it is shown whole or not at all */
};

/* A table, of which a page is printed after the other. From page to page columns get wider,
 * never narrower. */
struct table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    size_t rows;       /* of this page */
    const char *cells; /* of its rows, row by row, each ended by NUL */
    uint32_t shown; /* the columns of the page before, a bit for each; 0: there is none */
};

_Static_assert(TABLE_COLUMNS_MAX <= 32, "shown has a bit for each column");

/*
 * The columns of the terminal that fd is: as the terminal says, else as COLUMNS in the
 * environment, else 80. 0: fd is no terminal.
 */
size_t table_terminal_width(int fd);

/*
 * Prints a page of a table with aligned columns, below headings if it is the first one, or
 * shows other columns than the page before. room: the columns of the terminal; where they
 * are not enough, texts are cut and columns are left out. 0: everything is printed.
 */
void table_print(FILE *stream, struct table *table, size_t room);

/* After the last page: prints which columns it left out, if any. */
void table_print_end(FILE *stream, const struct table *table, size_t room);

/* Prints each row as lines with a heading and its cell; an empty line between rows. */
void table_print_records(FILE *stream, const struct table *table);

#endif
