#include "lib/json_writer.h"

#include <string.h>

#include "lib/decimal.h"
#include "lib/hex.h"
#include "lib/json_bytes.h"

enum {
    FIRST_BYTES = 512,
    ESCAPE_BYTES = 6, /* the longest: \u00xx */
};

void json_begin(struct json_writer *w, struct arena *arena, size_t front)
{
    *w = (struct json_writer){.arena = arena, .front = front, .room = FIRST_BYTES};
    w->bytes = arena_alloc(arena, front + FIRST_BYTES);
    w->failed = w->bytes == NULL;
    if (w->failed)
        w->room = 0;
}

/* Makes room for size more bytes. The former memory stays in the arena. After a failure
 * there is no room for anything. */
static bool grow(struct json_writer *w, size_t size)
{
    size_t room = w->room * 2 > w->len + size ? w->room * 2 : w->len + size;
    char *bytes = w->failed ? NULL : arena_alloc(w->arena, w->front + room);

    w->failed = bytes == NULL;
    if (w->failed) {
        w->room = w->len;
        return false;
    }
    memcpy(bytes + w->front, w->bytes + w->front, w->len);
    w->bytes = bytes;
    w->room = room;
    return true;
}

/* Where the next bytes go, at least size of them, of which there is one; NULL: there is no
 * memory. */
static inline char *room_for(struct json_writer *w, size_t size)
{
    if (size > w->room - w->len && !grow(w, size))
        return NULL;
    return w->bytes + w->front + w->len;
}

static void put(struct json_writer *w, const char *bytes, size_t len)
{
    char *to = room_for(w, len);

    if (to == NULL)
        return;
    memcpy(to, bytes, len);
    w->len += len;
}

static inline void put_byte(struct json_writer *w, char byte)
{
    char *to = room_for(w, 1);

    if (to == NULL)
        return;
    *to = byte;
    w->len++;
}

/* Goes in front of a value or name; another value or the end follows it. */
static inline void begin_value(struct json_writer *w)
{
    if (w->comma)
        put_byte(w, ',');
    w->comma = true;
}

void json_open(struct json_writer *w, char bracket)
{
    begin_value(w);
    put_byte(w, bracket);
    w->comma = false;
}

void json_close(struct json_writer *w, char bracket)
{
    put_byte(w, bracket);
    w->comma = true;
}

/* Writes text between quotes. */
static void put_quoted(struct json_writer *w, struct span text)
{
    char *to = room_for(w, text.len + 2);

    if (to == NULL)
        return;
    to[0] = to[text.len + 1] = '"';
    memcpy(to + 1, text.data, text.len);
    w->len += text.len + 2;
}

void json_put_name(struct json_writer *w, const char *name)
{
    begin_value(w);
    put_quoted(w, span_of(name));
    put_byte(w, ':');
    w->comma = false;
}

void json_put_plain(struct json_writer *w, struct span text)
{
    begin_value(w);
    put_quoted(w, text);
}

static size_t escape(char out[ESCAPE_BYTES], unsigned char byte)
{
    static const char letters[' '] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    char letter = (char)byte;

    out[0] = '\\';
    if (byte < ' ')
        letter = letters[byte];
    out[1] = letter;
    if (letter != '\0')
        return 2;
    out[1] = 'u';
    out[2] = '0';
    out[3] = '0';
    out[4] = hex_digit(byte >> 4);
    out[5] = hex_digit(byte);
    return ESCAPE_BYTES;
}

void json_put_string(struct json_writer *w, struct span text)
{
    begin_value(w);
    put_byte(w, '"');
    while (text.len > 0) {
        size_t plain = json_plain_len(text, false);

        put(w, text.data, plain);
        text.data += plain;
        text.len -= plain;
        char *to = text.len > 0 ? room_for(w, ESCAPE_BYTES) : NULL;
        if (to == NULL)
            break;
        w->len += escape(to, (unsigned char)*text.data++);
        text.len--;
    }
    put_byte(w, '"');
}

size_t json_string_bytes(struct span text)
{
    char unused[ESCAPE_BYTES];
    size_t bytes = 0;

    while (text.len > 0) {
        size_t plain = json_plain_len(text, false);

        bytes += plain;
        text = (struct span){text.data + plain, text.len - plain};
        if (text.len == 0)
            break;
        bytes += escape(unused, (unsigned char)text.data[0]);
        text = (struct span){text.data + 1, text.len - 1};
    }
    return bytes;
}

void json_put_integer(struct json_writer *w, int64_t number)
{
    char digits[DECIMAL_BYTES];

    json_put_text(w, decimal(digits, number));
}

void json_put_text(struct json_writer *w, struct span text)
{
    begin_value(w);
    put(w, text.data, text.len);
}

struct span json_written(const struct json_writer *w)
{
    if (w->failed)
        return (struct span){NULL, 0};
    return (struct span){w->bytes + w->front, w->len};
}
