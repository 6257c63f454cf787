#include "lib/json_scan.h"

#include "lib/hex.h"
#include "lib/json_bytes.h"
#include "lib/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEW_NAMES = 16, /* an object with no more needs no memory and no sorting */
};

/* The letter behind a backslash, and the character it stands for. */
static const char escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

struct scanner {
    const uint8_t *at;
    const uint8_t *end;
    struct arena *arena;
    unsigned depth;        /* arrays and objects that are open */
    unsigned values;       /* seen so far */
    size_t members;        /* of the object that ended last: at the end the outermost */
    enum json_fault fault; /* if the scan fails */
};

/* A string between its quotes, as it stands in the text. */
struct raw_string {
    struct span raw;
    bool has_escape;
    bool has_nul; /* as \u0000 */
};

/* The decoded names of one open object. */
struct names {
    struct span *items;
    size_t count;
    size_t room;
    struct span few[FEW_NAMES];
};

static bool scan_value(struct scanner *s);

static bool fail(struct scanner *s, enum json_fault fault)
{
    s->fault = fault;
    return false;
}

static struct span rest_of(const struct scanner *s)
{
    return (struct span){(const char *)s->at, (size_t)(s->end - s->at)};
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool take(struct scanner *s, uint8_t c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static void skip_space(struct scanner *s)
{
    while (s->at < s->end &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

static bool take_hex4(struct scanner *s, uint32_t *out)
{
    *out = 0;
    if (s->end - s->at < 4)
        return false;
    for (unsigned i = 0; i < 4; i++) {
        int value = hex_value((char)*s->at++);

        if (value < 0)
            return false;
        *out = *out << 4 | (uint32_t)value;
    }
    return true;
}

static bool take_unicode(struct scanner *s, uint32_t *code_point)
{
    uint32_t low = 0;

    if (!take_hex4(s, code_point))
        return false;
    if (*code_point < 0xd800 || *code_point > 0xdfff)
        return true;
    if (*code_point > 0xdbff || !take(s, '\\') || !take(s, 'u') || !take_hex4(s, &low))
        return false;
    if (low < 0xdc00 || low > 0xdfff)
        return false;
    *code_point = 0x10000 + ((*code_point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* s->at is behind the backslash. */
static bool take_escape(struct scanner *s, uint32_t *code_point)
{
    if (take(s, 'u'))
        return take_unicode(s, code_point);
    if (s->at == s->end || escapes[*s->at] == 0)
        return false;
    *code_point = (uint8_t)escapes[*s->at++];
    return true;
}

static bool scan_escape(struct scanner *s, struct raw_string *out)
{
    uint32_t code_point = 0;

    s->at++;
    out->has_escape = true;
    if (!take_escape(s, &code_point))
        return false;
    if (code_point == 0)
        out->has_nul = true;
    return true;
}

static bool scan_character(struct scanner *s)
{
    size_t len = utf8_decode(rest_of(s), NULL);

    s->at += len;
    return len > 0 || fail(s, JSON_FAULT_UTF8);
}

/* s->at is behind the opening quote. */
static bool scan_string(struct scanner *s, struct raw_string *out)
{
    const uint8_t *start = s->at;

    *out = (struct raw_string){.has_escape = false};
    for (;;) {
        s->at += json_plain_len(rest_of(s), true);
        if (s->at == s->end || *s->at < ' ')
            return false;
        if (*s->at == '"')
            break;
        if (!(*s->at == '\\' ? scan_escape(s, out) : scan_character(s)))
            return false;
    }
    out->raw = (struct span){(const char *)start, (size_t)(s->at - start)};
    s->at++;
    return true;
}

/* The decoded text of a string that scan_string accepted; never longer than the raw one. */
static bool decode(struct span *out, struct span raw, struct arena *arena)
{
    const uint8_t *bytes = (const uint8_t *)raw.data;
    struct scanner s = {.at = bytes, .end = bytes + raw.len};
    char *text = arena_alloc(arena, raw.len);
    size_t len = 0;

    if (text == NULL)
        return false;
    while (s.at < s.end) {
        uint32_t code_point = 0;

        if (!take(&s, '\\'))
            text[len++] = (char)*s.at++;
        else if (take_escape(&s, &code_point))
            len += utf8_encode(code_point, text + len);
        else
            return false;
    }
    *out = (struct span){text, len};
    return true;
}

static bool names_grow(struct names *names, struct arena *arena)
{
    size_t room = names->room * 4;
    struct span *items = arena_alloc(arena, room * sizeof *items);

    if (items == NULL)
        return false;
    memcpy(items, names->items, names->count * sizeof *items);
    names->items = items;
    names->room = room;
    return true;
}

static bool scan_name(struct scanner *s, struct names *names)
{
    struct raw_string string;

    if (!take(s, '"') || !scan_string(s, &string) || string.has_nul)
        return false;
    if (names->count == names->room && !names_grow(names, s->arena))
        return fail(s, JSON_FAULT_SIZE);
    struct span *name = &names->items[names->count++];
    *name = string.raw;
    return !string.has_escape || decode(name, string.raw, s->arena) ||
           fail(s, JSON_FAULT_SIZE);
}

static int compare_names(const void *a, const void *b)
{
    const struct span *left = a;
    const struct span *right = b;

    if (left->len != right->len)
        return left->len < right->len ? -1 : 1;
    return memcmp(left->data, right->data, left->len);
}

/* While there are few, comparing each with each is quicker than sorting. */
static bool few_are_unique(const struct names *names)
{
    for (size_t i = 1; i < names->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (span_equals(names->items[i], names->items[j]))
                return false;
        }
    }
    return true;
}

static bool names_are_unique(struct names *names)
{
    if (names->count <= FEW_NAMES)
        return few_are_unique(names);
    qsort(names->items, names->count, sizeof names->items[0], compare_names);
    for (size_t i = 1; i < names->count; i++) {
        if (span_equals(names->items[i - 1], names->items[i]))
            return false;
    }
    return true;
}

static bool scan_member(struct scanner *s, struct names *names)
{
    skip_space(s);
    if (!scan_name(s, names))
        return false;
    skip_space(s);
    return take(s, ':') && scan_value(s);
}

static bool scan_members(struct scanner *s)
{
    struct names names;

    names.items = names.few;
    names.count = 0;
    names.room = FEW_NAMES;
    do {
        if (!scan_member(s, &names))
            return false;
    } while (take(s, ','));
    s->members = names.count;
    return take(s, '}') && (names_are_unique(&names) || fail(s, JSON_FAULT_NAME_TWICE));
}

static bool scan_elements(struct scanner *s)
{
    do {
        if (!scan_value(s))
            return false;
    } while (take(s, ','));
    return take(s, ']');
}

/* s->at is the opening bracket or brace. */
static bool scan_nested(struct scanner *s)
{
    bool is_object = *s->at++ == '{';

    if (++s->depth > JSON_MAX_DEPTH)
        return fail(s, JSON_FAULT_DEPTH);
    skip_space(s);
    bool good = take(s, is_object ? '}' : ']');
    s->members = 0;
    if (!good)
        good = is_object ? scan_members(s) : scan_elements(s);
    s->depth--;
    return good;
}

static bool scan_digits(struct scanner *s)
{
    const uint8_t *start = s->at;

    while (s->at < s->end && is_digit(*s->at))
        s->at++;
    return s->at > start;
}

static bool scan_number(struct scanner *s)
{
    (void)take(s, '-');
    if (!take(s, '0') && !scan_digits(s))
        return false;
    if (take(s, '.') && !scan_digits(s))
        return false;
    if (!take(s, 'e') && !take(s, 'E'))
        return true;
    if (!take(s, '+'))
        (void)take(s, '-');
    return scan_digits(s);
}

static bool scan_literal(struct scanner *s, const char *literal, size_t len)
{
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, literal, len) != 0)
        return false;
    s->at += len;
    return true;
}

static bool scan_bare_value(struct scanner *s)
{
    struct raw_string ignored;

    switch (*s->at) {
    case '"':
        s->at++;
        return scan_string(s, &ignored);
    case '{':
    case '[':
        return scan_nested(s);
    case 't':
        return scan_literal(s, "true", 4);
    case 'f':
        return scan_literal(s, "false", 5);
    case 'n':
        return scan_literal(s, "null", 4);
    default:
        return scan_number(s);
    }
}

/* A value with the white space around it. */
static bool scan_value(struct scanner *s)
{
    skip_space(s);
    if (s->at == s->end)
        return false;
    if (++s->values > JSON_MAX_VALUES)
        return fail(s, JSON_FAULT_SIZE);
    if (!scan_bare_value(s))
        return false;
    skip_space(s);
    return true;
}

enum json_kind json_scan_telling(struct span text, struct arena *arena,
                                 struct json_findings *findings)
{
    *findings = (struct json_findings){.fault = JSON_FAULT_SYNTAX};
    if (text.len == 0)
        return JSON_BROKEN;
    const uint8_t *bytes = (const uint8_t *)text.data;
    struct scanner s = {.at = bytes, .end = bytes + text.len, .arena = arena};

    skip_space(&s);
    bool is_object = s.at < s.end && *s.at == '{';
    bool good = scan_value(&s) && s.at == s.end;
    findings->members = s.members;
    findings->fault = s.fault;
    findings->offset = (size_t)(s.at - bytes);
    return !good ? JSON_BROKEN : is_object ? JSON_OBJECT : JSON_OTHER;
}

enum json_kind json_scan(struct span text, struct arena *arena)
{
    struct json_findings ignored;

    return json_scan_telling(text, arena, &ignored);
}
