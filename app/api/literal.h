/*
 * JSON values as literals of programming languages, in HTML, for examples to be copied.
 */
#ifndef APP_API_LITERAL_H
#define APP_API_LITERAL_H

#include <json.h>
#include <stdbool.h>
#include <stdio.h>

enum language {
    LANGUAGE_JSON, /* JavaScript has the same literals */
    LANGUAGE_PHP,
    LANGUAGE_PYTHON,
};

/* Writes value on several lines. What a reader has to replace becomes <var data-name=NAME>:
 * strings whose member name is_own says so of; NULL: none is. */
void literal_put(FILE *out, enum language language, struct json_object *value,
                 bool (*is_own)(const char *name));

#endif
