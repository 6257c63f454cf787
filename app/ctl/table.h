/*
 * Prints rows of cells for people: as a table that fits the terminal, or as records.
 */
#ifndef APP_CTL_TABLE_H
#define APP_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
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

struct table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    size_t column_count;
    size_t rows;
    const char *cells; /* of all rows, row by row, each ended by NUL */
};

/*
 * The columns of the terminal that fd is: as the terminal says, else as COLUMNS in the
 * environment, else 80. 0: fd is no terminal.
 */
size_t table_terminal_width(int fd);

/*
 * Prints a table with aligned columns. room: the columns of the terminal; where they are
 * not enough, texts are cut and columns are left out, and the line below the table names
 * these. 0: everything is printed.
 */
void table_print(FILE *stream, const struct table *table, size_t room);

/* Prints each row as lines with a heading and its cell; an empty line between rows. */
void table_print_records(FILE *stream, const struct table *table);

#endif
