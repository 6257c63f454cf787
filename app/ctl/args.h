/*
 * Reads a command line: which verb it names, and the values of its parameters, checked.
 *
 * Parameters are rows of a table, from which the synopsis and the help are made as well.
 */
#ifndef APP_CTL_ARGS_H
#define APP_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/span.h"
#include "lib/status.h"
#include "lib/uuid.h"

enum {
    PARAMETERS_MAX = 16,     /* of one verb */
    ARGUMENT_WORDS_MAX = 16, /* see argument_words */
    ARGUMENT_WORD_MAX_BYTES = 256,
};

/* The value of a parameter. Its rule fills the field for its type. */
struct argument {
    bool given;
    struct span text; /* as typed; of several words the last */
    struct uuid uuid;
    struct address address;
    int64_t time_ms;
    int64_t duration_ms;
    int64_t count;
    struct cidr *blocks; /* block_count of them */
    size_t block_count;
    struct span words[ARGUMENT_WORDS_MAX];
    size_t word_count;
    struct span *items; /* item_count of them, which are borrowed */
    size_t item_count;
};

/* A rule for one word. STATUS_INVALID with why, which says what is wrong with the word. */
typedef enum status argument_rule(struct argument *out, struct span word,
                                  struct problem *why);

argument_rule argument_any;        /* not empty */
argument_rule argument_uuid;       /* a UUID, of any version */
argument_rule argument_request_id; /* as request_id_is_acceptable() demands */
argument_rule argument_name;       /* as text_rules_name() demands */
argument_rule argument_email;      /* as text_rules_email() demands */
argument_rule argument_phone;      /* as text_rules_phone() demands */
argument_rule argument_website;    /* as text_rules_website() demands */
argument_rule argument_new_email;  /* as argument_email, or empty for none; so are these: */
argument_rule argument_new_name;
argument_rule argument_new_phone;
argument_rule argument_new_website;
argument_rule
    argument_past; /* a date, an RFC 3339 date-time, or 90d for a time before now */
argument_rule argument_future;  /* the same, after now */
argument_rule argument_expiry;  /* the same, or "never", for which the time is 0 */
argument_rule argument_grace;   /* the duration 0, 90s, 30m, 24h or 7d, or a date as for
                                * argument_future: time_ms is 0 or not; at most a year */
argument_rule argument_count;   /* a number from 1 to a billion */
argument_rule argument_address; /* an IP address */
argument_rule argument_query;   /* what contacts are looked for by, at most 256 bytes */
argument_rule argument_words;   /* valid UTF-8, not blank, added to earlier ones */
argument_rule argument_url;     /* of a web server, with http or https */
argument_rule argument_blocks;  /* CIDR blocks between commas, added to earlier ones */
argument_rule argument_items;   /* words between commas, added to earlier ones */

enum parameter_need {
    PARAMETER_OPTIONAL,
    PARAMETER_REQUIRED,
    PARAMETER_ASKED, /* required, but the verb asks for it where it can: app/ctl/ask.h */
    PARAMETER_ANY,   /* at least one of those of the verb with this need must be given */
    PARAMETER_ONE,   /* exactly one of those of the verb with this need must be given */
};

struct parameter {
    const char *name;  /* "--org", or "NAME" for a word that stands for itself */
    const char *value; /* what the option takes, as the synopsis shows it; NULL: nothing */
    argument_rule *rule; /* NULL for an option without value */
    const char *with;    /* another one, which must be given together with it; NULL: none */
    enum parameter_need need;
    bool many;     /* takes one or more words; only the last word parameter may */
    bool personal; /* may name or reach a person: the audit keeps only that it was given */
    const char *help;
};

/* Rows that verbs of several nouns have. */
#define PARAMETER_ORG                                                                      \
    .name = "--org", .value = "ID", .rule = argument_uuid, .need = PARAMETER_REQUIRED,     \
    .help = "the organization"
#define PARAMETER_NAME                                                                     \
    .name = "NAME", .rule = argument_name, .need = PARAMETER_REQUIRED, .personal = true,   \
    .help = "for people"
#define PARAMETER_EMAIL                                                                    \
    .name = "--email", .value = "EMAIL", .rule = argument_email, .personal = true,         \
    .help = "the e-mail address"
#define PARAMETER_NEW_NAME                                                                 \
    .name = "--name", .value = "NAME", .rule = argument_name, .need = PARAMETER_ANY,       \
    .personal = true, .help = "the new name"
#define PARAMETER_NEW_EMAIL                                                                \
    .name = "--email", .value = "EMAIL", .rule = argument_new_email,                       \
    .need = PARAMETER_ANY, .personal = true, .help = "the new e-mail address; '' for none"
#define PARAMETER_LIMIT                                                                    \
    .name = "--limit", .value = "N", .rule = argument_count,                               \
    .help = "at most so many; a remark says how to get the next ones"
#define PARAMETER_AFTER                                                                    \
    .name = "--after", .value = "ID", .rule = argument_uuid,                               \
    .help = "only what comes after the one with this id"
#define PARAMETER_ID_ELSEWHERE                                                             \
    .name = "--id", .value = "UUID", .rule = argument_uuid,                                \
    .help = "the id that it has elsewhere; else a new one"

struct noun;
struct verb;

/* True for a parameter that begins with "--". */
bool parameter_is_option(const struct parameter *parameter);

/* The noun whose list shows the ids that a parameter of this noun's verbs takes; NULL: it
 * takes no such id. */
const char *parameter_source(const struct parameter *parameter, const struct noun *noun);

/* A command line that was read. */
struct args {
    const struct noun *noun; /* NULL: none was named */
    const struct verb *verb; /* NULL: none was named */
    const char *config;      /* --config; NULL: not given */
    const char *database;    /* --database; NULL: not given */
    bool json, wide, help, version;
    struct argument list[PARAMETERS_MAX]; /* by the place of the verb's parameter */
};

/*
 * Reads the command line. Options may be before and after words. STATUS_REFUSED: the
 * program is not used like that; STATUS_INVALID: a value breaks its rule; why says which.
 * With help or version set the rest is not checked. args_free() in any case.
 */
enum status args_read(struct args *out, int argc, char **argv, struct problem *why);

void args_free(struct args *args);

/* What was given for the verb's parameter of this name, which must be one of its table. */
const struct argument *args_get(const struct args *args, const char *name);

#endif
