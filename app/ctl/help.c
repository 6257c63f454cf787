#include "app/ctl/help.h"

#include <string.h>

const struct help_option help_global_options[] = {
    {"--config", "FILE",
     "the configuration; else CRMNOTES_CONFIG, else /etc/crmnotes/crmnotes.conf"},
    {"--database", "FILE", "the database, whatever the configuration says"},
    {"--json", NULL, "print one JSON object a line"},
    {"--wide", NULL, "print all columns of a table, though the terminal is narrower"},
    {"--help", NULL, "show this, or the help on a noun or verb, and end"},
    {"--version", NULL, "show the version and end"},
    {NULL, NULL, NULL},
};

static const struct {
    int status;
    const char *meaning;
} exit_statuses[] = {
    {0, "done; allow test: the address is allowed"},
    {1, "allow test: the address is not allowed, or the key is revoked or expired"},
    {64, "not how the command is used"},
    {65, "a value is wrong, or names something that does not exist"},
    {69, "the database cannot be used"},
    {70, "a fault of this program"},
    {73, "a file cannot be made"},
    {74, "reading or writing failed"},
    {75, "try again later: another program is writing"},
    {78, "configuration, key file or schema is not as it must be"},
};

enum {
    NAME_COLUMN = 22, /* where the explanations begin */
    FURTHER_COLUMN = 9,
    SYNOPSIS_END = 105, /* columns of a synopsis, before it goes on in another line */
};

/* "--org ID", "NAME", "CIDR…", in brackets where it may be left out. */
static void describe(char *out, size_t size, const struct parameter *p)
{
    bool optional = p->need != PARAMETER_REQUIRED;

    (void)snprintf(out, size, "%s%s%s%s%s%s", optional ? "[" : "", p->name,
                   p->value != NULL ? " " : "", p->value != NULL ? p->value : "",
                   p->many ? "…" : "", optional ? "]" : "");
}

/* begin: what stands before it in its line. */
static void print_synopsis(FILE *stream, const char *begin, const struct noun *noun,
                           const struct verb *verb)
{
    char command[CHANGE_ACTION_BYTES];

    ctl_format_command(command, noun, verb);
    int column = fprintf(stream, "%s%s", begin, command);

    for (const struct parameter *p = verb->parameters; p->name != NULL; p++) {
        char text[128];
        describe(text, sizeof text, p);
        if (column + 1 + (int)strlen(text) > SYNOPSIS_END)
            column = fprintf(stream, "\n%*s", FURTHER_COLUMN, "") - 1;
        column += fprintf(stream, " %s", text);
    }
}

static void print_verb(FILE *stream, const struct noun *noun, const struct verb *verb)
{
    print_synopsis(stream, "Usage: crmnotesctl ", noun, verb);
    (void)fprintf(stream, "\n\n%s.\n", verb->help);
    if (verb->more != NULL)
        (void)fprintf(stream, "%s\n", verb->more);
    if (verb->parameters[0].name != NULL)
        (void)fputc('\n', stream);
    for (const struct parameter *p = verb->parameters; p->name != NULL; p++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s %s", p->name,
                       p->value != NULL ? p->value : "");
        (void)fprintf(stream, "  %-*s%s\n", NAME_COLUMN, name, p->help);
    }
    (void)fprintf(stream, "\nOptions of all commands: crmnotesctl --help\n");
}

static void print_verbs(FILE *stream, const struct noun *noun)
{
    for (const struct verb *verb = noun->verbs; verb->name != NULL; verb++) {
        print_synopsis(stream, "  ", noun, verb);
        (void)fprintf(stream, "\n      %s\n", verb->help);
    }
}

static void print_noun(FILE *stream, const struct noun *noun)
{
    (void)fprintf(stream, "Usage: crmnotesctl %s VERB …\n\n%s.\n\n", noun->name,
                  noun->help);
    print_verbs(stream, noun);
    (void)fprintf(stream, "\nMore on a verb: crmnotesctl %s VERB --help\n", noun->name);
}

static void print_program(FILE *stream)
{
    (void)fputs(
        "Usage: crmnotesctl [--config FILE] [--database FILE] [--json] [--wide] NOUN "
        "[VERB] …\n"
        "       crmnotesctl help [NOUN [VERB]]\n\n"
        "Sets up and looks after crmnotes: its database, who may add notes, and the "
        "notes.\n",
        stream);
    for (const struct noun *const *noun = ctl_nouns; *noun != NULL; noun++) {
        (void)fprintf(stream, "\n%s\n", (*noun)->help);
        print_verbs(stream, *noun);
    }
    (void)fputs("\nOptions of all commands\n", stream);
    for (const struct help_option *o = help_global_options; o->name != NULL; o++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s %s", o->name,
                       o->value != NULL ? o->value : "");
        (void)fprintf(stream, "  %-*s%s\n", NAME_COLUMN, name, o->help);
    }
    (void)fputs("\nExit status\n", stream);
    for (size_t i = 0; i < sizeof exit_statuses / sizeof exit_statuses[0]; i++)
        (void)fprintf(stream, "  %-*d%s\n", NAME_COLUMN, exit_statuses[i].status,
                      exit_statuses[i].meaning);
}

void help_print(FILE *stream, const struct noun *noun, const struct verb *verb)
{
    if (verb != NULL)
        print_verb(stream, noun, verb);
    else if (noun != NULL)
        print_noun(stream, noun);
    else
        print_program(stream);
}

enum {
    GUESS_BYTES = 32, /* no name is longer */
    NEAR_CHANGES = 2, /* at most so many for a typing error */
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The Levenshtein distance, where two neighbours in the wrong order are one change. Keeps
 * three rows of its matrix. SIZE_MAX for a long word. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][GUESS_BYTES + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    size_t a_len = strlen(a), b_len = strlen(b);

    if (a_len > GUESS_BYTES || b_len > GUESS_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *next = before;
        before = last;
        last = row;
        row = next;
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] =
                least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
    }
    return row[b_len];
}

void help_guess_offer(struct help_guess *guess, const char *name)
{
    size_t dashes = strspn(name, "-");
    size_t word_dashes = strspn(guess->word, "-");
    const char *word = guess->word + word_dashes;
    size_t changes = distance(word, name + dashes);
    size_t len = strlen(name + dashes);
    bool begins = word[0] != '\0' && strncmp(word, name + dashes, strlen(word)) == 0;

    if (word_dashes != dashes)
        return;
    if (!begins && (changes > NEAR_CHANGES || changes * 2 >= len))
        return;
    if (guess->best == NULL || changes < guess->distance) {
        guess->best = name;
        guess->distance = changes;
    }
}
