/*
 * CSV by RFC 4180, one record at a time: reading from any source, and writing.
 *
 * Cells are between commas, and may be in quotes; then they may hold commas, line breaks
 * and doubled quotes. Lines end with CRLF or LF, and the last one may lack it. A byte order
 * mark of UTF-8 before the first record is skipped. Nothing is trimmed. Everything else is
 * an error that names the line: a quote inside of a cell without quotes, anything between
 * a closing quote and the comma, a quoted cell without end, a carriage return alone.
 *
 * libcsv, which Debian has, does not fit: it ends a record at a carriage return alone,
 * skips empty lines, takes blanks away, knows neither lines nor a limit, and has had no
 * release since 2013.
 */
#ifndef LIB_CSV_H
#define LIB_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/span.h"
#include "lib/status.h"

enum {
    CSV_RECORD_MAX_BYTES = 1 << 20, /* a longer one is STATUS_TOO_LARGE */
    CSV_CELLS_MAX = 1024,           /* of a record; more are STATUS_TOO_LARGE */
};

/* As read(2): at most size bytes; 0 at the end, -1 with errno. */
typedef ssize_t csv_source(void *arg, char *out, size_t size);

struct csv_reader;

struct csv_record {
    const struct span *cells; /* without quotes; valid until the next one is read */
    size_t count;             /* of cells, at least 1: an empty line has an empty cell */
    int64_t line;             /* on which it begins, from 1 */
    int64_t end;              /* how many bytes of the input there are up to behind it */
};

/* NULL: no memory. */
struct csv_reader *csv_reader_create(csv_source *source, void *arg);

/* NULL is allowed. */
void csv_reader_free(struct csv_reader *reader);

/*
 * Reads the next record. STATUS_NOT_FOUND: there is none. STATUS_INVALID or
 * STATUS_TOO_LARGE: what comes next is no record, and why names the line; STATUS_IO: the
 * source failed. After a failure nothing more can be read.
 */
enum status csv_next(struct csv_reader *reader, struct csv_record *out,
                     struct problem *why);

/* Whether a program for spreadsheets takes a cell for a formula: one that begins with
 * = + - @, a tab or a carriage return. */
bool csv_is_formula(struct span cell);

/*
 * Writes a record, with quotes where a cell needs them. defuse: puts an apostrophe before
 * cells for which csv_is_formula holds. Whether it could be written is known from ferror.
 */
void csv_write(FILE *out, const struct span *cells, size_t count, bool defuse);

#endif
