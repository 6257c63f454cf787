/*
 * Writes JSON text piece by piece into an arena, without objects in between.
 *
 * Commas are set by the writer. Brackets and names are the caller's to match. There is no
 * error to check at each piece: when memory is short, what is written is dropped, and
 * json_written says so at the end.
 */
#ifndef LIB_JSON_WRITER_H
#define LIB_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/span.h"

struct json_writer {
    struct arena *arena;
    char *bytes;
    size_t front, len, room;
    bool failed;
    bool comma; /* before the next value or name */
};

/* Begins a text with `front` unused bytes before it, for what is joined to it later. */
void json_begin(struct json_writer *w, struct arena *arena, size_t front);

/* An object or array: '{', '}', '[' or ']'. */
void json_open(struct json_writer *w, char bracket);
void json_close(struct json_writer *w, char bracket);

/* A member's name, which needs no escapes; its value follows. */
void json_put_name(struct json_writer *w, const char *name);

/* A string: UTF-8, with no escapes but those that RFC 8259 demands. */
void json_put_string(struct json_writer *w, struct span text);

/* The same for text that needs no escapes. */
void json_put_plain(struct json_writer *w, struct span text);

/* How many bytes json_put_string writes between the quotes. */
size_t json_string_bytes(struct span text);

void json_put_integer(struct json_writer *w, int64_t number);

/* A value that is JSON already, such as a literal. */
void json_put_text(struct json_writer *w, struct span text);

/* The whole text; in front of it are the unused bytes. data is NULL when memory was short.
 * Valid as long as the arena's memory. */
struct span json_written(const struct json_writer *w);

#endif
