/*
 * CSV: a text has the same records however it arrives in pieces, and records that were
 * written are read as they were.
 */
#include <string.h>
#include <sys/types.h>

#include "lib/csv.h"
#include "tests/fuzz/fuzz.h"

/* A source that gives pieces of up to so many bytes. */
struct pieces {
    const char *data;
    size_t len, size;
};

static ssize_t give(void *arg, char *out, size_t size)
{
    struct pieces *pieces = arg;
    size_t len = pieces->len < pieces->size ? pieces->len : pieces->size;

    CHECK(size > 0);
    len = len < size ? len : size;
    if (len > 0)
        memcpy(out, pieces->data, len);
    pieces->data += len;
    pieces->len -= len;
    return (ssize_t)len;
}

/* What a text is, as bytes that are equal only for the same records and the same end. */
struct result {
    char *bytes;
    size_t size;
};

static void put_cells(FILE *out, const struct csv_record *record)
{
    (void)fprintf(out, "%zu %lld %lld ", record->count, (long long)record->line,
                  (long long)record->end);
    for (size_t i = 0; i < record->count; i++) {
        (void)fprintf(out, "%zu:", record->cells[i].len);
        (void)fwrite(record->cells[i].data, 1, record->cells[i].len, out);
    }
}

static enum status read_all(struct result *out, struct pieces pieces, FILE *again)
{
    struct csv_reader *reader = csv_reader_create(give, &pieces);
    FILE *text = open_memstream(&out->bytes, &out->size);
    struct csv_record record;
    struct problem why = {""};
    enum status status;

    CHECK(reader != NULL && text != NULL);
    while ((status = csv_next(reader, &record, &why)) == STATUS_OK) {
        put_cells(text, &record);
        if (again != NULL)
            csv_write(again, record.cells, record.count, false);
    }
    if (status != STATUS_NOT_FOUND)
        (void)fputs(why.text, text);
    CHECK(fclose(text) == 0);
    csv_reader_free(reader);
    return status;
}

/* Lines and places may differ after writing: only the cells are compared. */
static size_t next_cells(struct result *out, struct csv_reader *reader)
{
    struct csv_record record;
    struct problem why;
    FILE *text = open_memstream(&out->bytes, &out->size);
    size_t count = 0;

    CHECK(text != NULL);
    if (csv_next(reader, &record, &why) == STATUS_OK) {
        count = record.count;
        record.line = record.end = 0;
        put_cells(text, &record);
    }
    CHECK(fclose(text) == 0);
    return count;
}

static void compare_cells(struct pieces a, struct pieces b)
{
    struct csv_reader *first = csv_reader_create(give, &a);
    struct csv_reader *second = csv_reader_create(give, &b);
    size_t count;

    CHECK(first != NULL && second != NULL);
    do {
        struct result one, other;
        count = next_cells(&one, first);
        CHECK(next_cells(&other, second) == count);
        CHECK(one.size == other.size && memcmp(one.bytes, other.bytes, one.size) == 0);
        free(one.bytes);
        free(other.bytes);
    } while (count > 0);
    csv_reader_free(first);
    csv_reader_free(second);
}

/* Behind a mark another one is text, which would stand first when it is written again. */
static bool begins_with_mark(const char *text, size_t size)
{
    static const char *const marks[] = {"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (size >= strlen(marks[i]) && memcmp(text, marks[i], strlen(marks[i])) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t piece = size > 0 ? 1 + data[size - 1] % 8 : 1;
    struct pieces whole = {(const char *)data, size, SIZE_MAX};
    struct pieces small = {(const char *)data, size, piece};
    struct result one, other;
    char *written = NULL;
    size_t written_size = 0;
    FILE *again = open_memstream(&written, &written_size);

    CHECK(again != NULL);
    enum status status = read_all(&one, whole, again);
    CHECK(fclose(again) == 0);
    CHECK(read_all(&other, small, NULL) == status);
    CHECK(one.size == other.size && memcmp(one.bytes, other.bytes, one.size) == 0);
    if (status == STATUS_NOT_FOUND && !begins_with_mark(written, written_size))
        compare_cells(whole, (struct pieces){written, written_size, SIZE_MAX});
    free(one.bytes);
    free(other.bytes);
    free(written);
    return 0;
}
