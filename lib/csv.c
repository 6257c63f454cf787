#include "lib/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_BYTES = 32 * 1024, /* that are read at once */
    BUFFER_BYTES = CSV_RECORD_MAX_BYTES + CHUNK_BYTES,
    MARK_BYTES = 3, /* of the byte order mark */
};

static const char mark[] = "\xef\xbb\xbf";

struct csv_reader {
    csv_source *source;
    void *arg;
    size_t begin, end; /* of what was read and not given yet */
    int64_t line;      /* of the next record */
    int64_t given;     /* bytes of the input */
    bool started, at_end;
    struct span cells[CSV_CELLS_MAX];
    size_t size; /* of the memory; it grows up to BUFFER_BYTES */
    char *bytes;
};

struct csv_reader *csv_reader_create(csv_source *source, void *arg)
{
    struct csv_reader *reader = calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->source = source;
    reader->arg = arg;
    reader->line = 1;
    return reader;
}

void csv_reader_free(struct csv_reader *reader)
{
    if (reader != NULL)
        free(reader->bytes);
    free(reader);
}

/* Makes room for a chunk: at the front, or by more memory. */
static bool make_room(struct csv_reader *r)
{
    if (r->size - r->end >= CHUNK_BYTES)
        return true;
    if (r->begin > 0) {
        memmove(r->bytes, r->bytes + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    if (r->size - r->end >= CHUNK_BYTES)
        return true;
    size_t size =
        r->end + CHUNK_BYTES < BUFFER_BYTES / 2 ? 2 * (r->end + CHUNK_BYTES) : BUFFER_BYTES;
    char *bytes = realloc(r->bytes, size);
    if (bytes == NULL)
        return false;
    r->bytes = bytes;
    r->size = size;
    return true;
}

static enum status fill(struct csv_reader *r, struct problem *why)
{
    if (!make_room(r))
        return problem_set(why, STATUS_NO_MEMORY, "out of memory");
    ssize_t len = r->source(r->arg, r->bytes + r->end, CHUNK_BYTES);
    if (len < 0)
        return problem_set(why, STATUS_IO, "line %lld: cannot read: %s", (long long)r->line,
                           strerror(errno));
    r->at_end = len == 0;
    r->end += (size_t)len;
    return STATUS_OK;
}

static enum status skip_mark(struct csv_reader *r, struct problem *why)
{
    enum status status = STATUS_OK;

    r->started = true;
    while (status == STATUS_OK && r->end < MARK_BYTES && !r->at_end)
        status = fill(r, why);
    if (status != STATUS_OK)
        return status;
    if (r->end >= MARK_BYTES && memcmp(r->bytes, mark, MARK_BYTES) == 0)
        r->begin = MARK_BYTES;
    if (r->end >= 2 &&
        (memcmp(r->bytes, "\xff\xfe", 2) == 0 || memcmp(r->bytes, "\xfe\xff", 2) == 0))
        return problem_set(why, STATUS_INVALID, "line 1: is UTF-16: save it as UTF-8");
    r->given = (int64_t)r->begin;
    return STATUS_OK;
}

/* The state of looking for the end of a record. */
struct search {
    size_t at;        /* behind begin; everything before it was looked at */
    bool in_quotes;   /* after an odd number of quotes */
    int64_t newlines; /* so far */
};

/* True: a line feed outside of quotes is at search->at. */
static bool find_end(struct search *search, const char *bytes, size_t len)
{
    for (; search->at < len; search->at++) {
        if (bytes[search->at] == '"')
            search->in_quotes = !search->in_quotes;
        if (bytes[search->at] != '\n')
            continue;
        if (!search->in_quotes)
            return true;
        search->newlines++;
    }
    return false;
}

static enum status complain(enum status status, int64_t line, const char *what,
                            struct problem *why)
{
    return problem_set(why, status, "line %lld: %s", (long long)line, what);
}

static enum status complain_of_length(const struct csv_reader *r, struct problem *why)
{
    return complain(STATUS_TOO_LARGE, r->line,
                    "the record is longer than 1 MiB: is a quote missing?", why);
}

/* Finds the bytes of the next record, without the end of its line. */
static enum status take_record(struct csv_reader *r, struct span *out,
                               struct search *search, struct problem *why)
{
    while (!find_end(search, r->bytes + r->begin, r->end - r->begin) && !r->at_end) {
        if (search->at >= CSV_RECORD_MAX_BYTES)
            return complain_of_length(r, why);
        enum status status = fill(r, why);
        if (status != STATUS_OK)
            return status;
    }
    *out = (struct span){r->bytes + r->begin, search->at};
    if (out->len > CSV_RECORD_MAX_BYTES)
        return complain_of_length(r, why);
    return r->begin == r->end ? STATUS_NOT_FOUND : STATUS_OK;
}

static int64_t count_newlines(struct span text)
{
    int64_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    return count;
}

/* A cell in quotes, which begins at from. Takes doubled quotes as one, in place. Returns
 * what is behind the closing quote, or NULL: there is none. */
static char *take_quoted(struct span *cell, char *from, const char *end)
{
    char *out = from, *at = from + 1;

    for (;;) {
        char *quote = at < end ? memchr(at, '"', (size_t)(end - at)) : NULL;
        if (quote == NULL)
            return NULL;
        memmove(out, at, (size_t)(quote - at));
        out += quote - at;
        at = quote + 1;
        if (at == end || *at != '"')
            break;
        *out++ = '"';
        at++;
    }
    *cell = (struct span){from, (size_t)(out - from)};
    return at;
}

static char *take_plain(struct span *cell, char *from, const char *end)
{
    char *comma = memchr(from, ',', (size_t)(end - from));
    char *behind = comma != NULL ? comma : from + (end - from);

    *cell = (struct span){from, (size_t)(behind - from)};
    return behind;
}

static const char *fault_of_plain(struct span cell)
{
    if (memchr(cell.data, '"', cell.len) != NULL)
        return "a quote stands in a cell that does not begin with one";
    if (memchr(cell.data, '\r', cell.len) != NULL)
        return "a carriage return without a line feed: lines must end with LF or CRLF";
    return NULL;
}

/* Takes the next cell; *line becomes that of its end. */
static enum status take_cell(struct span *cell, char **at, const char *end, int64_t *line,
                             struct problem *why)
{
    const char *fault = NULL;

    if (*at >= end || **at != '"') {
        *at = take_plain(cell, *at, end);
        fault = cell->len > 0 ? fault_of_plain(*cell) : NULL;
    } else {
        char *behind = take_quoted(cell, *at, end);
        if (behind == NULL)
            return complain(STATUS_INVALID, *line, "a cell in quotes does not end", why);
        *at = behind;
        *line += count_newlines(*cell);
        if (*at < end && **at != ',')
            fault = "something follows the closing quote of a cell";
    }
    return fault == NULL ? STATUS_OK : complain(STATUS_INVALID, *line, fault, why);
}

static enum status split(struct csv_reader *r, size_t *count, size_t len,
                         struct problem *why)
{
    char *at = r->bytes + r->begin;
    const char *end = at + len;
    int64_t line = r->line;

    for (*count = 0; *count < CSV_CELLS_MAX; at++) {
        enum status status = take_cell(&r->cells[(*count)++], &at, end, &line, why);
        if (status != STATUS_OK || at == end)
            return status;
    }
    return complain(STATUS_TOO_LARGE, r->line, "there are more than 1024 cells", why);
}

enum status csv_next(struct csv_reader *reader, struct csv_record *out, struct problem *why)
{
    struct search search = {.at = 0};
    struct span record = {NULL, 0};
    enum status status = reader->started ? STATUS_OK : skip_mark(reader, why);

    if (status == STATUS_OK)
        status = take_record(reader, &record, &search, why);
    if (status != STATUS_OK)
        return status;
    const bool ended = record.len < reader->end - reader->begin;
    const size_t taken = record.len + (ended ? 1 : 0);
    if (ended && record.len > 0 && record.data[record.len - 1] == '\r')
        record.len--;
    *out = (struct csv_record){.cells = reader->cells, .line = reader->line};
    status = split(reader, &out->count, record.len, why);
    reader->begin += taken;
    reader->given += (int64_t)taken;
    reader->line += search.newlines + 1;
    out->end = reader->given;
    return status;
}

bool csv_is_formula(struct span cell)
{
    return cell.len > 0 && cell.data[0] != '\0' && strchr("=+-@\t\r", cell.data[0]) != NULL;
}

static bool needs_quotes(struct span cell)
{
    for (size_t i = 0; i < cell.len; i++)
        if (cell.data[i] == ',' || cell.data[i] == '"' || cell.data[i] == '\n' ||
            cell.data[i] == '\r')
            return true;
    return false;
}

static void write_quoted(FILE *out, struct span cell)
{
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.data[i] == '"')
            (void)putc_unlocked('"', out);
        (void)putc_unlocked(cell.data[i], out);
    }
}

static void write_cell(FILE *out, struct span cell, bool defuse)
{
    const bool quotes = needs_quotes(cell);

    if (quotes)
        (void)putc_unlocked('"', out);
    if (defuse && csv_is_formula(cell))
        (void)putc_unlocked('\'', out);
    if (quotes)
        write_quoted(out, cell);
    else if (cell.len > 0)
        (void)fwrite_unlocked(cell.data, 1, cell.len, out);
    if (quotes)
        (void)putc_unlocked('"', out);
}

void csv_write(FILE *out, const struct span *cells, size_t count, bool defuse)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            (void)putc_unlocked(',', out);
        write_cell(out, cells[i], defuse);
    }
    (void)fputs_unlocked("\r\n", out);
}
