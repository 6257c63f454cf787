#include "app/ctl/table.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/ctl/text.h"

enum {
    GAP = 2,            /* blanks between columns */
    LEAST = 16,         /* terminal columns to which a text may be cut */
    DEFAULT_WIDTH = 80, /* of a terminal that does not say it */
};

size_t table_terminal_width(int fd)
{
    struct winsize size = {.ws_col = 0};
    const char *columns = getenv("COLUMNS");

    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    long width = columns != NULL ? strtol(columns, NULL, 10) : 0;
    return width > 0 && width <= INT_MAX ? (size_t)width : DEFAULT_WIDTH;
}

/* The widths that columns are printed with; 0: left out. */
struct layout {
    size_t widths[TABLE_COLUMNS_MAX];
    size_t last; /* the last column that is printed */
};

static size_t least_width(const struct table_column *column)
{
    size_t heading = text_width(span_of(column->heading));
    size_t least = heading > LEAST ? heading : LEAST;

    return column->may_be_cut && column->width > least ? least : column->width;
}

/* The next column in the order of ranks, which is that of places among equals. before: the
 * one that was before it; column_count: none, give the first. Returns column_count at the
 * end. */
static size_t next_by_rank(const struct table *table, size_t before)
{
    const struct table_column *columns = table->columns;
    size_t count = table->column_count, found = count;

    for (size_t i = 0; i < count; i++) {
        bool is_behind = before == count || columns[i].rank > columns[before].rank ||
                         (columns[i].rank == columns[before].rank && i > before);
        if (is_behind && (found == count || columns[i].rank < columns[found].rank))
            found = i;
    }
    return found;
}

/* Chooses columns by their rank, each with its least width; returns the room that is left,
 * 0 also where those that always stay need more. */
static size_t choose(struct layout *out, const struct table *table, size_t room)
{
    size_t count = table->column_count, used = 0;

    for (size_t i = next_by_rank(table, count); i < count; i = next_by_rank(table, i)) {
        size_t width = least_width(&table->columns[i]);
        size_t needed = width + (used > 0 ? GAP : 0);

        if (table->columns[i].rank > 0 && used + needed > room)
            continue;
        out->widths[i] = width;
        used += needed;
    }
    return used < room ? room - used : 0;
}

/* Gives the room that is left to texts that were cut, the most important first. */
static void widen(struct layout *out, const struct table *table, size_t left)
{
    size_t count = table->column_count;

    for (size_t i = next_by_rank(table, count); i < count; i = next_by_rank(table, i)) {
        size_t missing = table->columns[i].width - out->widths[i];
        size_t more = missing < left ? missing : left;

        if (out->widths[i] == 0)
            continue;
        out->widths[i] += more;
        left -= more;
    }
}

static void lay_out(struct layout *out, const struct table *table, size_t room)
{
    *out = (struct layout){.last = 0};
    widen(out, table, choose(out, table, room > 0 ? room : SIZE_MAX));
    for (size_t i = 0; i < table->column_count; i++)
        if (out->widths[i] > 0)
            out->last = i;
}

static void print_blanks(FILE *stream, size_t count)
{
    for (; count > 0; count--)
        (void)fputc(' ', stream);
}

/* Prints a cell of a table; the last one of a line is not filled up with blanks. */
static void print_cell(FILE *stream, const struct layout *layout, size_t place,
                       const char *text)
{
    size_t width = layout->widths[place];
    struct text_cut cut = text_cut(span_of(text), width);

    if (width == 0)
        return;
    (void)fwrite(text, 1, cut.len, stream);
    (void)fputs(cut.is_cut ? text_ellipsis : "", stream);
    if (place != layout->last)
        print_blanks(stream, width - cut.width + GAP);
}

static void print_headings(FILE *stream, const struct table *table,
                           const struct layout *layout)
{
    for (size_t i = 0; i < table->column_count; i++)
        print_cell(stream, layout, i, table->columns[i].heading);
    (void)fputc('\n', stream);
}

/* Prints a word and a blank before it, or in the next line where it does not fit. */
static void print_word(FILE *stream, size_t *used, size_t room, const char *word)
{
    size_t width = text_width(span_of(word));
    bool fits = *used + 1 + width <= room;

    if (*used > 0)
        (void)fputc(fits ? ' ' : '\n', stream);
    *used = *used > 0 && fits ? *used + 1 + width : width;
    (void)fputs(word, stream);
}

static uint32_t columns_shown(const struct table *table, const struct layout *layout)
{
    uint32_t shown = 0;

    for (size_t i = 0; i < table->column_count; i++)
        if (layout->widths[i] > 0)
            shown |= UINT32_C(1) << i;
    return shown;
}

void table_print(FILE *stream, struct table *table, size_t room)
{
    const char *cell = table->cells;
    struct layout layout;

    lay_out(&layout, table, room);
    if (table->shown != columns_shown(table, &layout))
        print_headings(stream, table, &layout);
    table->shown = columns_shown(table, &layout);
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t i = 0; i < table->column_count; i++, cell += strlen(cell) + 1)
            print_cell(stream, &layout, i, cell);
        (void)fputc('\n', stream);
    }
}

static bool is_shown(const struct table *table, size_t place)
{
    return (table->shown >> place & 1) != 0;
}

static bool leaves_out(const struct table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (!is_shown(table, i))
            return true;
    return false;
}

void table_print_end(FILE *stream, const struct table *table, size_t room)
{
    static const char *const words[] = {"--wide", "shows", "all", "columns:"};
    size_t used = 0;
    const char *separator = "";

    if (!leaves_out(table))
        return;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        print_word(stream, &used, room, words[i]);
    for (size_t i = 0; i < table->column_count; i++) {
        if (is_shown(table, i))
            continue;
        (void)fputs(separator, stream);
        used += strlen(separator);
        print_word(stream, &used, room - 1, table->columns[i].heading);
        separator = ",";
    }
    (void)fputc('\n', stream);
}

static size_t widest_heading(const struct table *table)
{
    size_t widest = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        size_t width = text_width(span_of(table->columns[i].heading));
        widest = widest > width ? widest : width;
    }
    return widest;
}

/* Further lines of a cell stand below its first one. */
static void print_lines(FILE *stream, const char *cell, size_t indent)
{
    for (; *cell != '\0'; cell++) {
        (void)fputc(*cell, stream);
        if (*cell == '\n')
            print_blanks(stream, indent);
    }
    (void)fputc('\n', stream);
}

void table_print_records(FILE *stream, const struct table *table)
{
    const char *cell = table->cells;
    size_t indent = widest_heading(table) + GAP;

    for (size_t row = 0; row < table->rows; row++) {
        if (row > 0)
            (void)fputc('\n', stream);
        for (size_t i = 0; i < table->column_count; i++, cell += strlen(cell) + 1) {
            const char *heading = table->columns[i].heading;

            (void)fputs(heading, stream);
            print_blanks(stream, indent - text_width(span_of(heading)));
            print_lines(stream, cell, indent);
        }
    }
}
