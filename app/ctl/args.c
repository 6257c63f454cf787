#include "app/ctl/args.h"

#include <assert.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "app/ctl/ask.h"
#include "app/ctl/ctl.h"
#include "app/ctl/help.h"
#include "app/rules/credentials.h"

enum {
    GLOBALS = 6,         /* rows of help_global_options */
    GETOPT_BASE = 0x100, /* getopt's code for the first option; no character has it */
    GETOPT_WORD = 1,     /* getopt's code for a word that is no option */
};

/* The state of reading a command line. */
struct reader {
    struct args *args;
    int argc; /* of what is left; the first word is skipped, as getopt does */
    char **argv;
    struct option options[GLOBALS + PARAMETERS_MAX + 1]; /* for getopt_long */
    const struct parameter *open; /* takes further words; NULL: none does */
    struct problem *why;
};

bool parameter_is_option(const struct parameter *parameter)
{
    return strncmp(parameter->name, "--", 2) == 0;
}

const char *parameter_source(const struct parameter *parameter, const struct noun *noun)
{
    static const struct {
        const char *parameter;
        const char *noun; /* NULL: the noun whose verb it is */
    } sources[] = {
        {"DEVKEY", "devkey"},      {"--devkey", "devkey"},   {"ID", NULL},
        {"--org", "org"},          {"--member", "member"},   {"--owner", "member"},
        {"--author", "member"},    {"--contact", "contact"}, {"--after", NULL},
        {"--hands-out", "apikey"},
    };

    if (parameter->rule != argument_uuid)
        return NULL;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(parameter->name, sources[i].parameter) == 0)
            return sources[i].noun != NULL ? sources[i].noun : noun->name;
    return NULL;
}

const struct argument *args_get(const struct args *args, const char *name)
{
    for (size_t i = 0; args->verb->parameters[i].name != NULL; i++)
        if (strcmp(args->verb->parameters[i].name, name) == 0)
            return &args->list[i];
    assert(!"no such parameter in the table");
    abort();
}

void args_free(struct args *args)
{
    for (size_t i = 0; i < PARAMETERS_MAX; i++) {
        free(args->list[i].blocks);
        free(args->list[i].items);
    }
}

static struct option getopt_row(const char *name, const char *value, size_t place)
{
    return (struct option){
        .name = name + strlen("--"),
        .has_arg = value != NULL ? required_argument : no_argument,
        .val = GETOPT_BASE + (int)place,
    };
}

/* getopt codes: first those of the global options, then one for each parameter. */
static void make_getopt_table(struct reader *r)
{
    const struct verb *verb = r->args->verb;
    size_t count = 0;

    for (size_t i = 0; help_global_options[i].name != NULL; i++)
        r->options[count++] =
            getopt_row(help_global_options[i].name, help_global_options[i].value, i);
    for (size_t i = 0; verb != NULL && verb->parameters[i].name != NULL; i++) {
        assert(i < PARAMETERS_MAX);
        const struct parameter *p = &verb->parameters[i];
        if (parameter_is_option(p))
            r->options[count++] = getopt_row(p->name, p->value, GLOBALS + i);
    }
    r->options[count] = (struct option){.name = NULL};
}

static const char help_word[] = "help";
static const char misplaced_secret[] = "that is a secret; none belongs on the command line";

static enum status refuse(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes what is wrong and which help to read; never repeats a secret. */
static enum status refuse(struct reader *r, const char *format, ...)
{
    char sentence[PROBLEM_MAX_BYTES / 2], command[CHANGE_ACTION_BYTES];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    if (credential_is_in(sentence))
        (void)snprintf(sentence, sizeof sentence, "%s", misplaced_secret);
    ctl_format_command(command, r->args->noun, r->args->verb);
    return problem_set(r->why, STATUS_REFUSED, "%s (see 'crmnotesctl%s%s --help')",
                       sentence, command[0] != '\0' ? " " : "", command);
}

/* Refuses a secret on the command line without repeating it. */
static enum status refuse_secret(struct reader *r, const struct parameter *p)
{
    const char *source = p != NULL ? parameter_source(p, r->args->noun) : NULL;

    if (source == NULL)
        return refuse(r, "%s", misplaced_secret);
    return problem_set(r->why, STATUS_INVALID,
                       "that is a secret; %s is the id shown by '%s list'", p->name,
                       source);
}

static enum status refuse_word(struct reader *r, const char *what,
                               const struct help_guess *guess)
{
    if (guess->best != NULL)
        return refuse(r, "there is no %s '%s', did you mean '%s'?", what, guess->word,
                      guess->best);
    return refuse(r, "there is no %s '%s'", what, guess->word);
}

static enum status refuse_option(struct reader *r, const char *word)
{
    char name[64];
    struct help_guess guess = {.word = name};

    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    for (const struct help_option *o = help_global_options; o->name != NULL; o++)
        help_guess_offer(&guess, o->name);
    if (r->args->verb == NULL)
        return refuse_word(r, "global option", &guess);
    for (const struct parameter *p = r->args->verb->parameters; p->name != NULL; p++)
        if (parameter_is_option(p))
            help_guess_offer(&guess, p->name);
    return refuse_word(r, "option", &guess);
}

static const char *option_name(const struct reader *r, int code)
{
    int place = code - GETOPT_BASE;

    return place < GLOBALS ? help_global_options[place].name
                           : r->args->verb->parameters[place - GLOBALS].name;
}

/* Explains why getopt_long refused a word. */
static enum status refuse_getopt(struct reader *r, int code)
{
    if (code == ':')
        return refuse(r, "%s needs a value", option_name(r, optopt));
    if (optopt >= GETOPT_BASE)
        return refuse(r, "%s takes no value", option_name(r, optopt));
    if (optopt != 0) {
        char word[] = {'-', (char)optopt, '\0'};
        return refuse_option(r, word);
    }
    return refuse_option(r, r->argv[optind - 1]);
}

static enum status take_global(struct reader *r, int place)
{
    struct args *args = r->args;
    const char **texts[GLOBALS] = {&args->config, &args->database};
    bool *flags[GLOBALS] = {NULL,        NULL,        &args->json,
                            &args->wide, &args->help, &args->version};

    if (texts[place] == NULL)
        *flags[place] = true;
    else if (credential_is_in(optarg))
        return refuse_secret(r, NULL);
    else
        *texts[place] = optarg;
    return STATUS_OK;
}

/* Takes a word for a parameter and checks it by its rule; without a rule it is a flag. */
static enum status take_value(struct reader *r, const struct parameter *p, const char *word)
{
    struct argument *argument = &r->args->list[p - r->args->verb->parameters];

    if (argument->given && !p->many)
        return refuse(r, "%s is given twice", p->name);
    argument->given = true;
    argument->text = span_of(word);
    r->open = p->many ? p : NULL;
    if (p->rule == NULL)
        return STATUS_OK;
    if (credential_is_in(word) || (p->rule == argument_uuid && credential_begins(word)))
        return refuse_secret(r, p);
    enum status status = p->rule(argument, argument->text, r->why);
    if (status != STATUS_OK)
        problem_prefix(r->why, "%s", p->name);
    return status;
}

/* The parameter for a word that is no option: the first that has no value yet. */
static const struct parameter *free_place(const struct reader *r)
{
    const struct parameter *parameters = r->args->verb->parameters;

    for (size_t i = 0; parameters[i].name != NULL; i++)
        if (!parameter_is_option(&parameters[i]) &&
            (!r->args->list[i].given || parameters[i].many))
            return &parameters[i];
    return NULL;
}

/* Whether a word behind "--allow 10.0.0.0/8" is another block and not, say, a name. */
static bool looks_like_block(const char *word)
{
    return strspn(word, "0123456789abcdefABCDEF.:/,") == strlen(word) &&
           strpbrk(word, ".:/") != NULL;
}

static enum status take_word(struct reader *r, const char *word)
{
    const struct parameter *place = free_place(r);

    if (r->open != NULL && (place == NULL || looks_like_block(word)))
        place = r->open;
    if (place == NULL)
        return refuse(r, "there is no place for '%s'", word);
    return take_value(r, place, word);
}

/* Reads options up to the first word that is none. */
static enum status read_options(struct reader *r, const char *style)
{
    enum status status = STATUS_OK;
    int code;

    make_getopt_table(r);
    optind = 0; /* makes glibc's getopt start over */
    opterr = 0;
    while (status == STATUS_OK &&
           (code = getopt_long(r->argc, r->argv, style, r->options, NULL)) != -1) {
        const char *value = optarg != NULL ? optarg : "";
        if (code == ':' || code == '?')
            status = refuse_getopt(r, code);
        else if (code == 'h')
            r->args->help = true;
        else if (code == GETOPT_WORD)
            status = take_word(r, value);
        else if (code < GETOPT_BASE + GLOBALS)
            status = take_global(r, code - GETOPT_BASE);
        else if (r->args->verb != NULL) /* there are no other options */
            status = take_value(r, &r->args->verb->parameters[code - GETOPT_BASE - GLOBALS],
                                value);
    }
    return status;
}

/* Reads options, then the next word; *word is NULL when there is none. */
static enum status read_word(struct reader *r, const char **word)
{
    enum status status = read_options(r, "+:h");

    *word = NULL;
    if (status != STATUS_OK || optind >= r->argc)
        return status;
    *word = r->argv[optind];
    r->argc -= optind;
    r->argv += optind;
    return STATUS_OK;
}

/* Reads the word of the noun; "help" before it is the same as --help. */
static enum status read_noun_word(struct reader *r, const char **word)
{
    enum status status = read_word(r, word);

    while (status == STATUS_OK && *word != NULL && strcmp(*word, help_word) == 0) {
        r->args->help = true;
        status = read_word(r, word);
    }
    return status;
}

static enum status find_noun(struct reader *r, const char *word)
{
    struct help_guess guess = {.word = word};

    for (const struct noun *const *noun = ctl_nouns; *noun != NULL; noun++) {
        if (strcmp((*noun)->name, word) == 0)
            r->args->noun = *noun;
        help_guess_offer(&guess, (*noun)->name);
    }
    help_guess_offer(&guess, help_word);
    return r->args->noun != NULL ? STATUS_OK : refuse_word(r, "noun", &guess);
}

static enum status find_verb(struct reader *r, const char *word)
{
    struct help_guess guess = {.word = word};

    for (const struct verb *verb = r->args->noun->verbs; verb->name != NULL; verb++) {
        if (strcmp(verb->name, word) == 0)
            r->args->verb = verb;
        help_guess_offer(&guess, verb->name);
    }
    return r->args->verb != NULL ? STATUS_OK : refuse_word(r, "verb", &guess);
}

static bool is_answered(const struct args *args)
{
    return args->help || args->version;
}

/* Reads the word of the verb, if the noun needs one. Without a word args->verb stays NULL,
 * for the help on the noun. */
static enum status read_verb_word(struct reader *r)
{
    const char *word;

    r->args->verb = ctl_only_verb(r->args->noun);
    if (r->args->verb != NULL)
        return STATUS_OK;
    enum status status = read_word(r, &word);
    if (status != STATUS_OK || word != NULL)
        return status == STATUS_OK ? find_verb(r, word) : status;
    return is_answered(r->args) ? STATUS_OK
                                : refuse(r, "%s needs a verb", r->args->noun->name);
}

/* Reads the options and words of the verb, in any order; after "--" there are words
 * only. */
static enum status read_rest(struct reader *r)
{
    enum status status = read_options(r, "-:h");

    r->open = NULL;
    for (; status == STATUS_OK && optind < r->argc; optind++)
        status = take_word(r, r->argv[optind]);
    return status;
}

/* The parameters of the verb with that need. */
struct choice {
    size_t count, given;
    char names[128]; /* with commas in between */
};

static struct choice choice_of(const struct args *args, enum parameter_need need)
{
    const struct parameter *parameters = args->verb->parameters;
    struct choice choice = {.names = ""};
    size_t used = 0;

    for (size_t i = 0; parameters[i].name != NULL; i++) {
        if (parameters[i].need != need)
            continue;
        choice.count++;
        choice.given += args->list[i].given;
        if (used < sizeof choice.names)
            used += (size_t)snprintf(choice.names + used, sizeof choice.names - used,
                                     "%s%s", used > 0 ? ", " : "", parameters[i].name);
    }
    return choice;
}

static enum status require_choices(struct reader *r)
{
    const struct choice any = choice_of(r->args, PARAMETER_ANY);
    const struct choice one = choice_of(r->args, PARAMETER_ONE);

    if (any.count > 0 && any.given == 0)
        return refuse(r, "%s: %s",
                      r->args->verb->access == CTL_WRITE ? "say what to change"
                                                         : "say what to look for",
                      any.names);
    if (one.count > 0 && one.given != 1)
        return refuse(r, "give %s: %s", one.given == 0 ? "one of these" : "only one",
                      one.names);
    return STATUS_OK;
}

/* What the verb would ask for must be given where nobody can be asked. */
static enum status require_asked(struct reader *r)
{
    const struct parameter *parameters = r->args->verb->parameters;
    char names[128] = "";
    size_t used = 0;

    for (size_t i = 0; parameters[i].name != NULL; i++) {
        const struct parameter *p = &parameters[i];
        if (p->need == PARAMETER_ASKED && !r->args->list[i].given && used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s %s",
                                     used > 0 ? ", " : "", p->name, p->value);
    }
    if (used == 0 || ask_is_possible())
        return STATUS_OK;
    return refuse(r, "there is no terminal to ask on: give %s", names);
}

static enum status require_all(struct reader *r)
{
    const struct parameter *parameters = r->args->verb->parameters;

    for (size_t i = 0; parameters[i].name != NULL; i++) {
        const struct parameter *p = &parameters[i];
        if (p->need == PARAMETER_REQUIRED && !r->args->list[i].given)
            return refuse(r, "%s%s%s is missing", p->name, p->value != NULL ? " " : "",
                          p->value != NULL ? p->value : "");
        if (p->with != NULL && r->args->list[i].given && !args_get(r->args, p->with)->given)
            return refuse(r, "%s needs %s", p->name, p->with);
    }
    const enum status status = require_choices(r);
    return status == STATUS_OK ? require_asked(r) : status;
}

enum status args_read(struct args *out, int argc, char **argv, struct problem *why)
{
    struct reader r = {.args = out, .argc = argc, .argv = argv, .why = why};
    const char *word;

    *out = (struct args){.noun = NULL};
    enum status status = read_noun_word(&r, &word);
    if (status == STATUS_OK && word == NULL && !is_answered(out))
        return refuse(&r, "say what to do");
    if (status == STATUS_OK && word != NULL)
        status = find_noun(&r, word);
    if (status != STATUS_OK || word == NULL)
        return status;
    status = read_verb_word(&r);
    if (status == STATUS_OK && out->verb != NULL)
        status = read_rest(&r);
    if (status != STATUS_OK || out->verb == NULL)
        return status;
    return is_answered(out) ? STATUS_OK : require_all(&r);
}
