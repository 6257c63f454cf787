#include "lib/csv.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/unit.h"

/* A source that gives a text in pieces of so many bytes. */
struct pieces {
    struct span rest;
    size_t size;
};

static ssize_t give(void *arg, char *out, size_t size)
{
    struct pieces *pieces = arg;
    size_t len = pieces->rest.len < pieces->size ? pieces->rest.len : pieces->size;

    assert_true(size > 0);
    len = len < size ? len : size;
    if (len > 0)
        memcpy(out, pieces->rest.data, len);
    pieces->rest.data += len;
    pieces->rest.len -= len;
    return (ssize_t)len;
}

/* What the records of a text are, as "line[cell|cell]…", or the sentence of the failure. */
static const char *read_pieces(struct span text, size_t size)
{
    static char out[4096];
    struct pieces pieces = {text, size};
    struct csv_reader *reader = csv_reader_create(give, &pieces);
    struct csv_record record;
    struct problem why = {""};
    enum status status;
    int64_t end = 0; /* of the input, as far as it was read */

    assert_non_null(reader);
    out[0] = '\0';
    while ((status = csv_next(reader, &record, &why)) == STATUS_OK) {
        size_t used = strlen(out);
        used += (size_t)snprintf(out + used, sizeof out - used, "%d[", (int)record.line);
        for (size_t i = 0; i < record.count; i++)
            used +=
                (size_t)snprintf(out + used, sizeof out - used, "%s%.*s", i > 0 ? "|" : "",
                                 (int)record.cells[i].len, record.cells[i].data);
        (void)snprintf(out + used, sizeof out - used, "]");
        end = record.end;
    }
    if (status == STATUS_NOT_FOUND)
        assert_int_equal(end, text.len);
    else
        (void)snprintf(out, sizeof out, "%s", why.text);
    csv_reader_free(reader);
    return out;
}

/* Every text is read in pieces of one byte, of a few, and as a whole. */
static void check(const char *text, const char *wanted)
{
    static const size_t sizes[] = {1, 2, 3, 7, 4096};

    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_string_equal(read_pieces(span_of(text), sizes[i]), wanted);
}

static void records_are_read(void **state)
{
    (void)state;
    check("", "");
    check("a,b\nc,d\n", "1[a|b]2[c|d]");
    check("a,b\r\nc,d", "1[a|b]2[c|d]");
    check("\xef\xbb\xbf"
          "a,b\r\n",
          "1[a|b]");
    check("a,,\n,\n", "1[a||]2[|]");
    check("a\n\nb\n", "1[a]2[]3[b]");
    check(" a , b \n", "1[ a | b ]");
}

static void quoted_cells_may_hold_anything(void **state)
{
    (void)state;
    check("\"a,b\",\"c\"\"d\"\n", "1[a,b|c\"d]");
    check("\"\",\"\"\"\"\n", "1[|\"]");
    check("\"a\nb\r\nc\",d\ne\n", "1[a\nb\r\nc|d]4[e]");
    check("\"a\r\"\r\n", "1[a\r]");
    check("\"\xef\xbb\xbf\"\n", "1[\xef\xbb\xbf]");
    check("\"a\"", "1[a]");
}

static void faults_name_their_line(void **state)
{
    static const char plain[] = "a quote stands in a cell that does not begin with one";
    char text[128];

    (void)state;
    (void)snprintf(text, sizeof text, "line 2: %s", plain);
    check("a\nb\"c\"\n", text);
    (void)snprintf(text, sizeof text, "line 4: %s", plain);
    check("\"a\n\"\nx\n\"b\", \"c\"\n", text);
    check("a\n\"b\"c\n", "line 2: something follows the closing quote of a cell");
    check("a\n\"b\nc\" \n", "line 3: something follows the closing quote of a cell");
    check("a\n\"b\nc", "line 2: a cell in quotes does not end");
    check("a\rb\n", "line 1: a carriage return without a line feed: lines must end with LF "
                    "or CRLF");
    check("a\r", "line 1: a carriage return without a line feed: lines must end with LF or "
                 "CRLF");
    check("\xff\xfe"
          "a",
          "line 1: is UTF-16: save it as UTF-8");
}

static void records_have_limits(void **state)
{
    const size_t size = CSV_RECORD_MAX_BYTES + 10;
    char *text = malloc(size);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', size);
    memcpy(text, "x\n\"", 3);
    assert_string_equal(read_pieces((struct span){text, size}, 100000),
                        "line 2: the record is longer than 1 MiB: is a quote missing?");
    memset(text, ',', size);
    assert_string_equal(read_pieces((struct span){text, 1025}, 100000),
                        "line 1: there are more than 1024 cells");
    free(text);
}

static ssize_t break_off(void *arg, char *out, size_t size)
{
    (void)arg;
    (void)out;
    (void)size;
    errno = EIO;
    return -1;
}

static void a_source_may_fail(void **state)
{
    struct csv_reader *reader = csv_reader_create(break_off, NULL);
    struct csv_record record;
    struct problem why;

    (void)state;
    assert_int_equal(csv_next(reader, &record, &why), STATUS_IO);
    assert_string_equal(why.text, "line 1: cannot read: Input/output error");
    csv_reader_free(reader);
}

static const char *written(const char *const *texts, size_t count, bool defuse)
{
    static char out[256];
    struct span cells[8];
    FILE *file = fmemopen(out, sizeof out, "w");

    assert_non_null(file);
    for (size_t i = 0; i < count; i++)
        cells[i] = span_of(texts[i]);
    csv_write(file, cells, count, defuse);
    assert_int_equal(fclose(file), 0);
    return out;
}

static void cells_are_quoted_where_they_must_be(void **state)
{
    static const char *const texts[] = {"a b", "a,b", "\"", "a\nb", "a\rb", "", "ä"};

    (void)state;
    assert_string_equal(written(texts, COUNT(texts), false),
                        "a b,\"a,b\",\"\"\"\",\"a\nb\",\"a\rb\",,ä\r\n");
}

static void formulas_are_defused_only_if_asked(void **state)
{
    static const char *const texts[] = {"=1", "+49", "-", "@x", "\t", "\r", "a=1", "=a,b"};

    (void)state;
    assert_string_equal(written(texts, COUNT(texts), true),
                        "'=1,'+49,'-,'@x,'\t,\"'\r\",a=1,\"'=a,b\"\r\n");
    assert_string_equal(written(texts, 2, false), "=1,+49\r\n");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(quoted_cells_may_hold_anything),
        cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(records_have_limits),
        cmocka_unit_test(a_source_may_fail),
        cmocka_unit_test(cells_are_quoted_where_they_must_be),
        cmocka_unit_test(formulas_are_defused_only_if_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
