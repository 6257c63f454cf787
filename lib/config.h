/*
 * Configuration: a table of options, filled from an INI file, the environment and the
 * command line, in this order. A later source replaces the value of an earlier one.
 *
 * A program describes its options in one table and gets a plain struct filled. Every error
 * says where the value came from: "FILE:LINE", "environment variable NAME", or the command
 * line's option. Sections are not used.
 */
#ifndef LIB_CONFIG_H
#define LIB_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/status.h"

enum {
    CONFIG_TEXT_BYTES = 1024, /* of a value, with its NUL; lists up to CONFIG_LIST_BYTES */
    CONFIG_LIST_BYTES = 16384,
    CONFIG_ORIGIN_BYTES = 1100,
    CONFIG_LINE_BYTES = 198, /* of a line of a file, without its newline: libinih's limit */
    CONFIG_BLOCKS_MAX = 256, /* CIDR blocks in one option */
};

struct config_blocks {
    size_t count;
    struct cidr list[CONFIG_BLOCKS_MAX];
};

struct config_option;

/* Reads text into the option's field. why says what is wrong with the value; the caller
 * adds the origin and the option's name. */
typedef enum status config_parse(void *field, const char *text,
                                 const struct config_option *option, struct problem *why);

config_parse config_text;      /* char[CONFIG_TEXT_BYTES]: any text */
config_parse config_path;      /* the same: an absolute path, or nothing */
config_parse config_integer;   /* int64_t from min to max */
config_parse config_octal;     /* int64_t from min to max, written in octal */
config_parse config_yes_no;    /* bool: yes or no */
config_parse config_rate;      /* struct throttle_rate: COUNT/TIME or off */
config_parse config_cidr_list; /* struct config_blocks: blocks between blanks or commas */

struct config_option {
    const char *name;
    const char *initial; /* the default, as it would be written */
    config_parse *parse;
    size_t offset;    /* of the field in the struct that is filled */
    int64_t min, max; /* for numbers */
    bool list;        /* may go on in indented lines */
};

/* Where a value came from, and its text. */
struct config_value {
    char text[CONFIG_LIST_BYTES];
    char origin[CONFIG_ORIGIN_BYTES];
    int line; /* of the file that was read last; 0: it does not have the option */
};

struct config {
    const struct config_option *options;
    size_t count;
    void *fields;                /* the struct that is filled */
    struct config_value *values; /* count of them */
};

/* Sets every option to its default. STATUS_INTERNAL: a default breaks its own rule. */
enum status config_defaults(struct config *config, struct problem *why);

/* Reads a file up to the first error, such as an option that is given twice.
 * STATUS_NOT_FOUND: it cannot be opened. */
enum status config_read_file(struct config *config, const char *path, struct problem *why);

/* Takes PREFIX_NAME, in capitals, for every option NAME that the environment has. */
enum status config_read_environment(struct config *config, const char *prefix,
                                    struct problem *why);

/* STATUS_CONFIG if the environment has a variable that begins with PREFIX_ and is no
 * option; why names it. PREFIX_other is accepted, too, and so are variables by which
 * Kubernetes and Docker describe services. */
enum status config_check_environment(const struct config *config, const char *prefix,
                                     const char *other, struct problem *why);

/* Sets one option; an error begins with origin. */
enum status config_set(struct config *config, const char *name, const char *text,
                       const char *origin, struct problem *why);

#endif
