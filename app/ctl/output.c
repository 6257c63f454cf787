#include "app/ctl/output.h"

#include <json.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/ctl/buffer.h"
#include "app/ctl/table.h"
#include "app/ctl/text.h"
#include "lib/clock.h"
#include "lib/json.h"
#include "lib/json_scan.h"
#include "lib/secret.h"
#include "lib/utf8.h"
#include "lib/uuid.h"

enum {
    SCAN_BYTES_PER_BYTE = 32, /* of the arena for json_scan, which keeps members' names */
    PAGE_BYTES = 256 * 1024,  /* with so many a page is full */
};

struct output {
    enum output_style style;
    size_t room;           /* terminal columns for a table; 0: any number */
    struct buffer text;    /* lines of JSON, or the cells of the table */
    struct buffer closing; /* for people, behind all rows */
    struct table table;    /* of JSON only the number of rows of the page */
    size_t count;          /* of the rows of all pages */
    size_t page_rows;      /* the most of a page */
    bool has_more;         /* a row was refused because the page is full */
    struct uuid last;      /* the id of the last row, if its first column is one */
};

struct output *output_create(enum output_style style, size_t room)
{
    struct output *output = calloc(1, sizeof *output);

    if (output != NULL)
        *output = (struct output){.style = style, .room = room, .page_rows = SIZE_MAX};
    return output;
}

void output_free(struct output *output)
{
    if (output == NULL)
        return;
    buffer_free(&output->text);
    buffer_free(&output->closing);
    free(output);
}

size_t output_count(const struct output *output)
{
    return output->count;
}

bool output_has_more(const struct output *output)
{
    return output->has_more;
}

struct uuid output_last(const struct output *output)
{
    return output->last;
}

void output_begin_page(struct output *output, size_t rows)
{
    buffer_free(&output->text);
    output->table.rows = 0;
    output->page_rows = rows;
    output->has_more = false;
}

/* The short types as text; empty for null. */
enum {
    SHORT_BYTES = 64,
};

static void format_uuid(char out[SHORT_BYTES], const void *field)
{
    uuid_format(field, out);
}

static void format_uuid_or_null(char out[SHORT_BYTES], const void *field)
{
    const struct uuid *const *id = field;

    if (*id != NULL)
        uuid_format(*id, out);
}

static void format_int(char out[SHORT_BYTES], const void *field)
{
    const int64_t *number = field;

    if (*number >= 0)
        (void)snprintf(out, SHORT_BYTES, "%lld", (long long)*number);
}

static void format_bool(char out[SHORT_BYTES], const void *field)
{
    (void)snprintf(out, SHORT_BYTES, "%s", *(const bool *)field ? "yes" : "no");
}

static void format_date(char out[SHORT_BYTES], const void *field)
{
    const int64_t *ms = field;

    if (*ms != 0)
        clock_format(*ms, out);
}

static void format_address(char out[SHORT_BYTES], const void *field)
{
    (void)address_format(field, out);
}

static void format_block(char out[SHORT_BYTES], const void *field)
{
    const struct cidr *block = field;

    if (block->network.family != ADDRESS_NONE)
        cidr_format(block, out);
}

static void (*const formats[])(char out[SHORT_BYTES], const void *field) = {
    [COLUMN_UUID] = format_uuid,
    [COLUMN_INT] = format_int,
    [COLUMN_UUID_OR_NULL] = format_uuid_or_null,
    [COLUMN_BOOL] = format_bool,
    [COLUMN_DATE] = format_date,
    [COLUMN_ADDRESS] = format_address,
    [COLUMN_BLOCK] = format_block,
};

/* True for a text that other programs than these have changed in the database. */
static bool is_no_json_object(struct span text)
{
    struct arena *arena = arena_create(SCAN_BYTES_PER_BYTE * (text.len + 1));
    bool broken = arena != NULL && json_scan(text, arena) != JSON_OBJECT;

    arena_free(arena);
    return broken;
}

static bool is_null(const struct column *column, const void *field)
{
    char text[SHORT_BYTES] = "";

    switch (column->type) {
    case COLUMN_TEXT:
        return ((const struct span *)field)->len == 0;
    case COLUMN_JSON:
        return is_no_json_object(*(const struct span *)field);
    case COLUMN_BLOCKS:
    case COLUMN_OBJECT:
        return false;
    default:
        formats[column->type](text, field);
        return text[0] == '\0';
    }
}

/* JSON. */

static struct json_object *object_of(const struct column *columns, const void *row);

static struct json_object *array_of(const struct output_blocks *blocks)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array != NULL && i < blocks->count; i++) {
        char text[SHORT_BYTES];
        cidr_format(&blocks->list[i], text);
        struct json_object *value = json_object_new_string(text);
        if (value == NULL || json_object_array_add(array, value) != 0) {
            json_object_put(value);
            json_object_put(array);
            return NULL;
        }
    }
    return array;
}

static struct json_object *parse(const struct span *text)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *value =
        tokener == NULL ? NULL : json_tokener_parse_ex(tokener, text->data, (int)text->len);

    if (tokener != NULL)
        json_tokener_free(tokener);
    return value;
}

static struct json_object *value_of(const struct column *column, const void *field)
{
    char text[SHORT_BYTES] = "";

    if (is_null(column, field))
        return NULL;
    switch (column->type) {
    case COLUMN_TEXT: {
        const struct span *span = field;
        return json_object_new_string_len(span->data, (int)span->len);
    }
    case COLUMN_JSON:
        return parse(field);
    case COLUMN_INT:
        return json_object_new_int64(*(const int64_t *)field);
    case COLUMN_BOOL:
        return json_object_new_boolean(*(const bool *)field);
    case COLUMN_BLOCKS:
        return array_of(field);
    case COLUMN_OBJECT:
        return object_of(column->inside, field);
    default:
        formats[column->type](text, field);
        return json_object_new_string(text);
    }
}

static struct json_object *object_of(const struct column *columns, const void *row)
{
    struct json_object *object = json_object_new_object();

    for (const struct column *c = columns; object != NULL && c->member != NULL; c++) {
        const void *field = (const char *)row + c->offset;
        if (c->optional && is_null(c, field))
            continue;
        struct json_object *value = value_of(c, field);
        if ((value == NULL && !is_null(c, field)) ||
            json_object_object_add_ex(object, c->member, value,
                                      JSON_C_OBJECT_ADD_KEY_IS_NEW |
                                          JSON_C_OBJECT_ADD_CONSTANT_KEY) != 0) {
            json_object_put(object);
            return NULL;
        }
    }
    return object;
}

/* Wipes json-c's copies of the texts, one of which may be a secret. */
static void wipe_object(struct json_object *object)
{
    json_object_object_foreach(object, name, value)
    {
        (void)name;
        if (json_object_is_type(value, json_type_string))
            secret_wipe((void *)(uintptr_t)json_object_get_string(value),
                        (size_t)json_object_get_string_len(value));
    }
}

/* Adds JSON without the characters that are harmful to a terminal: inside of strings, where
 * alone they can be, they are written as escapes. Bytes that are no UTF-8 become U+FFFD. */
static void add_escaped(struct buffer *buffer, struct span json)
{
    size_t done = 0, at = 0;

    while (at < json.len) {
        char escape[8];
        uint32_t c = 0;
        size_t len = utf8_decode((struct span){json.data + at, json.len - at}, &c);

        if (len > 0 && !text_is_harmful(c)) {
            at += len;
            continue;
        }
        buffer_add(buffer, (struct span){json.data + done, at - done});
        (void)snprintf(escape, sizeof escape, "\\u%04x", len > 0 ? (unsigned)c : 0xfffdU);
        buffer_add(buffer, span_of(escape));
        at += len > 0 ? len : 1;
        done = at;
    }
    buffer_add(buffer, (struct span){json.data + done, json.len - done});
}

static void add_json(struct output *output, const struct column *columns, const void *row)
{
    struct json_object *object = object_of(columns, row);
    struct span text = object == NULL ? (struct span){NULL, 0} : json_text(object, true);

    if (text.data == NULL) {
        output->text.failed = true;
    } else {
        add_escaped(&output->text, text);
        buffer_add(&output->text, (struct span){"\n", 1});
        secret_wipe((void *)(uintptr_t)text.data, text.len);
        wipe_object(object);
    }
    json_object_put(object);
}

/* Tables and records. */

/* Cuts what was added since start. */
static void cut_cell(struct output *output, size_t start, size_t columns)
{
    struct span text = {output->text.data + start, output->text.len - start};
    struct text_cut cut = text_cut(text, columns);

    output->text.len = start + cut.len;
    if (cut.is_cut)
        buffer_add(&output->text, span_of(text_ellipsis));
}

/* In a table one line of at most cut columns (0: any number), in a record all lines. */
static void add_text(struct output *output, struct span text, int cut)
{
    bool one_line = output->style == OUTPUT_TABLE;
    size_t start = output->text.len;
    bool ends = false;

    while (text.len > 0 && !ends) {
        struct text_piece piece = text_next(&text);
        ends = one_line && piece.is_newline;
        buffer_add(&output->text, ends               ? span_of(text_ellipsis)
                                  : piece.is_newline ? span_of("\n")
                                                     : piece.shown);
    }
    if (one_line && cut > 0)
        cut_cell(output, start, (size_t)cut);
}

static void add_blocks(struct output *output, const struct output_blocks *blocks)
{
    struct span separator = span_of(output->style == OUTPUT_TABLE ? ", " : "\n");

    for (size_t i = 0; i < blocks->count; i++) {
        char text[SHORT_BYTES];
        cidr_format(&blocks->list[i], text);
        if (i > 0)
            buffer_add(&output->text, separator);
        buffer_add(&output->text, span_of(text));
    }
}

static void add_value(struct output *output, const struct column *column, const void *field)
{
    char text[SHORT_BYTES] = "";

    switch (column->type) {
    case COLUMN_TEXT:
    case COLUMN_JSON:
        add_text(output, *(const struct span *)field, column->cut);
        break;
    case COLUMN_BLOCKS:
        add_blocks(output, field);
        break;
    default:
        formats[column->type](text, field);
        buffer_add(&output->text, span_of(text));
    }
}

static bool may_be_cut(enum column_type type)
{
    return type == COLUMN_TEXT || type == COLUMN_JSON || type == COLUMN_BLOCKS;
}

/* Makes the table's column from the first row of all. */
static void begin_column(struct table *table, const struct column *column, size_t place)
{
    table->columns[place] = (struct table_column){
        .heading = column->heading,
        .width = text_width(span_of(column->heading)),
        .rank = column->rank,
        .may_be_cut = may_be_cut(column->type),
    };
    table->column_count = place + 1;
}

static void add_cell(struct output *output, const struct column *column, const void *field,
                     size_t place)
{
    size_t start = output->text.len;
    struct table *table = &output->table;

    if (place >= TABLE_COLUMNS_MAX) {
        output->text.failed = true;
        return;
    }
    add_value(output, column, field);
    if (output->text.len == start)
        buffer_add(&output->text, (struct span){"-", 1});
    struct span cell = {output->text.data + start, output->text.len - start};
    size_t width = text_width(cell);
    buffer_add(&output->text, (struct span){"", 1});
    if (place >= table->column_count)
        begin_column(table, column, place);
    if (table->columns[place].width < width)
        table->columns[place].width = width;
}

/* Adds the cells of a row from the given place on; returns the place behind them. */
static size_t add_cells(struct output *output, const struct column *columns,
                        const void *row, size_t place)
{
    for (const struct column *c = columns; c->member != NULL; c++) {
        const void *field = (const char *)row + c->offset;

        if ((c->optional && is_null(c, field)) ||
            (c->detail && output->style == OUTPUT_TABLE))
            continue;
        if (c->type == COLUMN_OBJECT)
            place = add_cells(output, c->inside, field, place);
        else
            add_cell(output, c, field, place++);
    }
    return place;
}

static bool is_full(const struct output *output)
{
    bool is_paged = output->page_rows < SIZE_MAX;

    return output->table.rows >= output->page_rows ||
           (is_paged && output->text.len >= PAGE_BYTES);
}

enum status output_row(struct output *output, const struct column *columns, const void *row)
{
    output->has_more = is_full(output);
    if (output->has_more)
        return STATUS_NOT_FOUND;
    if (columns->type == COLUMN_UUID)
        memcpy(&output->last, (const char *)row + columns->offset, sizeof output->last);
    if (output->style == OUTPUT_JSON)
        add_json(output, columns, row);
    else
        (void)add_cells(output, columns, row, 0);
    output->table.rows++;
    output->count++;
    return output->text.failed ? STATUS_NO_MEMORY : STATUS_OK;
}

static void write_page(struct output *output, FILE *stream)
{
    output->table.cells = output->text.data;
    switch (output->style) {
    case OUTPUT_JSON:
        (void)fwrite(output->text.data, 1, output->text.len, stream);
        break;
    case OUTPUT_TABLE:
        table_print(stream, &output->table, output->room);
        break;
    case OUTPUT_RECORD:
        table_print_records(stream, &output->table);
        break;
    }
}

enum status output_print(struct output *output, FILE *stream)
{
    if (output->table.rows > 0)
        write_page(output, stream);
    return fflush(stream) != 0 || ferror(stream) ? STATUS_IO : STATUS_OK;
}

enum status output_set_closing(struct output *output, struct span text)
{
    buffer_free(&output->closing);
    buffer_add(&output->closing, text);
    return output->closing.failed ? STATUS_NO_MEMORY : STATUS_OK;
}

enum status output_end(struct output *output, FILE *stream)
{
    if (output->table.rows > 0)
        write_page(output, stream);
    if (output->style == OUTPUT_TABLE)
        table_print_end(stream, &output->table, output->room);
    if (output->style != OUTPUT_JSON && output->closing.len > 0)
        (void)fwrite(output->closing.data, 1, output->closing.len, stream);
    return fflush(stream) != 0 || ferror(stream) ? STATUS_IO : STATUS_OK;
}
